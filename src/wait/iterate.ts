/**
 * Asynchronous loops over messages: `for await (const value of consumer)`.
 *
 * A generator would suspend twice for each value. This iterator first tries to take a value without
 * suspending, and waits only when there is none. It ends as a generator does:
 *
 * - It is done after its end, an error, `return()` or `throw()`.
 * - Overlapping calls of `next()` resolve one after the other.
 * - `return()` also ends a wait for the next value, which a generator cannot do. A value that
 *   arrives later stays for the next reader: an attempt takes one only to return it from `next()`.
 *
 * @module
 */

import { checkObject } from "../arguments.ts";
import type { Attempt, Waiter } from "./condition.ts";
import { begin, type LoopOptions, until, type WaitOptions } from "./until.ts";
import { ClosedError } from "../errors.ts";

/** A step of a loop. */
export type Step<T> = IteratorResult<T, void>;

/** The last step of a loop. */
export const DONE: IteratorReturnResult<void> = { done: true, value: undefined };

/** The reason that ends a wait when a loop is left. */
const LEFT = Symbol("vring.left");

/** The series of values that a loop takes, and how it waits for them. */
export interface Series<T> {
  /** Takes the next value; returns a done step after the last one, undefined if it must wait. */
  readonly attempt: Attempt<Step<T>>;
  readonly waiter: Waiter;
  /** Releases the value of the last step: at the next step, or when the loop is left. */
  release?(isLeft: boolean): void;
}

/**
 * Loops over a series. The loop ends without an error when `until` aborts or the handle is closed.
 * A value that has arrived by then stays for the next reader.
 */
export function iterate<T>(
  series: Series<T>,
  options: LoopOptions = {},
): AsyncGenerator<T, void, void> {
  checkObject(options, series.waiter.action);
  return new Loop(series, options);
}

class Loop<T> implements AsyncGenerator<T, void, void> {
  readonly #series: Series<T>;
  readonly #until: AbortSignal | undefined;
  readonly #options: WaitOptions;
  #waits: { readonly leave: AbortController; readonly options: WaitOptions } | undefined;
  #pending: Promise<unknown> | undefined; // the last next() that is not answered
  #done = false;

  constructor(series: Series<T>, { until, ...options }: LoopOptions) {
    this.#series = series;
    this.#until = until;
    this.#options = options;
  }

  next(): Promise<Step<T>> {
    const before = this.#pending;
    if (before !== undefined) return this.#hold(before.then(() => this.#step()));
    const step = this.#step();
    return step instanceof Promise ? this.#hold(step) : Promise.resolve(step);
  }

  async return(): Promise<IteratorReturnResult<void>> {
    this.#leave();
    await this.#pending;
    return DONE;
  }

  throw(error: unknown): Promise<never> {
    this.#leave();
    return Promise.reject(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #leave(): void {
    if (!this.#done) this.#release(true);
    this.#done = true;
    this.#waits?.leave.abort(LEFT);
  }

  /** Records an unfinished step, so that the next step waits for it. */
  #hold(step: Promise<Step<T>>): Promise<Step<T>> {
    const free = () => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    const pending = this.#pending = step.then(free, free);
    return step;
  }

  /** The next step: at once if it is there. */
  #step(): Step<T> | Promise<Step<T>> {
    if (this.#done) return DONE;
    try {
      this.#release(false);
      if (this.#until?.aborted) return this.#end();
      const turn = begin(this.#series.waiter, this.#options);
      const step = turn === undefined ? this.#series.attempt() : undefined;
      if (step === undefined) return this.#wait(turn);
      if (step.done) this.#done = true;
      return step;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #wait(turn: Promise<void> | undefined): Promise<Step<T>> {
    try {
      if (turn !== undefined) await turn;
      const { attempt, waiter } = this.#series;
      const step = await until(
        (ended) => this.#done ? DONE : attempt(ended),
        waiter,
        this.#waitOptions(),
      );
      if (step.done) this.#done = true;
      return step;
    } catch (error) {
      return await this.#fail(error);
    }
  }

  /** Whether an error only means that `until` has aborted or the handle was closed. */
  #isEnd(error: unknown): boolean {
    const until = this.#until;
    if (until?.aborted && !this.#options.signal?.aborted && error === until.reason) return true;
    return error instanceof ClosedError && this.#isClosed();
  }

  #isClosed(): boolean {
    try {
      this.#series.waiter.checkOpen?.();
      return false;
    } catch (error) {
      return error instanceof ClosedError;
    }
  }

  #end(): Step<T> {
    this.#done = true;
    return DONE;
  }

  #release(isLeft: boolean): void {
    this.#series.release?.(isLeft);
  }

  /** The options of waits, with a signal that leaving the loop aborts. */
  #waitOptions(): WaitOptions {
    if (this.#waits === undefined) {
      const leave = new AbortController();
      const all = [this.#options.signal, this.#until, leave.signal].filter((given) =>
        given !== undefined
      );
      this.#waits = { leave, options: { ...this.#options, signal: AbortSignal.any(all) } };
    }
    return this.#waits.options;
  }

  #fail(error: unknown): Step<T> | Promise<Step<T>> {
    const isLeft = this.#done;
    this.#done = true;
    if (isLeft && error === LEFT || this.#isEnd(error)) return DONE;
    return Promise.reject(error);
  }
}
