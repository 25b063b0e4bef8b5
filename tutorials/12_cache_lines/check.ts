/**
 * The checks of the exercise: words of random parties, and every two of them compared.
 *
 * @module
 */

import { type Check, runChecks, Wrong } from "../check.ts";
import { tablePicture } from "../stage/pictures.ts";

/** A word in shared memory. */
export interface Word {
  readonly name: string;
  /** 4, 8 or 16. */
  readonly bytes: number;
  /** The party that stores it, or "nobody". */
  readonly storedBy: string;
  /** The party that polls it, or "nobody". */
  readonly polledBy: string;
}

/** An answer. */
export type Place = (words: readonly Word[]) => Record<string, number>;

const LINE = 64;

/** Checks an answer and prints the results. */
export function checkPlaces(place: Place): void {
  runChecks(import.meta.url, checksOf(place));
}

const word = (name: string, bytes: number, storedBy: string, polledBy: string): Word => ({
  name,
  bytes,
  storedBy,
  polledBy,
});

/** The words of a ring, and a few more. */
const RING: readonly Word[] = [
  word("capacity", 4, "nobody", "nobody"),
  word("head", 4, "writer", "reader"),
  word("sent", 8, "writer", "nobody"),
  word("tail", 4, "reader", "writer"),
  word("taken", 4, "reader", "nobody"),
  word("counts", 16, "reader", "nobody"),
];

/** The checks that an answer must pass. */
export function checksOf(place: Place): Check[] {
  return [
    {
      what: "each word has a place, at a multiple of its size",
      check: () => each(place, expectAligned),
      hint: "in a group, put the large words first: then what follows fits without gaps.",
    },
    {
      what: "no two words overlap",
      check: () => each(place, expectApart),
      hint: "the next word begins behind the last one, which has `bytes` bytes.",
    },
    {
      what: "words that different parties store are on different lines",
      check: () => each(place, (words, at) => expectParted(words, at, "storedBy")),
      hint: "begin a new line for each party: round up to a multiple of 64.",
    },
    {
      what: "words that different parties poll are on different lines",
      check: () => each(place, (words, at) => expectParted(words, at, "polledBy")),
      hint: "words belong together if both `storedBy` and `polledBy` are the same.",
    },
    {
      what: "it takes as few lines as possible",
      check: () => each(place, expectFew),
      hint: "all words with the same two parties share lines, wherever they are in the list.",
    },
  ];
}

type Judge = (words: readonly Word[], offsetOf: (word: Word) => number) => void;

/** Judges the words of a ring, and random ones by seeds. */
function each(place: Place, judge: Judge): void {
  for (
    const words of [
      [],
      RING,
      RING.toReversed(),
      ...Array.from({ length: 40 }, (_, i) => random(i)),
    ]
  ) {
    const offsets = place(words);
    judge(words, ({ name }) => offsets[name] ?? NaN);
  }
}

function random(seed: number): Word[] {
  let state = seed + 12;
  const dice = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  const party = () => ["writer", "reader", "nobody"][dice(3)]!;
  return Array.from(
    { length: 2 + dice(seed) },
    (_, i) => word(`word${i}`, 4 << dice(3), party(), party()),
  );
}

/** Fails, with a picture of these words and of their places. */
function fail(message: string, words: readonly Word[], offsetOf: (word: Word) => number): never {
  const rows = words.map((word) => [
    word.name,
    word.bytes,
    word.storedBy,
    word.polledBy,
    offsetOf(word),
    Math.floor(offsetOf(word) / LINE),
  ]);
  const picture = tablePicture("words", "Your places", [
    ["word", "bytes", "stored by", "polled by", "offset", "line"],
    ...rows,
  ]);
  const list = rows.map(([name, bytes, stored, polled, offset, line]) =>
    `${name}: ${bytes} bytes, stored by ${stored}, polled by ${polled}; at ${offset}, line ${line}`
  );
  throw new Wrong(`${message}\n${list.join("\n")}`, picture);
}

function expectAligned(words: readonly Word[], offsetOf: (word: Word) => number): void {
  for (const word of words) {
    const offset = offsetOf(word);
    if (Number.isSafeInteger(offset) && offset >= 0 && offset % word.bytes === 0) continue;
    const why = Number.isNaN(offset) ? "has no place" : `should be at a multiple of ${word.bytes}`;
    fail(`${word.name} ${why}:`, [word], offsetOf);
  }
}

/** Every two words, once. */
function pairs(words: readonly Word[]): [Word, Word][] {
  return words.flatMap((one, i) => words.slice(i + 1).map((other): [Word, Word] => [one, other]));
}

function expectApart(words: readonly Word[], offsetOf: (word: Word) => number): void {
  for (const [one, other] of pairs(words)) {
    const [a, b] = [offsetOf(one), offsetOf(other)];
    if (a + one.bytes <= b || b + other.bytes <= a) continue;
    fail(`${one.name} and ${other.name} overlap:`, [one, other], offsetOf);
  }
}

function expectParted(
  words: readonly Word[],
  offsetOf: (word: Word) => number,
  by: "storedBy" | "polledBy",
): void {
  for (const [one, other] of pairs(words)) {
    const line = Math.floor(offsetOf(one) / LINE);
    if (line !== Math.floor(offsetOf(other) / LINE) || one[by] === other[by]) continue;
    const what = by === "storedBy" ? "stores" : "polls";
    const who = (party: string) => party === "nobody" ? `nobody ${what}` : `the ${party} ${what}`;
    fail(
      `${who(one[by])} ${one.name}, and ${
        who(other[by])
      } ${other.name}. But both are on line ${line}:`,
      [one, other],
      offsetOf,
    );
  }
}

function expectFew(words: readonly Word[], offsetOf: (word: Word) => number): void {
  const groups = Map.groupBy(words, ({ storedBy, polledBy }) => `${storedBy} ${polledBy}`);
  let all = 0;
  for (const group of groups.values()) {
    const lines = new Set(group.map((word) => Math.floor(offsetOf(word) / LINE))).size;
    const bytes = group.reduce((sum, word) => sum + word.bytes, 0);
    const needed = Math.ceil(bytes / LINE);
    all += needed;
    if (lines > needed) {
      fail(
        `These words have the same parties and ${bytes} bytes together: ${needed} ` +
          `${needed === 1 ? "line is" : "lines are"} enough, and yours are on ${lines}.`,
        group,
        offsetOf,
      );
    }
  }
  const highest = Math.max(-1, ...words.map((word) => Math.floor(offsetOf(word) / LINE)));
  if (highest >= all) fail(`${all} lines are enough; you leave some empty:`, words, offsetOf);
}
