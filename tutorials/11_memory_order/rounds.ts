/**
 * One side of the experiment: rounds of a store and a load, in step with another process.
 *
 * ```
 *   one process      the other
 *   x = round        y = round
 *   look at y        look at x
 * ```
 *
 * @module
 */

/** How a side stores: with a plain instruction, or with a read-modify-write. */
export type Kind = "store" | "exchange";

/** The two processes. */
export type Side = "one" | "other";

/** The bytes of the words; behind them each side has a byte for each round. */
export const HEAD_BYTES = 4096;

// Indices of 32-bit words, each on a cache line of its own.
const X = 0;
const Y = 64;
const TURN_ONE = 128;
const TURN_OTHER = 192;
const STOP = 256;
const READY = 320;
const PLAYED_ONE = 384;
const PLAYED_OTHER = 448;

/** The longest pause before a store, in turns of a loop. It moves the sides past each other. */
const LONGEST_PAUSE = 0x3f;

/** How many times a side looks for the other before it looks at the clock. */
const LOOKS = 100_000;

/** What a side needs for its rounds. */
interface Play {
  readonly words: Uint32Array<ArrayBuffer>;
  /** A byte for each round: 1 if this side saw the other's store. */
  readonly seen: Uint8Array<ArrayBuffer>;
  readonly rounds: number;
  /** The indices of the word that this side stores, and of the one that it looks at. */
  readonly own: number;
  readonly theirs: number;
  readonly ownTurn: number;
  readonly theirTurn: number;
  readonly deadline: number;
}

/** Plays rounds as one side. It ends early after `limitMs`, on both sides. */
export function play(
  side: Side,
  kind: Kind,
  bytes: Uint8Array<ArrayBuffer>,
  { rounds, limitMs }: { rounds: number; limitMs: number },
): void {
  const isOne = side === "one";
  const [own, theirs] = isOne ? [X, Y] : [Y, X];
  const [ownTurn, theirTurn] = isOne ? [TURN_ONE, TURN_OTHER] : [TURN_OTHER, TURN_ONE];
  const words = wordsOf(bytes);
  const begin = HEAD_BYTES + (isOne ? 0 : rounds);
  const seen = bytes.subarray(begin, begin + rounds);
  const deadline = performance.now() + limitMs;
  const all = { words, seen, rounds, own, theirs, ownTurn, theirTurn, deadline };
  const played = kind === "store" ? playStores(all) : playExchanges(all);
  Atomics.store(words, isOne ? PLAYED_ONE : PLAYED_OTHER, played + 1); // 0: it has not ended
}

/** Says that the other side is there, and about to play. */
export function sayReady(bytes: Uint8Array<ArrayBuffer>): void {
  Atomics.store(wordsOf(bytes), READY, 1);
}

/** Returns whether the other side is there. */
export function isReady(bytes: Uint8Array<ArrayBuffer>): boolean {
  return Atomics.load(wordsOf(bytes), READY) === 1;
}

function wordsOf({ buffer, byteOffset }: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(buffer, byteOffset, HEAD_BYTES / 4);
}

/** Returns whether the other side has ended. */
export function hasEnded(bytes: Uint8Array<ArrayBuffer>): boolean {
  return Atomics.load(wordsOf(bytes), PLAYED_OTHER) > 0;
}

/** What was seen in the rounds that both sides have played. */
export interface Counts {
  readonly played: number;
  readonly both: number;
  readonly onlyOne: number;
  readonly onlyOther: number;
  readonly neither: number;
}

/** Counts what the two sides have seen, once both have ended; they were to play `rounds`. */
export function countSeen(bytes: Uint8Array<ArrayBuffer>, rounds: number): Counts {
  const words = wordsOf(bytes);
  // One of them may have ended early in a round that the other has played.
  const played = Math.min(words[PLAYED_ONE]!, words[PLAYED_OTHER]!) - 1;
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < played; i++) {
    counts[2 * bytes[HEAD_BYTES + i]! + bytes[HEAD_BYTES + rounds + i]!]!++;
  }
  const [neither, onlyOther, onlyOne, both] = counts as [number, number, number, number];
  return { played, both, onlyOne, onlyOther, neither };
}

/** A plain store, and a look at the other's word. */
export function storeAndLook(words: Uint32Array, own: number, theirs: number, round: number) {
  words[own] = round;
  return words[theirs] === round ? 1 : 0;
}

/** A read-modify-write, and a look at the other's word. */
export function exchangeAndLook(words: Uint32Array, own: number, theirs: number, round: number) {
  Atomics.exchange(words, own, round);
  return words[theirs] === round ? 1 : 0;
}

// The next two differ in one line. They are two so that the engine compiles each for itself, and
// nothing lies between the store and the load.

function playStores(all: Play): number {
  const { words, seen, rounds, own, theirs } = all;
  let random = 0x9e3779b9 ^ own;
  for (let round = 1; round <= rounds; round++) {
    if (!meet(all, round)) return round - 1;
    random = next(random);
    pause(random & LONGEST_PAUSE);
    seen[round - 1] = storeAndLook(words, own, theirs, round);
  }
  return rounds;
}

function playExchanges(all: Play): number {
  const { words, seen, rounds, own, theirs } = all;
  let random = 0x9e3779b9 ^ own;
  for (let round = 1; round <= rounds; round++) {
    if (!meet(all, round)) return round - 1;
    random = next(random);
    pause(random & LONGEST_PAUSE);
    seen[round - 1] = exchangeAndLook(words, own, theirs, round);
  }
  return rounds;
}

let sink = 0;

/** Waits until both sides are in this round; false once the time is over. */
function meet({ words, theirs, ownTurn, theirTurn, deadline }: Play, round: number): boolean {
  sink ^= words[theirs]!; // so that its line is in this processor's cache when the round begins
  Atomics.store(words, ownTurn, round);
  for (let looks = 0; Atomics.load(words, theirTurn) < round; looks++) {
    if (looks < LOOKS) continue;
    looks = 0;
    if (performance.now() > deadline) Atomics.store(words, STOP, 1);
    if (Atomics.load(words, STOP) === 1) return false;
  }
  return true;
}

/** The next number of a random sequence (xorshift). */
function next(random: number): number {
  random ^= random << 13;
  random ^= random >>> 17;
  return random ^ random << 5;
}

function pause(turns: number): void {
  for (let i = 0; i < turns; i++) sink = (sink + i) | 0;
}
