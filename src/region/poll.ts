/**
 * Waiting for what happens without an event: a name that appears, a lock that vanishes.
 *
 * Opening and joining are steps that never wait. Where another process is just creating, leaving or
 * removing the same thing, a step gives an `Again`. The caller decides how to wait for that: a
 * synchronous call sleeps (`retrySync`), an asynchronous one leaves the event loop free
 * (`lookUntil`), and a `try` method takes it as "not there".
 *
 * @module
 */

import { timeoutError } from "../errors.ts";
import { now, sleep, sleepSync } from "../os/clock.ts";

/** How long to look, and who may call it off. */
export interface LookOptions {
  /** Milliseconds until the wait gives up with a TimeoutError; for ever by default. */
  timeout?: number;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** How long another process may be in the way; one that runs needs less than a millisecond. */
export const PATIENCE_MS = 5000;

/** The outcome of a step that another process is in the way of, for a moment. */
export class Again {
  /** The error for a process that stays in the way: it is probably stopped. */
  readonly error: () => Error;

  constructor(error: () => Error) {
    this.error = error;
  }
}

/** The outcome, or undefined where another process is in the way: what a `try` method returns. */
export function unlessAgain<T>(outcome: T | Again): T | undefined {
  return outcome instanceof Again ? undefined : outcome;
}

/** Repeats a step until no other process is in the way. Blocks the thread meanwhile. */
export function retrySync<T>(step: () => T | Again): T {
  const patience = new Patience();
  for (;;) {
    const outcome = step();
    if (patience.accepts(outcome)) return outcome;
    sleepSync(FIRST_PAUSE_MS);
  }
}

/** A search for something that appears without an event. */
export interface Looking<T> {
  /** Looks once. Never waits; undefined while nothing is there. */
  look(): T | Again | undefined;
  /** The verb and object for the TimeoutError, such as `connect to ring "demo"`. */
  readonly action: string;
  /** Why it is not found, such as `which is not there`. */
  readonly missing?: string;
}

/** Looks again and again, up to 50 ms apart, until there is something; leaves the event loop free. */
export async function lookUntil<T>(
  { look, action, missing }: Looking<T>,
  { timeout = Infinity, signal }: LookOptions,
): Promise<T> {
  if (!(timeout >= 0)) {
    throw new RangeError(`Cannot wait ${timeout} ms: a timeout is 0 or more milliseconds`);
  }
  const deadline = now() + timeout * 1e6;
  const patience = new Patience();
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const found = look();
    if (patience.accepts(found) && found !== undefined) return found;
    const leftMs = (deadline - now()) / 1e6;
    if (leftMs <= 0) {
      const why = found instanceof Again ? "which another process is opening or removing" : missing;
      throw timeoutError(why === undefined ? action : `${action}, ${why}`, timeout);
    }
    await sleep(Math.min(pauseMs, leftMs), signal);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

/** Counts how long another process has been in the way without a break. */
class Patience {
  #end = Infinity;

  /** Whether a step has an outcome; throws the step's error once its `Again` has lasted too long. */
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
