/**
 * A film of the parties of a small vring: a row for each operation, with some of the words after it.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Death, Picture, Scene as Stage, TrackRow } from "../stage/story.ts";
import {
  DEPTH,
  type Operation,
  type Operations,
  Reader,
  SmallRing,
  textOf,
  Writer,
} from "./small_ring.ts";

/** All parties of a ring. */
export interface Cast {
  readonly ring: SmallRing;
  writer: Writer;
  readonly readers: readonly [Reader, Reader];
}

/** A new ring with a writer and two readers. */
export function newCast(): Cast {
  const ring = new SmallRing();
  return { ring, writer: new Writer(ring, 0), readers: [new Reader(ring, 0), new Reader(ring, 1)] };
}

/** Does all of it, unseen. */
export function quietly(does: Operations<unknown>): void {
  while (!does.next().done);
}

/** Does so many operations, unseen; the party is killed then. */
export function killAfter(does: Operations<unknown>, operations: number): void {
  for (let i = 0; i < operations; i++) does.next();
}

/** An actor and its operations; it is killed after so many of them. */
export type Scene = readonly [who: string, does: Operations<unknown>, killedAfter?: number];

/** A column of the film. */
export type Column = readonly [name: string, value: (cast: Cast) => number | string];

/** The descriptors in entries that no party has taken yet. */
function open(entries: Uint32Array, from: number, to: number): string {
  const length = Math.min(to - from, entries.length);
  return Array.from({ length }, (_, i) => entries[(from + i) % entries.length]! & 3).join(" ") ||
    "-";
}

/** The indexes in AVAIL. */
export const AVAIL: Column = [
  "AVAIL",
  ({ ring, writer }) => open(ring.availableEntries, writer.taken, ring.available.load()),
];

/** The indexes in the ring of a reader. */
export function usedOf(k: 0 | 1): Column {
  return [
    `USED ${k}`,
    ({ ring, readers }) => open(ring.usedEntries[k]!, readers[k].followed, ring.used[k]!.load()),
  ];
}

/** How many parties have not released a sample. */
export function countOf(d: number): Column {
  return [`count of ${d}`, ({ ring }) => ring.references[d]!.load()];
}

/** The words of readers 0 and 1 for a sample. */
export function wordsOf(d: number): Column[] {
  return [0, 1].map((k) => [`word ${k}`, ({ ring }) => textOf(ring.rows[k]![d]!.load())]);
}

/** The journal and the sequence. */
export const JOURNAL: readonly Column[] = [
  ["journal", ({ ring }) => ring.journal.load() >>> 2],
  ["sequence", ({ ring }) => ring.sequence.load()],
];

/** Which operations a film shows, and which words. */
export interface View {
  readonly id?: string;
  readonly title: string;
  readonly about: readonly Operation["about"][];
  readonly columns: readonly Column[];
}

const KILLED = "is killed";

function valuesOf(cast: Cast, { columns }: View): (number | string)[] {
  return columns.map(([, value]) => value(cast));
}

/** Lets a successor repair a copy of the memory, as if this party had been killed now. */
function deathIn({ ring, readers }: Cast, view: View, who: string): Death {
  const copy = new SmallRing();
  copy.memory.bytes.set(ring.memory.bytes);
  const followers = readers.map(({ k, followed }) =>
    Object.assign(new Reader(copy, k), { followed })
  ) as [Reader, Reader];
  const heir = new Writer(copy);
  const cast = { ring: copy, writer: heir, readers: followers };
  const reader = /^reader (\d)/.exec(who)?.[1];
  const [name, does] = reader === undefined
    ? ["heir", heir.finish()] as const
    : ["writer", heir.clear(Number(reader))] as const;
  const rows = Array.from(does, ({ text }) => ({
    party: 0,
    text,
    values: valuesOf(cast, view),
  }));
  return { parties: [name], rows, end: repairOf(ring, reader) };
}

/** Says which word the repair starts from. */
function repairOf({ journal, sequence, rows }: SmallRing, reader: string | undefined): string {
  if (reader !== undefined) {
    const held = rows[Number(reader)]!.flatMap((word, d) =>
      (word.load() & 3) === 0 ? [] : [`${textOf(word.load())} for place ${d}`]
    );
    return held.length === 0
      ? `The words of reader ${reader} are all none, so nothing is to be given back.`
      : `The repair starts from the words of reader ${reader}: ${held.join(", ")}.`;
  }
  const [begun, done] = [journal.load() >>> 2, sequence.load()];
  return begun === done + 1
    ? `The repair starts from the journal: it says ${begun}, and \`sequence\` says ${done}.`
    : `The journal and \`sequence\` both say ${done}: no sample was begun and not finished.`;
}

/** Performs scenes, and shows the operations with the words after each. */
export function film(stage: Stage, cast: Cast, view: View, ...scenes: readonly Scene[]): void {
  const parties = [...new Set(scenes.map(([who]) => who))];
  const rows: TrackRow[] = [];
  const row = (who: string, text: string) => {
    const death = text === KILLED ? {} : { death: deathIn(cast, view, who) };
    rows.push({ party: parties.indexOf(who), text, values: valuesOf(cast, view), ...death });
  };
  for (const [who, does, killedAfter = Infinity] of scenes) {
    for (let count = 0;; count++) {
      if (count === killedAfter) {
        row(who, KILLED);
        break;
      }
      const { done, value } = does.next();
      if (done === true) break;
      const { about, text } = value as Operation;
      if (view.about.includes(about)) row(who, text);
    }
  }
  const { id = "film", title, columns } = view;
  stage.show({ kind: "tracks", id, title, parties, words: columns.map(([name]) => name), rows });
}

/** The samples, and the words of both readers for each. */
export function samples({ ring }: Cast): Picture {
  const rows = Array.from({ length: DEPTH }, (_, d) => [
    `${d}`,
    ring.descriptions[d]![0] === 0 ? "" : ring.read(d),
    ...ring.rows.map((row) => textOf(row[d]!.load())),
  ]);
  return tablePicture("samples", "The places, and a word of each reader for each", [
    ["place", "sample", "reader 0", "reader 1"],
    ...rows,
  ]);
}
