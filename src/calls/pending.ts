/**
 * The unanswered calls of one lane.
 *
 * A call ends at a position: the number of request bytes that the client has ever sent through the
 * lane, including its own. So a server has taken exactly the calls that end at or before the tail
 * of the lane.
 *
 * @module
 */

import { MOST_CALLS } from "./calls.ts";

/** A call, from its request to its result. It moves to another lane when its server is gone. */
export class Call {
  /** Its number in the present lane; none repeats within a generation of the client. */
  number = 0;
  /** Where it ends among all bytes that were ever sent through that lane. */
  end = 0;
  /** The calls of that lane; undefined while it is in none. */
  lane: PendingCalls | undefined;
  /** Whether its caller has given it up. */
  isGivenUp = false;
  /** Whether a server that is gone may have handled it. */
  isRetried = false;
  /** The bytes of its message in a lane. */
  bytes = 0;
  /** Its request, if the client keeps it to send it again. */
  body: Uint8Array | undefined;
  /** The array that the answer is copied into, instead of being decoded. */
  target: Uint8Array<ArrayBuffer> | undefined;
  /** Whether it has its result. */
  isSettled = false;
  /** Whether the result is an error. */
  hasFailed = false;
  /** The decoded answer, the length of the copied answer, or an error. */
  result: unknown;
  /** The promise of the result; undefined if the thread waits for that. */
  readonly promised: PromiseWithResolvers<unknown> | undefined;
  #limits: Disposable | undefined;
  readonly #onSettled: ((call: Call) => void) | undefined;

  /** `onSettled` is called once it has its result. */
  constructor(onSettled?: (call: Call) => void) {
    this.#onSettled = onSettled;
    this.promised = onSettled && Promise.withResolvers<unknown>();
  }

  /** Makes it a new call. It must be in no lane. */
  begin(target: Uint8Array<ArrayBuffer> | undefined): void {
    this.target = target;
    this.isRetried = this.isSettled = this.hasFailed = false;
    this.result = this.body = undefined;
  }

  /** Ends it with an answer. */
  resolve(result: unknown): void {
    this.#settle(result, false);
  }

  /** Ends it with an error. */
  reject(error: unknown): void {
    this.#settle(error, true);
  }

  #settle(result: unknown, hasFailed: boolean): void {
    if (this.isSettled) return;
    this.result = result;
    this.hasFailed = hasFailed;
    this.isSettled = true;
    this.#limits?.[Symbol.dispose]();
    this.#onSettled?.(this);
  }

  /** Whether it has limits. */
  get isLimited(): boolean {
    return this.#limits !== undefined;
  }

  /** Disposes its limits, such as a timer, once it is settled. */
  endBy(limits: Disposable): void {
    this.#limits = limits;
    if (this.isSettled) limits[Symbol.dispose](); // the signal had aborted
  }

  /** Settles its promise with its result. */
  settlePromise(): void {
    if (this.hasFailed) this.promised!.reject(this.result);
    else this.promised!.resolve(this.result);
  }
}

/** The calls of one lane that have no answer yet. */
export class PendingCalls {
  readonly #slots = new Array<Call | undefined>(MOST_CALLS).fill(undefined); // by number, modulo that
  #size = 0;
  #waiting = 0;
  #lastNumber = 0;
  #sentBytes = 0;

  /** The number of calls whose callers still wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The number of unanswered calls, including those that were given up. */
  get size(): number {
    return this.#size;
  }

  /** The number of request bytes that were ever sent through this lane. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Adds a call with a new number whose slot is free. The caller ensures that one is free. */
  add(call: Call): void {
    const slots = this.#slots;
    do this.#lastNumber++; while (slots[this.#lastNumber % MOST_CALLS] !== undefined);
    slots[this.#lastNumber % MOST_CALLS] = call;
    call.number = this.#lastNumber;
    call.end = this.#sentBytes += call.bytes;
    call.lane = this;
    this.#size++;
    this.#waiting++;
  }

  /** Removes the call with this number; returns it unless it is unknown or was given up. */
  take(number: number): Call | undefined {
    const slot = number % MOST_CALLS;
    const call = this.#slots[slot];
    if (call?.number !== number) return undefined;
    this.#slots[slot] = undefined;
    this.#size--;
    if (call.isGivenUp) return undefined;
    call.lane = undefined;
    this.#waiting--;
    return call;
  }

  /** Gives up a call. Its number stays in use until a server has finished with it. */
  giveUp(call: Call): void {
    call.isGivenUp = true;
    this.#waiting--;
  }

  /** Whether a call that is waited for ends at a position, or before it. */
  hasUpTo(position: number): boolean {
    return this.#waiting > 0 &&
      this.#slots.some((call) => call !== undefined && !call.isGivenUp && call.end <= position);
  }

  /** Returns the calls whose callers still wait, the oldest first. */
  list(): Call[] {
    return this.#upTo(Infinity).filter((call) => !call.isGivenUp);
  }

  /**
   * Removes every call that ends at a position, or before it; all of them by default. Returns those
   * that are waited for, the oldest first.
   */
  takeUpTo(position: number = Infinity): Call[] {
    return this.#upTo(position).filter((call) => this.take(call.number) !== undefined);
  }

  #upTo(position: number): Call[] {
    if (this.#size === 0) return [];
    return this.#slots.filter((call) => call !== undefined)
      .filter((call) => call.end <= position)
      .sort((one, other) => one.end - other.end);
  }
}
