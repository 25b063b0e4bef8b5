/**
 * Conditions in shared memory that a thread can wait for.
 *
 * @module
 */

import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "./doorbell.ts";

/** How a wait ends. */
export type Outcome =
  /** The condition may be true now. */
  | "ready"
  /** The condition is false, and no living party can make it true. */
  | "lost"
  /** The time is up. */
  | "timeout";

/** A condition in shared memory. */
export interface Condition {
  /** Rung after every change that may make the condition true. */
  readonly bell: Doorbell;
  /** A word that changes when the condition may have become true: spinning watches it. */
  readonly watch: Word32;
  /** Whether only a change of `watch` can make the condition true. */
  readonly watchTellsAll?: boolean | undefined;
  /** Whether its handle always has this condition alone: a wait for many can keep it (ready_set.ts). */
  readonly isSteady?: boolean | undefined;
  /** The longest time in nanoseconds to spin on `watch` alone, if other words tell as much. */
  readonly glanceNs?: number | undefined;
  /**
   * The longest sleep in nanoseconds before the next check if the bell does not ring; a slice by
   * default. It may grow during a wait.
   */
  readonly sliceNs?: number | undefined;
  /** Whether the condition is true. Costs a few loads, and no system call. */
  ready(): boolean;
  /**
   * Makes the checks that cost a system call, such as whether a peer is alive, before each sleep
   * and after each slice. Returns undefined if the wait must sleep. It may keep its result, such as
   * the lock of a dead owner, for the next attempt.
   */
  beforeSleep?(): Exclude<Outcome, "timeout"> | undefined;
  /**
   * When `beforeSleep` last returned undefined, by `clock.now()`; -Infinity at first. Given only if
   * `beforeSleep` does no more than find dead parties: a wait for several conditions then asks each
   * only once in a while.
   */
  restsFrom?: number;
}

/** A handle as its waits need it. Each handle makes one. */
export interface Waiter {
  /** Verb and object for the TimeoutError, such as `receive from ring "demo"`. */
  readonly action: string;
  /** The deadline of the wait, if an earlier part of the same call has set one. */
  readonly deadline?: number | undefined;
  /**
   * The conditions, any of which ends the wait. Asked each time that an attempt has failed, in the
   * same turn of the event loop.
   */
  conditions(): readonly Condition[];
  /**
   * Returns a signal that aborts when `conditions()` returns other conditions; it ends the sleep.
   */
  changed?(): AbortSignal;
  /** Whether a handler of this handle is running; then an attempt waits until it has returned. */
  busy?(): boolean;
  /** Throws a ClosedError once the handle is closed. */
  checkOpen?(): void;
  /** Returns what the waiter sees when its time is up, such as `it has no publisher`. */
  state?(): string | undefined;
  /** Throws the error for a wait that is lost, unless the next attempt reports it. */
  lost?(condition: Condition): void;
}

/**
 * Tries to complete a call; returns undefined if the call must wait. `ended` is the condition that
 * ended the last wait; undefined at first.
 */
export type Attempt<T> = (ended?: Condition) => T | undefined;
