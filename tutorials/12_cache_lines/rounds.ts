/**
 * Rounds of work beside another process, for layouts that take turns.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import { type Spread, spreadOf } from "../spread.ts";
import { Act, type Partner, Ring } from "./partner.ts";

/**
 * How often a word is used in a round. A round begins when both processes run, and is short, so that
 * both still run at its end, also where other programs want the processors.
 */
export const TIMES = 5000;
/** The rounds for each layout. */
export const ROUNDS = 100;
/** So long may all rounds take .. */
const LIMIT_NS = 1.5e9;
/** .. and so long where other programs want the processors, and few rounds count. */
const PATIENCE_NS = 4e9;
const FEW = 12;
/** A round is this often the same, at once: the median counts, as another program may come between. */
const BURSTS = 5;
/** Our word, as an index. */
const MINE = 512;

/** A layout: how many bytes the other process's word is from ours. */
export interface Layout {
  readonly name: string;
  readonly apart: number;
}

/** The two processes use words of their own, by one kind of access; in ns for each of ours. */
export function besides(
  partner: Partner,
  act: "add" | "load",
  layouts: readonly Layout[],
): Spread[] {
  const { words } = partner;
  const work = act === "add" ? () => addAll(words) : () => loadAll(words);
  const works = layouts.map(({ name, apart }) => ({
    name,
    round: () => {
      const { ns, others } = partner.during(Act[act], MINE + apart / 4, work);
      return { each: ns / TIMES, counts: others >= TIMES / 2 };
    },
  }));
  return inTurn(works);
}

function addAll(words: Int32Array): void {
  for (let i = 0; i < TIMES; i++) Atomics.add(words, MINE, 1);
}

function loadAll(words: Int32Array): void {
  for (let i = 0; i < TIMES; i++) Atomics.load(words, MINE);
}

/** Sends numbers to the other process, and publishes them in batches; in ns for each number. */
export function sendInBatches(partner: Partner, sizes: readonly number[]): Spread[] {
  const works = sizes.map((size) => ({
    name: `batches of ${size}`,
    round: () => {
      const { ns, others } = partner.during(Act.receive, 0, () => sendAll(partner.words, size));
      return { each: ns / TIMES, counts: others > 10 };
    },
  }));
  return inTurn(works);
}

/** Sends the numbers from the head on, and waits until all were taken. */
function sendAll(words: Int32Array, size: number): void {
  let at = Atomics.load(words, Ring.head);
  let tail = Atomics.load(words, Ring.tail);
  const end = at + TIMES | 0;
  while (at !== end) {
    while (Ring.capacity - (at - tail | 0) < size) tail = Atomics.load(words, Ring.tail);
    for (let i = 0; i < size && at !== end; i++) {
      words[Ring.slots + (at & Ring.capacity - 1)] = at;
      at = at + 1 | 0;
    }
    Atomics.store(words, Ring.head, at);
  }
  while (Atomics.load(words, Ring.tail) !== end);
}

/** A work with a name; a round counts only if the other process ran meanwhile. */
interface Work {
  readonly name: string;
  readonly round: () => { readonly each: number; readonly counts: boolean };
}

/** Lets works take turns; a spread has as many rounds as counted. */
function inTurn(works: readonly Work[]): Spread[] {
  const begin = now();
  const times = works.map(({ round }) => (round(), [] as number[])); // the first round compiles
  const isDone = () => {
    const fewest = Math.min(...times.map(({ length }) => length));
    return fewest === ROUNDS || now() - begin > (fewest < FEW ? PATIENCE_NS : LIMIT_NS);
  };
  while (!isDone()) {
    for (const [i, { round }] of works.entries()) {
      if (times[i]!.length === ROUNDS) continue;
      const bursts = Array.from({ length: BURSTS }, round).filter(({ counts }) => counts);
      if (bursts.length <= BURSTS / 2) continue;
      times[i]!.push(spreadOf("", bursts.map(({ each }) => each)).median);
    }
  }
  return works.map(({ name }, i) => spreadOf(name, times[i]!));
}
