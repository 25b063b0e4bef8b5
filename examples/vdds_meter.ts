/**
 * The measurements of the subscribers, and how they print them.
 *
 * @module
 */

import { clock } from "./terminal.ts";

const PER_DOUBLING = 16; // classes, so that one is 4 % wide
const CLASSES = 512; // from a microsecond to more than an hour

/** Durations, counted in classes by length: any number of them needs the same memory. */
export class Durations {
  readonly #counts = new Uint32Array(CLASSES);
  #total = 0;

  /** Counts one. */
  note(ms: number): void {
    const found = Math.round(PER_DOUBLING * Math.log2(Math.max(1000 * ms, 1)));
    this.#counts[Math.min(found, CLASSES - 1)]!++;
    this.#total++;
  }

  /** The milliseconds that a share of them, such as 0.99, does not exceed; null without any. */
  quantile(part: number): number | null {
    let left = part * this.#total;
    const found = this.#counts.findIndex((count) => count > 0 && (left -= count) <= 0);
    return found < 0 ? null : 2 ** (found / PER_DOUBLING) / 1000;
  }

  /** Forgets all. */
  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}

/** The samples of a subscriber, since it began or since its last report. */
export interface Received {
  /** The number of samples. */
  samples: number;
  /** The number that it lost. */
  lost: number;
  /** The median age when they were taken, in milliseconds; null without any. */
  p50: number | null;
  /** The age that 99 in a hundred did not exceed, in milliseconds; null without any. */
  p99: number | null;
}

/** Measures the samples of a subscriber and their ages. */
export class Meter {
  readonly #ages = { all: new Durations(), recent: new Durations() };
  #samples = 0;
  #lost = 0;
  #told = { samples: 0, lost: 0 };

  /** Counts a sample that was published at that time. */
  note(time: number, lost: number): void {
    const age = clock() - time;
    this.#ages.all.note(age);
    this.#ages.recent.note(age);
    this.#samples++;
    this.#lost += lost;
  }

  /** All samples. */
  all(): Received {
    return {
      samples: this.#samples,
      lost: this.#lost,
      p50: this.#ages.all.quantile(0.5),
      p99: this.#ages.all.quantile(0.99),
    };
  }

  /** The samples since the last call. */
  recent(): Received {
    const { recent } = this.#ages;
    const found = {
      samples: this.#samples - this.#told.samples,
      lost: this.#lost - this.#told.lost,
      p50: recent.quantile(0.5),
      p99: recent.quantile(0.99),
    };
    recent.clear();
    this.#told = { samples: this.#samples, lost: this.#lost };
    return found;
  }
}

/** Calls at intervals until the returned handle is disposed. */
export function every(ms: number, call: () => void): Disposable {
  const timer = setInterval(call, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A signal that is aborted when the process that started this one has ended, even if by a kill. */
export function endOfParent(): AbortSignal {
  const parent = Deno.ppid;
  const gone = new AbortController();
  const look = setInterval(() => {
    if (Deno.ppid === parent) return;
    clearInterval(look);
    gone.abort();
  }, 250);
  Deno.unrefTimer(look);
  return gone.signal;
}

/** A duration for people, such as ` 45 us`; a dash for null. */
export function duration(ms: number | null): string {
  if (ms === null) return "     -";
  const [number, unit] = ms < 1
    ? [(ms * 1000).toFixed(), "us"]
    : [ms.toFixed(ms < 10 ? 1 : 0), "ms"];
  return `${number.padStart(3)} ${unit}`;
}
