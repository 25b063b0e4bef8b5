/**
 * Waiting for one condition, with how the wait ended as the result.
 *
 * @module
 */

import type { Attempt, Condition, Outcome, Waiter } from "../../src/wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../../src/wait/until.ts";

/** Waits for a condition. Blocks the thread. */
export function waitSync(condition: Condition, options: SyncWaitOptions = {}): Outcome {
  const { attempt, waiter } = outcomeOf(condition);
  try {
    return untilSync(attempt, waiter, options);
  } catch (error) {
    return timeoutOr(error);
  }
}

/** Waits for a condition. Leaves the event loop free. */
export async function wait(condition: Condition, options: WaitOptions = {}): Promise<Outcome> {
  const { attempt, waiter } = outcomeOf(condition);
  try {
    return await until(attempt, waiter, options);
  } catch (error) {
    if (options.signal?.aborted) throw error; // which may be a TimeoutError, too
    return timeoutOr(error);
  }
}

function outcomeOf(condition: Condition): { attempt: Attempt<Outcome>; waiter: Waiter } {
  let outcome: Outcome = "ready";
  return {
    attempt: (ended) => ended && outcome,
    waiter: {
      action: "wait for a condition",
      conditions: () => [condition],
      lost: () => void (outcome = "lost"),
    },
  };
}

function timeoutOr(error: unknown): Outcome {
  if (error instanceof DOMException && error.name === "TimeoutError") return "timeout";
  throw error;
}
