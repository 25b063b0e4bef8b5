/**
 * Fairness of asynchronous operations that need not wait. Awaiting a settled promise lets only
 * other promises run, so a loop over a busy ring would starve timers, signals and sockets. So every
 * 1,024th operation waits for the next turn of the event loop.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { nextTurn, perIsolate } from "../os/clock.ts";

/** 1,024 operations take a quarter to half of a millisecond; a turn takes a hundredth of that. */
const OPERATIONS_EACH = 1024;

const operations = perIsolate(() => ({ count: 0 }));

/**
 * Begins an asynchronous operation: throws if its options are invalid or its signal has aborted.
 * Returns a promise if the event loop must have a turn first; it rejects if the signal aborts by
 * then.
 */
export function yieldOften(
  options: { signal?: AbortSignal | undefined },
): Promise<void> | undefined {
  checkWaits(options);
  options.signal?.throwIfAborted();
  const counter = operations();
  if (++counter.count < OPERATIONS_EACH) return undefined;
  counter.count = 0;
  return nextTurn().then(() => options.signal?.throwIfAborted());
}
