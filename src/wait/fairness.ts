/**
 * Fairness of asynchronous operations that need not wait: a promise that is settled already lets
 * only other promises go on, so a loop over a busy ring would keep timers, signals and sockets out.
 * Every so often such an operation waits for the next turn of the event loop.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { nextTurn, perIsolate } from "../os/clock.ts";

/** So many operations take about half a millisecond; a turn costs about as much. */
const OPERATIONS_EACH = 1024;

class Turns {
  #operations = 0;

  /** Counts an operation; a promise if it must let the event loop have its turn first. */
  count(): Promise<void> | undefined {
    if (++this.#operations < OPERATIONS_EACH) return undefined;
    this.#operations = 0;
    return nextTurn();
  }
}

const turns = perIsolate(() => new Turns());

/**
 * Begins an asynchronous operation: throws if its options cannot be any or its signal has aborted,
 * and gives a promise if the event loop must have its turn first.
 */
export function begin(options: { signal?: AbortSignal }): Promise<void> | undefined {
  checkWaits(options);
  options.signal?.throwIfAborted();
  return turns().count();
}
