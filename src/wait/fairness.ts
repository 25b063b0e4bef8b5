/**
 * Fairness of asynchronous operations that need not wait. Awaiting a settled promise lets only
 * other promises run, so a loop over a busy ring would starve timers, signals and sockets. So every
 * 1,024th operation waits for the next turn of the event loop; so does every 16th if these 16 took a
 * millisecond, as the caller may take long with each message. An operation that sleeps begins the
 * count again.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { nextTurn, now, perIsolate } from "../os/clock.ts";

/** 1,024 operations take a quarter to half of a millisecond; a turn takes a hundredth of that. */
const OPERATIONS_EACH = 1024;

/** Reading the clock takes 46 ns, too long for each operation. */
const OPERATIONS_TIMED = 16;

/** The time after which a turn is due. */
const TURN_NS = 1e6;

const operations = perIsolate(() => ({ count: 0, timed: 0, turnNs: TURN_NS }));

/** Makes this isolate give turns only after 1,024 operations, or undoes that; for tests. */
export function ignoreTime(ignore: boolean): void {
  operations().turnNs = ignore ? Infinity : TURN_NS;
}

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
  if (++counter.count % OPERATIONS_TIMED !== 0) return undefined;
  const { timed } = counter;
  counter.timed = now();
  const isLate = timed > 0 && counter.timed - timed >= counter.turnNs;
  if (counter.count < OPERATIONS_EACH && !isLate) return undefined;
  hadTurn();
  return nextTurn().then(() => options.signal?.throwIfAborted());
}

/** Notes that the event loop has had a turn. */
export function hadTurn(): void {
  const counter = operations();
  counter.count = 0;
  counter.timed = 0;
}
