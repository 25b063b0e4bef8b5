/**
 * Cancels an operation that waits for a promise instead of memory, at a deadline or by a signal.
 *
 * @module
 */

import { timeoutError } from "../errors.ts";
import { now } from "../os/clock.ts";
import type { WaitOptions } from "./until.ts";

/** The longest delay of a timer: a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds until a deadline. */
function left(deadline: number): number {
  return deadline === Infinity ? Infinity : Math.max(0, (deadline - now()) / 1e6);
}

/** An operation that can be cancelled. */
export interface Cancellable {
  /** The deadline in nanoseconds of `now()`. */
  readonly deadline: number;
  /** Verb and object for the TimeoutError, such as `get an answer from calls "demo"`. */
  readonly action: string;
  /** Returns what the operation sees when its time is up, such as `it has no server`. */
  state?(): string | undefined;
  /** Ends the operation with an error. */
  cancel(reason: unknown): void;
}

/** Cancels an operation at its deadline or when the signal aborts, unless disposed before. */
export function cancelLate(
  { timeout = Infinity, signal }: WaitOptions,
  operation: Cancellable,
): Disposable {
  const stack = new DisposableStack();
  const { deadline } = operation;
  if (deadline < Infinity) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () =>
      timer = setTimeout(look, Math.min(Math.ceil(left(deadline)), LONGEST_TIMER_MS));
    const look = () => {
      if (left(deadline) > 0) arm();
      else operation.cancel(timeoutError(operation.action, timeout, operation.state?.()));
    };
    arm();
    stack.defer(() => clearTimeout(timer));
  }
  if (signal !== undefined) {
    const abort = () => operation.cancel(signal.reason);
    signal.addEventListener("abort", abort);
    stack.defer(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  }
  return stack;
}
