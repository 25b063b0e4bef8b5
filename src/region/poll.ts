/**
 * Polling for changes that come without an event: a name that appears, a lock that vanishes.
 *
 * Opening and joining are steps that never wait. A step returns an `Again` while another process is
 * creating, leaving or removing the same region, and the caller decides how to wait. A synchronous
 * call sleeps (`retrySync`), an asynchronous call leaves the event loop free (`pollUntil`), and a
 * `try` method returns without a result.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { timeoutError } from "../errors.ts";
import { now, sleep, sleepSync } from "../os/clock.ts";

/** The limits of a poll. */
export interface PollOptions {
  /**
   * Milliseconds until the wait gives up and throws a DOMException named TimeoutError; for ever by
   * default.
   */
  timeout?: number | undefined;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/**
 * The longest time in milliseconds for which another process may hold up a step; a running process
 * needs less than one.
 */
export const PATIENCE_MS = 5000;

/** The outcome of a step while another process is in its way. */
export class Again {
  /** Makes the error for a process that holds up the step for too long: it is probably stopped. */
  readonly error: () => Error;

  constructor(error: () => Error) {
    this.error = error;
  }
}

/** Repeats a step until no other process is in the way. Blocks the thread meanwhile. */
export function retrySync<T>(step: () => T | Again): T {
  const patience = new Patience();
  for (;;) {
    const outcome = step();
    if (patience.accepts(outcome)) return outcome;
    if (isAttempt) throw outcome;
    sleepSync(FIRST_PAUSE_MS);
  }
}

let isAttempt = false; // whether retrySync() throws the Again instead of sleeping

/** Runs a blocking open as one step: returns an `Again` where `retrySync` would sleep. */
export function attempt<T>(open: () => T): T | Again {
  isAttempt = true;
  try {
    return open();
  } catch (error) {
    if (error instanceof Again) return error;
    throw error;
  } finally {
    isAttempt = false;
  }
}

/** A search for something that appears without an event. */
export interface Search<T> {
  /** Looks once, without waiting; returns undefined while nothing is found. */
  look(): T | Again | undefined;
  /** The verb and object for the TimeoutError, such as `connect to ring "demo"`. */
  readonly action: string;
  /** Returns the reason for finding nothing, such as `which does not exist`. */
  missing?(): string;
  /** Returns what the last look has seen, such as `it has a writer, which is alive`. */
  state?(): string | undefined;
}

/**
 * Looks again and again, up to 50 ms apart, until something is found; leaves the event loop free.
 */
export async function pollUntil<T>(
  search: Search<T>,
  options: PollOptions,
): Promise<T> {
  checkWaits(options);
  const { timeout = Infinity, signal } = options;
  const deadline = now() + timeout * 1e6;
  const patience = new Patience();
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const found = search.look();
    if (patience.accepts(found) && found !== undefined) return found;
    const leftMs = (deadline - now()) / 1e6;
    if (leftMs <= 0) {
      const { action } = search;
      const why = found instanceof Again
        ? "which another process is opening or removing"
        : search.missing?.();
      const tried = why === undefined ? action : `${action}, ${why}`;
      throw timeoutError(tried, timeout, search.state?.());
    }
    await sleep(Math.min(pauseMs, leftMs), signal);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

/** Measures how long another process has been in the way without a break. */
class Patience {
  #end = Infinity;

  /** Whether a step has an outcome; throws the step's error after too long a run of `Again`. */
  accepts<T>(outcome: T | Again): outcome is T {
    if (!(outcome instanceof Again)) {
      this.#end = Infinity;
      return true;
    }
    const time = now();
    if (this.#end === Infinity) this.#end = time + PATIENCE_MS * 1e6;
    if (time >= this.#end) throw outcome.error();
    return false;
  }
}
