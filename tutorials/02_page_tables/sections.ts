/**
 * The short descriptors of the ARM1176, the processor of the first Raspberry Pi, with sections of
 * 1 MiB.
 *
 * ```
 *   address      | index: 12 bits | offset: 20 bits |
 *
 *   TTBR0 -----> 4,096 descriptors ---> section
 *                [index]                [offset]
 *
 *   descriptor   | base   |nG|S|APX|TEX  |AP   |P|domain|XN|C|B|1 0|
 *                 31    20 17 16 15 14 12 11 10 9 8    5 4  3 2 1 0
 * ```
 *
 * The low two bits say what a descriptor is: 00 and 11 fault, 01 is a table of smaller pages, 10 is
 * a section (ARM1176JZF-S Technical Reference Manual, ARM DDI 0301H, 6.12.2, and figure 6-11 for the
 * other bits). A section passes two checks, its domain first and then its permissions (6.5). This
 * machine models sections only: it has no caches, so it keeps C, B, TEX, S and nG without effect, and
 * no code, so XN has none.
 *
 * @module
 */

import type { PhysicalMemory } from "./physical.ts";
import {
  type Access,
  checkAligned,
  hex,
  type Refusal,
  type Step,
  type Tables,
  type Walk,
} from "./tables.ts";

/** The bytes of a section. */
export const SECTION = 2 ** 20;

/** The bytes of a first-level table; it begins at a multiple of them. */
export const TABLE = 4 * 4096;

/** What the bits APX and AP allow: privileged code, and other code. */
const RIGHTS: Readonly<Record<number, readonly [privileged: string, user: string]>> = {
  0b000: ["", ""],
  0b001: ["rw", ""],
  0b010: ["rw", "r"],
  0b011: ["rw", "rw"],
  0b101: ["r", ""],
  0b110: ["r", "r"],
};

/** The names of the permissions, and their bits APX and AP. */
export const Permission = {
  none: 0b000,
  privileged: 0b001,
  userReads: 0b010,
  all: 0b011,
  privilegedReads: 0b101,
  allRead: 0b110,
} as const;

/** What a domain does with the permissions of its sections. */
export const Domain = { none: 0, client: 1, manager: 3 } as const;

/** What a section allows. */
export interface SectionRights {
  /** One of `Permission`; `all` by default. */
  readonly permission?: number | undefined;
  /** The domain, 0 to 15; 0 by default. */
  readonly domain?: number | undefined;
}

/** Makes the descriptor of a section. */
export function sectionDescriptor(
  base: number,
  { permission = Permission.all, domain = 0 }: SectionRights = {},
): number {
  checkAligned(base, SECTION, "the base of a section");
  if (!(permission in RIGHTS)) {
    throw new RangeError(`Cannot use the permission ${permission}: pass one of Permission`);
  }
  if (!(Number.isInteger(domain) && domain >= 0 && domain <= 15)) {
    throw new RangeError(`Cannot use the domain ${domain}: pass 0 to 15`);
  }
  return (base | permission >> 2 << 15 | (permission & 3) << 10 | domain << 5 | 0b10) >>> 0;
}

/** A first-level table in physical memory. */
export class SectionTables implements Tables {
  readonly pageSize = SECTION;
  /** The physical address of the table: the register TTBR0. */
  readonly root: number;
  /** The register c3: two bits for each domain. Domain 0 is a client at first, the others none. */
  domains: number = Domain.client;
  readonly #memory: PhysicalMemory;

  /** Makes a table whose 4,096 descriptors fault. */
  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    this.root = memory.allocate(TABLE, TABLE);
  }

  /** Sets what a domain does with the permissions of its sections. */
  setDomain(domain: number, access: number): void {
    this.domains = (this.domains & ~(3 << 2 * domain) | access << 2 * domain) >>> 0;
  }

  /** Maps a section. The TLB may still have the translation before. */
  map(section: number, base: number, rights?: SectionRights): void {
    this.#memory.store32(this.entryAt(section), sectionDescriptor(base, rights));
  }

  /** Unmaps a section. The TLB may still have its translation. */
  unmap(section: number): void {
    this.#memory.store32(this.entryAt(section), 0);
  }

  /** Returns the physical address of a section's descriptor. */
  entryAt(section: number): number {
    checkAligned(section, SECTION, "a section");
    return this.root + 4 * (section >>> 20);
  }

  walk(address: number): Walk {
    const index = address >>> 20;
    const at = this.root + 4 * index;
    const entry = this.#memory.load32(at);
    const step: Step = { table: "first-level", index, at, entry, meaning: meaningOf(entry) };
    if ((entry & 3) !== 0b10) return { steps: [step], found: undefined };
    const page = (index << 20) >>> 0;
    return { steps: [step], found: { page, frame: (entry & 0xfff00000) >>> 0, entry } };
  }

  refusal(entry: number, access: Access, isPrivileged: boolean): Refusal | undefined {
    const domain = entry >>> 5 & 15;
    const mode = this.domains >>> 2 * domain & 3;
    if (mode === Domain.manager) return undefined; // the permissions are not looked at
    if (mode !== Domain.client) {
      const reason = `domain ${domain} gives no access; make this program its client`;
      return { kind: "domain", reason };
    }
    const rights = RIGHTS[permissionOf(entry)]?.[isPrivileged ? 0 : 1] ?? "";
    if (rights.includes(access === "load" ? "r" : "w")) return undefined;
    const who = isPrivileged ? "privileged code" : "user code";
    const reason = `the section gives ${who} ${rights === "r" ? "loads only" : "no access"}; ` +
      "change its bits APX and AP";
    return { kind: "permission", reason };
  }
}

function permissionOf(entry: number): number {
  return (entry >>> 15 & 1) << 2 | entry >>> 10 & 3;
}

function meaningOf(entry: number): string {
  const type = entry & 3;
  if (type === 0b01) return "a table of smaller pages, which this machine does not model";
  if (type !== 0b10) return "not mapped";
  const [privileged, user] = RIGHTS[permissionOf(entry)] ?? ["", ""];
  return `section ${hex(entry & 0xfff00000)}, domain ${entry >>> 5 & 15}, ` +
    `privileged ${privileged || "-"}, user ${user || "-"}`;
}
