/**
 * A film of the parties of a small vring: a line for each operation, with the words after it.
 *
 * @module
 */

import { paint } from "../paint.ts";
import { table } from "../picture.ts";
import { oneByOne, picture } from "../narrator.ts";
import {
  DEPTH,
  type Operations,
  type Reader,
  type SmallRing,
  textOf,
  type Writer,
} from "./small_ring.ts";

/** All parties of a ring. */
export interface Cast {
  readonly ring: SmallRing;
  writer: Writer;
  readonly readers: readonly Reader[];
}

/** An actor and its operations; it is killed after so many of them. */
export type Scene = readonly [who: string, does: Operations<unknown>, killedAfter?: number];

/** How wide the columns are: the actor, its operation, and the words afterwards. */
export const WIDTHS = [9, 28, 9, 9, 6, 6, 6, 5];
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

/** A row of the film. */
export function line(row: readonly string[]): string {
  return `  ${row.map((cell, i) => cell.padEnd(WIDTHS[i]!)).join("").trimEnd()}`;
}

/** Shows the scenes, one after the other. */
export function film(cast: Cast, ...scenes: readonly Scene[]): void {
  console.log(`\n${paint("dim", line(HEADS))}`);
  let stops = true;
  let first = true;
  const show = (who: string, what: string) => {
    if (!first) stops &&= oneByOne();
    first = false;
    console.log(line([who, what, ...cells(cast)]));
  };
  for (const [who, does, killedAfter = Infinity] of scenes) {
    for (let count = 0;; count++) {
      if (count === killedAfter) {
        show(who, "is killed");
        break;
      }
      const { done, value } = does.next();
      if (done) break;
      show(who, value as string);
    }
  }
}

/** Draws the table of descriptors, with the words of each in full. */
export function draw({ ring }: Cast): void {
  const rows = Array.from({ length: DEPTH }, (_, d) => [
    `${d}`,
    `${ring.descriptions[d]![0]}`,
    ring.descriptions[d]![0] === 0 ? "" : `"${ring.read(d)}"`,
    ...ring.rows.map((row) => textOf(row[d]!.load())),
    `${ring.references[d]!.load()}`,
  ]);
  picture(table([["DESC", "number", "SAMPLE", "row 0", "row 1", "count"], ...rows]));
}
