/**
 * A second process that works on words of shared memory while this one is measured.
 *
 * @module
 */

import { sharedMemory } from "../../mod.ts";
import { now, sleepSync } from "../../src/os/clock.ts";

const SIZE = 4096;

/** What the other process does with its word, for as long as a round takes. */
export const Act = { add: 1, load: 2, receive: 3 } as const;

/** The words of the agreement, as indexes; each on a line of its own. */
const [COMMAND, STATE, WORD, DONE] = [0, 16, 32, 48];
const READY = 1;

/** The words of a ring of numbers, for the measurement of batches. */
export const Ring = { head: 64, tail: 80, slots: 256, capacity: 512 } as const;

/** How often to look for the next round before sleeping. */
const IDLE_LOOKS = 1_000_000;

/** How long to wait for the other process. */
const PATIENCE_NS = 3e9;

/** The shared memory of a telling, as words of 4 bytes. */
export function wordsOf(name: string): Int32Array<ArrayBuffer> {
  const { bytes } = sharedMemory(name, { size: SIZE }).open();
  return new Int32Array(bytes.buffer, bytes.byteOffset, SIZE / 4);
}

/** Plays the other process: obeys the words of the agreement for ever. */
export function playPartner(name: string): void {
  const words = wordsOf(name);
  Atomics.store(words, STATE, READY);
  for (let idle = 0;;) {
    const act = Atomics.load(words, COMMAND);
    if (act === 0) {
      if (idle++ > IDLE_LOOKS) sleepSync(1); // the reader reads
      continue;
    }
    idle = 0;
    const word = Atomics.load(words, WORD);
    Atomics.store(words, STATE, READY + act);
    const done = work(words, act, word);
    Atomics.store(words, DONE, done);
    Atomics.store(words, STATE, READY);
  }
}

/** Acts until the command is taken back; returns how often. */
function work(words: Int32Array, act: number, word: number): number {
  let done = 0;
  while (Atomics.load(words, COMMAND) === act) {
    if (act === Act.receive) done += receive(words);
    else {
      for (let i = 0; i < 200; i++) {
        if (act === Act.add) Atomics.add(words, word, 1);
        else Atomics.load(words, word);
      }
      done += 200;
    }
  }
  return done;
}

/** Takes all numbers that were published, and gives their places back. */
function receive(words: Int32Array): number {
  const [head, tail] = [Atomics.load(words, Ring.head), Atomics.load(words, Ring.tail)];
  if (head === tail) return 0;
  for (let at = tail; at !== head; at = at + 1 | 0) {
    const number = words[Ring.slots + (at & Ring.capacity - 1)]!;
    if (number !== at) throw new Error(`Number ${at} should be there, and is ${number}`);
  }
  Atomics.store(words, Ring.tail, head);
  return 1;
}

/** A round: what it took, and how often the other process acted meanwhile. */
export interface Round {
  readonly ns: number;
  readonly others: number;
}

/** The other process, as this one sees it. */
export class Partner {
  readonly words: Int32Array<ArrayBuffer>;

  /** Joins the memory that the other process has, or will have. */
  constructor(name: string) {
    this.words = wordsOf(name);
  }

  /** Whether it waits for a command. */
  get isReady(): boolean {
    return Atomics.load(this.words, STATE) === READY;
  }

  /** Times some work of this process while the other one acts on a word. */
  during(act: number, word: number, work: () => void): Round {
    this.#await(READY);
    Atomics.store(this.words, WORD, word);
    Atomics.store(this.words, COMMAND, act);
    this.#await(READY + act);
    const begin = now();
    work();
    const ns = now() - begin;
    Atomics.store(this.words, COMMAND, 0);
    this.#await(READY);
    return { ns, others: Atomics.load(this.words, DONE) };
  }

  #await(state: number): void {
    const end = now() + PATIENCE_NS;
    while (Atomics.load(this.words, STATE) !== state) {
      if (now() > end) throw new Error("The other process does not answer; run this step again");
    }
  }
}
