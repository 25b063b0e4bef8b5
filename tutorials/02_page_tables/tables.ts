/**
 * What all page tables have in common: a walk from an address to a translation or a reason.
 *
 * @module
 */

/** What a program does with memory. */
export type Access = "load" | "store";

/** One entry that a walk has read. */
export interface Step {
  /** The table, such as `first level`. */
  readonly table: string;
  /** The index of the entry in its table. */
  readonly index: number;
  /** The physical address of the entry. */
  readonly at: number;
  /** The entry. */
  readonly entry: number;
  /** The meaning of the entry, in words. */
  readonly meaning: string;
}

/** What a TLB remembers: where a page is, and the entry that said so. */
export interface Translation {
  /** The first virtual address of the page. */
  readonly page: number;
  /** The first physical address of its frame. */
  readonly frame: number;
  /** The last entry of the walk, which has the permissions. */
  readonly entry: number;
}

/** The outcome of a walk. */
export interface Walk {
  readonly steps: readonly Step[];
  /** The translation; undefined if an entry ended the walk. */
  readonly found: Translation | undefined;
}

/** Why an access is refused although there is a translation. */
export interface Refusal {
  readonly kind: "permission" | "domain";
  /** What the entry allows, and how to allow more. */
  readonly reason: string;
}

/** A format of page tables. */
export interface Tables {
  /** The bytes that one translation covers. */
  readonly pageSize: number;
  /** Reads the entries for an address. */
  walk(address: number): Walk;
  /** Returns why an entry refuses an access; undefined if it allows it. */
  refusal(entry: number, access: Access, isPrivileged: boolean): Refusal | undefined;
}

/** An address or an entry, in eight hexadecimal digits. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}

/** Throws unless an address is 32 bits and a multiple of something. */
export function checkAligned(address: number, alignment: number, what: string): void {
  const is32 = Number.isInteger(address) && address >= 0 && address < 2 ** 32;
  if (is32 && address % alignment === 0) return;
  const shown = is32 ? hex(address) : String(address);
  throw new RangeError(
    `Cannot use ${shown} as ${what}: pass a multiple of ${hex(alignment)} below 2^32`,
  );
}
