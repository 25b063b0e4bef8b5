/**
 * Calling off what waits for a promise, not for memory: at a deadline, or when a signal aborts.
 *
 * @module
 */

import { timeoutError } from "../errors.ts";
import { now } from "../os/clock.ts";
import type { WaitOptions } from "./until.ts";

/** A timer that is set for longer is over at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds until a deadline. */
export function left(deadline: number): number {
  return deadline === Infinity ? Infinity : Math.max(0, (deadline - now()) / 1e6);
}

/** What is to be called off. */
export interface Doing {
  /** When its time is up, by the clock. */
  readonly deadline: number;
  /** What it is, for the message, such as `call through ring "demo"`. */
  readonly action: string;
  /** Gives it up. */
  giveUp(reason: unknown): void;
}

/** Calls something off at its deadline, or when the signal aborts, until it is disposed. */
export function callOff({ timeout = Infinity, signal }: WaitOptions, doing: Doing): Disposable {
  const stack = new DisposableStack();
  const { deadline } = doing;
  if (deadline < Infinity) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () =>
      timer = setTimeout(look, Math.min(Math.ceil(left(deadline)), LONGEST_TIMER_MS));
    const look = () => {
      if (left(deadline) > 0) arm();
      else doing.giveUp(timeoutError(doing.action, timeout));
    };
    arm();
    stack.defer(() => clearTimeout(timer));
  }
  if (signal !== undefined) {
    const abort = () => doing.giveUp(signal.reason);
    signal.addEventListener("abort", abort);
    stack.defer(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  }
  return stack;
}
