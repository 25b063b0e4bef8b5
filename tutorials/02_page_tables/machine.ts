/**
 * A machine with virtual memory: each load and store goes through the TLB, or walks the tables.
 *
 * ```
 *   address --> TLB --hit----------------------> permissions --> physical memory
 *                |                                   ^
 *                +--miss--> walk the tables ---------+
 *                              | entry not present      | refused
 *                              v                        v
 *                            Fault                    Fault
 * ```
 *
 * @module
 */

import { Fault, noTranslation, refused } from "./fault.ts";
import type { PhysicalMemory } from "./physical.ts";
import { type Access, hex, type Step, type Tables } from "./tables.ts";
import { Tlb } from "./tlb.ts";

/** How the last access found its memory. */
export interface Trace {
  /** The virtual address. */
  readonly address: number;
  /** The physical address. */
  readonly physical: number;
  /** Whether the TLB had the translation. */
  readonly hit: boolean;
  /** The entries that the walk read; none on a hit. */
  readonly steps: readonly Step[];
}

/** A processor without instructions: it only loads and stores. */
export class Machine {
  /** The page tables. */
  readonly tables: Tables;
  /** The TLB. */
  readonly tlb: Tlb;
  /** Whether the running code is privileged, such as a kernel. */
  isPrivileged = false;
  /** How the last access found its memory. */
  last: Trace | undefined;
  readonly #memory: PhysicalMemory;

  /** Makes a machine; `tlb` is the number of translations that it remembers. */
  constructor(memory: PhysicalMemory, tables: Tables, { tlb = 8 }: { tlb?: number } = {}) {
    this.#memory = memory;
    this.tables = tables;
    this.tlb = new Tlb(tlb);
  }

  /** Returns the physical address of an access; throws a {@linkcode Fault} if it is refused. */
  translate(address: number, access: Access): number {
    const { pageSize } = this.tables;
    const offset = address % pageSize;
    const remembered = this.tlb.lookUp(address - offset);
    const { steps, found } = remembered === undefined
      ? this.tables.walk(address)
      : { steps: [], found: remembered };
    if (found === undefined) throw noTranslation(address, access, steps);
    const refusal = this.tables.refusal(found.entry, access, this.isPrivileged);
    if (refusal !== undefined) throw refused(address, access, steps, refusal);
    this.tlb.insert(found);
    const physical = found.frame + offset;
    if (!this.#memory.has(physical)) {
      throw new Fault(
        { kind: "external", address, access, steps },
        `its frame is ${hex(found.frame)}, where the machine has no memory; map another frame`,
      );
    }
    this.last = { address, physical, hit: remembered !== undefined, steps };
    return physical;
  }

  /** Loads a byte. */
  load8(address: number): number {
    return this.#memory.load8(this.translate(address, "load"));
  }

  /** Stores a byte. */
  store8(address: number, value: number): void {
    this.#memory.store8(this.translate(address, "store"), value);
  }

  /** Loads a word of four bytes. */
  load32(address: number): number {
    checkWord(address, "load");
    return this.#memory.load32(this.translate(address, "load"));
  }

  /** Stores a word of four bytes. */
  store32(address: number, value: number): void {
    checkWord(address, "store");
    this.#memory.store32(this.translate(address, "store"), value);
  }
}

/** A word of four bytes lies in one page, because it begins at a multiple of four. */
function checkWord(address: number, access: Access): void {
  if (address % 4 === 0) return;
  throw new Fault(
    { kind: "alignment", address, access, steps: [] },
    "a word begins at a multiple of 4; pass one",
  );
}
