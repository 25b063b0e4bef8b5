/**
 * One asynchronous sleep: what it waits for, and how it ends.
 *
 * @module
 */

import type { Word32 } from "../memory/word.ts";
import { closedWhileWaiting, type Raised } from "./doorbell.ts";

/** The longest sleep, in nanoseconds, without a check of its conditions. */
export const SLICE_NS = 250e6;

/** A sleep until one of several bells is rung. */
export interface Sleep {
  readonly bells: readonly Raised[];
  /**
   * Words in the same memory, with their values before the bells were raised. Undefined unless
   * `look` depends on these words alone.
   */
  readonly watched?: readonly Watched[] | undefined;
  readonly deadline: number;
  /** The longest sleep before the next look, read again for each sleep. */
  readonly sliceNs?: number | undefined;
  /** Looks at the end of a slice; true ends the sleep. */
  look(): boolean;
}

/** A word, and the value that it had. */
export interface Watched {
  readonly word: Word32;
  readonly value: number;
}

/** One sleeper. */
export interface Sleeper {
  readonly sleep: Sleep;
  sliceEnd: number; // when it looks again, even if others wake up earlier; Infinity after it has
  cancelled: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** Whether one of the bells or words of a sleep has changed. */
export function hasNews({ bells, watched = [] }: Sleep): boolean {
  for (const { bell, value } of bells) if (bell.word.load() !== value) return true;
  for (const { word, value } of watched) if (word.load() !== value) return true;
  return false;
}

/**
 * Whether a sleep must end at this time: it was cancelled or is past its deadline, or has news: a
 * changed bell or word, or a look at the end of its slice that returns true. Throws the error of
 * the look, a ClosedError if the memory of a bell was closed, and a CorruptRegionError if it was
 * taken away.
 */
export function mustEnd(sleeper: Sleeper, time: number): boolean {
  const { sleep, cancelled } = sleeper;
  for (const { bell } of sleep.bells) if (bell.mapping.closed) throw closedWhileWaiting(bell);
  const ends = hasNews(sleep) || cancelled || time >= sleep.deadline;
  for (const { bell } of sleep.bells) bell.mapping.checkWhole();
  if (ends) return true;
  if (time < sleeper.sliceEnd) return false;
  sleeper.sliceEnd = Infinity;
  return sleep.look();
}

/** The end of the slice that a time is in, on the grid that all isolates share. */
export function sliceEndAt(time: number, sliceNs: number, slices = 1): number {
  return (Math.floor(time / sliceNs) + slices) * sliceNs;
}
