/**
 * How sleepers are judged: nobody sleeps longer than a slice with something to see, or through a
 * ring. The end of a slice would hide the latter, so a waker that is never harmed asks the kernel
 * whether the sleepers that it has rung for are asleep.
 *
 * @module
 */

import { now, sleepSync } from "../../../src/os/clock.ts";
import { SLICE_NS } from "../../../src/wait/sleep.ts";
import { type Cells, raise } from "../ledger.ts";
import { threadStates } from "../life.ts";
import { OwnWaits } from "../processor_time.ts";

/**
 * The limit from the end of a slice until a process runs, besides the time for which the kernel says
 * that the process waited for a processor: the virtual machine may wait for one, too.
 */
const SCHEDULING_NS = 750e6;

/** After so long the steady waker checks whether a watched actor that is behind is asleep. */
const SUSPECT_NS = 100e6;

/** So many looks in a row, 5 ms apart, at which all threads slept, are no accident. */
const LOOKS = 5;

const LATE_NS = 50e6;

/** The counters of sleeps. */
export const SLEEP_CELLS = {
  late: 1, // wake-ups after more than LATE_NS
  longest: 1, // the longest sleep with something to see, in nanoseconds
};

/** The cells by which a steady waker watches sleepers. */
export function watchCells(watched: number) {
  return {
    watched, // the last count that each has seen; 0 at first
    watchedPid: watched,
  };
}

/** A sleeper. */
interface Sleeper {
  readonly cells: Cells<keyof typeof SLEEP_CELLS>;
  readonly continuedAt: number;
  complain(text: string): void;
}

let waits: OwnWaits | undefined;

/** Notes how long an actor slept that was awake, or had nothing to see, until `since`. */
export function noteSleep(sleeper: Sleeper, since: number, until: number): void {
  waits ??= new OwnWaits();
  const { cells, continuedAt } = sleeper;
  const sleptNs = until - Math.max(since, continuedAt);
  if (sleptNs > LATE_NS) cells.late[0]!.add(1);
  raise(cells.longest[0]!, sleptNs);
  if (sleptNs > SLICE_NS + SCHEDULING_NS) {
    const freeNs = sleptNs - waits.since * 1e6;
    if (freeNs > SLICE_NS + SCHEDULING_NS) {
      sleeper.complain(`slept ${(freeNs / 1e6).toFixed(0)} ms with something to see`);
    }
  }
  waits.note();
}

/** The rows of the account about sleeps. */
export const SLEEP_FACTS: Record<string, keyof typeof SLEEP_CELLS> = {
  "wake-ups after 50 ms": "late",
  "longest sleep (ms)": "longest",
};

/** A steady waker. */
interface Waker {
  readonly cells: Cells<keyof ReturnType<typeof watchCells>>;
  readonly over: boolean;
  complain(text: string): void;
}

/** Returns once all watched sleepers show this, or the run is over; reports one that sleeps on. */
export function awaitWatched(waker: Waker, shown: number): void {
  const { watched, watchedPid } = waker.cells;
  const start = now();
  let looks = 0;
  while (!waker.over) {
    const behind = watched.findIndex((cell) => cell.load() !== 0 && cell.load() !== shown);
    if (behind < 0) return;
    const waitedNs = now() - start;
    sleepSync(waitedNs < SUSPECT_NS ? 0.2 : 5);
    if (waitedNs < SUSPECT_NS) continue;
    const states = threadStates(watchedPid[behind]!.load());
    looks = /^S+$/.test(states) ? looks + 1 : 0;
    if (looks < LOOKS || watched[behind]!.load() === shown) continue;
    waker.complain(`rang ${(waitedNs / 1e6).toFixed(0)} ms ago, and watched ${behind} sleeps on`);
    return;
  }
}
