/**
 * Fairness of asynchronous operations that need not wait: a promise that is settled already lets
 * only other promises run, so a loop over a busy ring would keep timers, signals and sockets out.
 * Every so often such an operation waits for the next turn of the event loop.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { nextTurn, perIsolate } from "../os/clock.ts";

/** So many operations take a quarter to a half of a millisecond; a turn takes a hundredth of that. */
const OPERATIONS_EACH = 1024;

const operations = perIsolate(() => ({ count: 0 }));

/**
 * Begins an asynchronous operation: throws if its options are invalid or its signal has aborted. Gives
 * a promise if the event loop must have its turn first; that rejects if the signal aborts meanwhile.
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
