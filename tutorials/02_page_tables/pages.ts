/**
 * Two-level tables with pages of 4 KiB.
 *
 * ```
 *   address   | first: 10 bits | second: 10 bits | offset: 12 bits |
 *
 *   root ---> first-level table        second-level table       frame
 *             1,024 entries            1,024 entries            4,096 bytes
 *             [first] ---------------> [second] --------------> [offset]
 *
 *   entry     | frame: 20 bits                | .. | user | writable | present |
 *                                                     2       1          0
 * ```
 *
 * Both tables are frames themselves. One table for all pages would take 4 MiB for each process; here
 * a second-level table exists only where something is mapped.
 *
 * @module
 */

import { FRAME, type PhysicalMemory } from "./physical.ts";
import {
  type Access,
  checkAligned,
  hex,
  type Refusal,
  type Step,
  type Tables,
  type Walk,
} from "./tables.ts";

/** The bits of an entry. */
export const PageBit = { present: 1, writable: 2, user: 4 } as const;

/** What a page allows. */
export interface PageRights {
  /** Allows stores; true by default. */
  readonly writable?: boolean | undefined;
  /** Allows accesses that are not privileged; true by default. */
  readonly user?: boolean | undefined;
}

const ENTRIES = 1024;

/** Page tables in physical memory. */
export class PageTables implements Tables {
  readonly pageSize = FRAME;
  /** The physical address of the first-level table: the register that a process switch changes. */
  readonly root: number;
  readonly #memory: PhysicalMemory;

  /** Makes an empty first-level table. */
  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    this.root = memory.allocate(FRAME);
  }

  /** Maps a page to a frame. The TLB may still have the translation before. */
  map(page: number, frame: number, { writable = true, user = true }: PageRights = {}): void {
    checkAligned(page, FRAME, "a page");
    checkAligned(frame, FRAME, "a frame");
    const flags = PageBit.present | (writable ? PageBit.writable : 0) | (user ? PageBit.user : 0);
    this.#memory.store32(this.entryAt(page), (frame | flags) >>> 0);
  }

  /** Unmaps a page. The TLB may still have its translation. */
  unmap(page: number): void {
    checkAligned(page, FRAME, "a page");
    this.#memory.store32(this.entryAt(page), 0);
  }

  /** Returns the physical address of a page's entry; makes its second-level table if needed. */
  entryAt(page: number): number {
    const at = this.root + 4 * firstOf(page);
    const directory = this.#memory.load32(at);
    if ((directory & PageBit.present) !== 0) return frameOf(directory) + 4 * secondOf(page);
    const table = this.#memory.allocate(FRAME);
    this.#memory.store32(at, (table | PageBit.present) >>> 0);
    return table + 4 * secondOf(page);
  }

  walk(address: number): Walk {
    const first = this.#step("first-level", this.root, firstOf(address));
    const isTable = (first.entry & PageBit.present) !== 0 && this.#memory.has(frameOf(first.entry));
    if (!isTable) return { steps: [first], found: undefined };
    const second = this.#step("second-level", frameOf(first.entry), secondOf(address));
    const steps = [first, second];
    if ((second.entry & PageBit.present) === 0) return { steps, found: undefined };
    const page = (address & ~(FRAME - 1)) >>> 0;
    return { steps, found: { page, frame: frameOf(second.entry), entry: second.entry } };
  }

  #step(table: string, base: number, index: number): Step {
    const at = base + 4 * index;
    const entry = this.#memory.load32(at);
    return { table, index, at, entry, meaning: this.#meaningOf(table, entry) };
  }

  #meaningOf(table: string, entry: number): string {
    if ((entry & PageBit.present) === 0) return "not present";
    const frame = frameOf(entry);
    if (table === "first-level") {
      return this.#memory.has(frame)
        ? `the second-level table is at ${hex(frame)}`
        : `a table at ${hex(frame)}, where the machine has no memory`;
    }
    const rights = (entry & PageBit.writable) === 0 ? "read-only" : "writable";
    const users = (entry & PageBit.user) === 0 ? "privileged code only" : "all code";
    return `frame ${hex(frame)}, ${rights}, ${users}`;
  }

  refusal(entry: number, access: Access, isPrivileged: boolean): Refusal | undefined {
    if (!isPrivileged && (entry & PageBit.user) === 0) {
      return { kind: "permission", reason: "the page is for privileged code; set its user bit" };
    }
    if (access === "store" && (entry & PageBit.writable) === 0) {
      return { kind: "permission", reason: "the page is read-only; set its writable bit" };
    }
    return undefined;
  }
}

function firstOf(address: number): number {
  return address >>> 22;
}

function secondOf(address: number): number {
  return address >>> 12 & ENTRIES - 1;
}

function frameOf(entry: number): number {
  return (entry & ~(FRAME - 1)) >>> 0;
}
