/**
 * Listeners that all sleep on one word, each in a thread of its own, and which of them the kernel lists as
 * asleep.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { native } from "../../src/native/load.ts";
import { SONAME } from "../../src/native/prebuilt.ts";
import { list, readAll } from "../../src/os/files.ts";
import { hasWaitv, MATCH_ANY, wake } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";

const EVERYONE = 2 ** 31 - 1;

/** Loads the call once more, as one that sleeps on a thread of Deno's pool. */
function load() {
  native(); // so that the library can be found by its name
  return Deno.dlopen(SONAME, {
    vring_futex_wait: {
      parameters: ["f64", "u32", "f64", "u32"],
      result: "i32",
      nonblocking: true,
    },
  }).symbols;
}

let threads: ReturnType<typeof load> | undefined;

/** Sleeps on a thread while the word has this value, until a waker shares a bit with it. */
export function sleepOn(word: Word32, value: number, bits: number): Promise<number> {
  threads ??= load();
  return threads.vring_futex_wait(word.address, value, Infinity, bits);
}

/** A thread that sleeps on a word. */
export interface Asleep {
  readonly thread: number;
  /** The value that it has seen. */
  readonly value: number;
  readonly bits: number;
}

/** The threads that sleep on a word. */
export function sleepersOn(word: Word32): Asleep[] {
  return callsOfThreads().flatMap(([thread, _call, address, _operation, value, , , bits]) => {
    if (address !== word.address) return [];
    return [{ thread: thread!, value: value! % 2 ** 32, bits: bits! % 2 ** 32 }];
  });
}

const FUTEX_WAITV = 449; // on every processor

/** Whether a thread sleeps on many words, if this kernel can do that. */
export function asleepOnMany(): boolean {
  return !hasWaitv() || callsOfThreads().some(([, call]) => call === FUTEX_WAITV);
}

/** The threads that are in a system call, with its number and its arguments. */
function callsOfThreads(): number[][] {
  const threads = list("/proc/self/task");
  if (typeof threads === "number") throw new Error("Cannot see threads: /proc does not tell");
  return threads.sort().flatMap((thread) => {
    const bytes = readAll(`/proc/self/task/${thread}/syscall`);
    if (typeof bytes === "number") return []; // it has just ended
    return [[thread, ...new TextDecoder().decode(bytes).split(" ")].map(Number)];
  });
}

/** Waits until it is so, for 20 s at most. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let ms = 0; !isSo(); ms++) {
    if (ms > 20_000) throw new Error("Cannot continue: the awaited state does not appear");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A listener that waits for news in one slot. */
export interface Waiter {
  readonly slot: number;
  /** The bits that wake it. */
  readonly bits: number;
  /** How often the kernel has woken it. */
  wakes: number;
  /** How often it found news. */
  news: number;
}

/** What a listener has: a word that changes with every event, and the count of its own slot. */
export interface Place {
  readonly events: Word32;
  readonly count: Word32;
  /** Sleeps while the word of events has this value. */
  readonly sleep: (value: number) => Promise<number>;
  readonly isOver: () => boolean;
}

/** Waits for news in one slot, until it is over. */
export async function listen(
  { events, count, sleep, isOver }: Place,
  waiter: Waiter,
): Promise<void> {
  while (!isOver()) {
    const value = events.load();
    const news = count.load() - waiter.news;
    waiter.news += news;
    if (news > 0) continue;
    await sleep(value);
    waiter.wakes++;
  }
}

const SLOTS = 40;

/** A word that changes with every event, a count for each slot, and the listeners. */
export class Herd {
  /** How many events there were, in all slots. */
  readonly events: Word32;
  readonly waiters: readonly Waiter[];
  /** How many events there were in each slot. */
  readonly #counts: readonly Word32[];
  readonly #ends: readonly Promise<void>[];
  readonly #memory = Mapping.anonymous(pageSize(), "events and counts");
  #over = false;

  /** Starts a listener for each of these slots. */
  constructor(slots: readonly number[], bitsOf: (slot: number) => number = () => MATCH_ANY) {
    const word = (i: number) => new Word32(this.#memory, { path: `word ${i}`, offset: 64 * i });
    this.events = word(0);
    this.#counts = Array.from({ length: SLOTS }, (_, slot) => word(slot));
    this.waiters = slots.map((slot) => ({ slot, bits: bitsOf(slot), wakes: 0, news: 0 }));
    this.#ends = this.waiters.map((waiter) => listen(this.#placeOf(waiter), waiter));
  }

  #placeOf({ slot, bits }: Waiter): Place {
    const { events } = this;
    const sleep = (value: number) => sleepOn(events, value, bits);
    return { events, count: this.#counts[slot]!, sleep, isOver: () => this.#over };
  }

  /** Writes events into one slot, each when all sleep again; returns the number of wake-ups. */
  async write(slot: number, events: number, bits: number = MATCH_ANY): Promise<number> {
    let woken = 0;
    for (let i = 0; i < events; i++) {
      await this.allAsleep();
      this.#counts[slot]!.add(1);
      this.events.add(1);
      woken += wake(this.events.address, EVERYONE, bits);
    }
    await this.allAsleep();
    return woken;
  }

  /** Waits until all listeners sleep. */
  async allAsleep(): Promise<void> {
    await until(() => sleepersOn(this.events).length === this.waiters.length);
  }

  /** Wakes all listeners for the last time, and waits until they have ended. */
  async dismiss(): Promise<void> {
    this.#over = true;
    this.events.add(1);
    wake(this.events.address, EVERYONE);
    await Promise.all(this.#ends);
    this.#memory.close();
  }
}
