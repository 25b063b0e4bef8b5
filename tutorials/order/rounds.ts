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

/** Plays rounds as one side; returns how many. It ends early after `limitMs`, on both sides. */
export function play(
  side: Side,
  kind: Kind,
  bytes: Uint8Array<ArrayBuffer>,
  { rounds, limitMs }: { rounds: number; limitMs: number },
): number {
  const isOne = side === "one";
  const [own, theirs] = isOne ? [X, Y] : [Y, X];
  const [ownTurn, theirTurn] = isOne ? [TURN_ONE, TURN_OTHER] : [TURN_OTHER, TURN_ONE];
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, HEAD_BYTES / 4);
  const begin = HEAD_BYTES + (isOne ? 0 : rounds);
  const seen = bytes.subarray(begin, begin + rounds);
  const deadline = performance.now() + limitMs;
  const all = { words, seen, rounds, own, theirs, ownTurn, theirTurn, deadline };
  return kind === "store" ? playStores(all) : playExchanges(all);
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
    words[own] = round;
    seen[round - 1] = words[theirs] === round ? 1 : 0;
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
    Atomics.exchange(words, own, round);
    seen[round - 1] = words[theirs] === round ? 1 : 0;
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
