/**
 * A film of the parties of a small vring: a line for each operation, with the words after it.
 *
 * @module
 */

import type { Operations, Reader, SmallRing, Writer } from "./small_ring.ts";

/** All parties of a ring. */
export interface Cast {
  readonly ring: SmallRing;
  writer: Writer;
  readonly readers: readonly Reader[];
}

/** An actor and its operations; it is killed after so many of them. */
export type Scene = readonly [who: string, does: Operations<unknown>, killedAfter?: number];

/** The names of the columns. */
export const HEADS = ["", "", "row 0", "row 1", "count", "AVAIL", "USED0", "USED1"];

/** A few letters for a word. */
function short(word: number): string {
  return word === 0 ? "--" : `${"-rh"[word & 3]}${word >>> 2}`;
}

/** The descriptors in entries that no party has followed yet. */
function open(entries: Uint32Array, from: number, to: number): string {
  return Array.from(
    { length: Math.min(to - from, entries.length) },
    (_, i) => entries[(from + i) % entries.length]! & 3,
  ).join(" ");
}

/** The words of a ring, short, in the order of {@linkcode HEADS}. */
export function cells({ ring, writer, readers }: Cast): string[] {
  return [
    ...ring.rows.map((row) => row.map((word) => short(word.load())).join(" ")),
    ring.references.map((count) => count.load()).join(" "),
    open(ring.availableEntries, writer.taken, ring.available.load()),
    ...readers.map(({ k, followed }) => open(ring.usedEntries[k]!, followed, ring.used[k]!.load())),
  ];
}
