/**
 * The receiving ends of rings, topics and circular buffers: they wait for messages, and deliver them
 * one by one, in loops and in streams.
 *
 * @module
 */

import { checkedOptions, checkHandler, checkLimit, checkWaits } from "./arguments.ts";
import { counted, LostError } from "./errors.ts";
import type { Message, Type, Value } from "./message.ts";
import { waitForPeers } from "./region/peers.ts";
import { CONDITIONS, type Waitable } from "./wait/any.ts";
import type { Condition, Waiter } from "./wait/condition.ts";
import { DONE, iterate, type Step } from "./wait/iterate.ts";
import {
  begin,
  type LoopOptions,
  type SyncWaitOptions,
  until,
  untilLater,
  untilSync,
  type WaitOptions,
} from "./wait/until.ts";

/** The treatment of lost messages. */
export interface LossOptions {
  /** Whether lost messages throw a LostError, the default, or are skipped. */
  onLoss?: "throw" | "skip" | undefined;
}

/** The options of a loop over values. */
export interface ValuesOptions extends LoopOptions, LossOptions {}

/** The options of a stream of values. */
export interface ValueStreamOptions extends WaitOptions, LossOptions {}

/** Makes the error for values of which some were lost. */
export function lossOf(lost: number, what: string): LostError {
  return new LostError(
    `Cannot receive every value of ${what}: this receiver lost ${counted(lost, "message")}; ` +
      'iterate again to continue after the loss, or pass onLoss: "skip"',
  );
}

/** The parts of a receiver. */
export interface ReceiverFacts {
  readonly name: string;
  /** The product and the name in messages, such as `ring "demo"`. */
  readonly what: string;
  /** The word for a party at the other end. */
  readonly peerName: string;
  readonly waiter: Waiter;
}

/** An attempt: null once nothing more will come, undefined while nothing is there. */
type Receiving<T> = () => T | null | undefined;

/**
 * A handle that receives messages `M`. `Over` is the result of a wait once nothing more will come;
 * of an observer, for which that never happens, `never`.
 */
export abstract class Receiver<K extends Type, M extends Message<K>, Over = undefined>
  implements Disposable, Waitable {
  /** The name. */
  readonly name: string;
  readonly #what: string;
  readonly #peerName: string;
  readonly #waiter: Waiter;
  // Made once: a closure in a method costs each call of it, whether it waits or not.
  readonly #receiving = () => this.tryReceive() ?? this.atEnd();

  /** @ignore */
  constructor({ name, what, peerName, waiter }: ReceiverFacts) {
    this.name = name;
    this.#what = what;
    this.#peerName = peerName;
    this.#waiter = waiter;
  }

  /** The number of living parties at the other end. */
  abstract get peers(): number;
  /** Whether nothing more will come, and everything was received. */
  abstract get ended(): boolean;
  /** Whether this handle is closed. */
  abstract get closed(): boolean;
  /** Closes this handle. */
  abstract close(): void;
  /**
   * Receives a copy of the next message; returns undefined when none is there. Never waits. If the
   * type cannot decode the message, throws that error; the message is gone.
   */
  abstract tryReceive(): M | undefined;
  /** @ignore */
  abstract [CONDITIONS](): readonly Condition[];

  /** Receives as `tryReceive` does; after a loss throws a LostError, once, and receives nothing.
   * @ignore */
  protected receiveWhole(): M | undefined {
    return this.tryReceive();
  }

  /** Resolves once the other end has at least `count` living parties. */
  waitForPeers(count: number, options: WaitOptions = {}): Promise<void> {
    return waitForPeers(this, count, { noun: this.#peerName, what: this.#what }, options);
  }

  /**
   * Blocks the thread until a message arrives and returns a copy; returns undefined once nothing more
   * will come. A Worker that is terminated meanwhile ends only after the call returns.
   */
  receiveSync(options?: SyncWaitOptions): M | Over {
    return this.whenSync(this.#receiving, options) as M | Over;
  }

  /** Resolves with a copy of a message once it arrives, or with undefined if none will come. */
  async receive(options: WaitOptions = {}): Promise<M | Over> {
    const turn = begin(this.#waiter, options);
    if (turn !== undefined) await turn;
    let found = this.#receiving();
    if (found === undefined) found = await untilLater(this.#receiving, this.#waiter, options);
    return (found ?? undefined) as M | Over;
  }

  /**
   * Loops over copies of the values until nothing more will come. Throws a LostError where messages
   * were lost, unless `onLoss` is "skip"; another loop continues after the loss. Throws a
   * PeerLostError where the other end was lost, after everything that was sent.
   */
  values(options: ValuesOptions = {}): AsyncGenerator<Value<K>, void, void> {
    const own = checkedOptions(options, this.#waiter.action);
    const isWhole = own.onLoss !== "skip";
    const attempt = (): Step<Value<K>> | undefined => {
      const message = isWhole ? this.receiveWhole() : this.tryReceive();
      if (message !== undefined) return { done: false, value: message.value };
      return this.ended ? DONE : undefined;
    };
    return iterate({ attempt, waiter: this.#waiter }, own);
  }

  /** Loops over copies of the values, as `values()` does. */
  [Symbol.asyncIterator](): AsyncGenerator<Value<K>, void, void> {
    return this.values();
  }

  /**
   * Returns a stream of the values, which fails as `values()` does, so it never looks complete when it
   * is not; cancelling it closes this handle. Nothing is read ahead: an unread message stays where it
   * is.
   */
  toReadableStream(options: ValueStreamOptions = {}): ReadableStream<Value<K>> {
    const own = checkedOptions(options, this.#waiter.action);
    checkWaits(own);
    const whole = () => this.receiveWhole() ?? this.atEnd();
    const attempt = own.onLoss === "skip" ? this.#receiving : whole;
    return new ReadableStream<Value<K>>({
      pull: async (controller) => {
        const message = await this.when(attempt, own);
        if (message === undefined) controller.close();
        else controller.enqueue(message.value);
      },
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  protected get waiter(): Waiter {
    return this.#waiter;
  }

  /** Returns null once nothing more will come.
   * @ignore */
  protected atEnd(): null | undefined {
    return this.ended ? null : undefined;
  }

  /** Blocks the thread until an attempt finds something, or the end.
   * @ignore */
  protected whenSync<T>(attempt: Receiving<T>, options?: SyncWaitOptions): T | undefined {
    if (options !== undefined) checkWaits(options);
    let found = attempt();
    if (found === undefined) found = untilSync(attempt, this.#waiter, options);
    return found ?? undefined;
  }

  /** Resolves once an attempt finds something, or the end.
   * @ignore */
  protected async when<T>(attempt: Receiving<T>, options: WaitOptions): Promise<T | undefined> {
    return await until(attempt, this.#waiter, options) ?? undefined;
  }

  /** Throws unless these can be the arguments of `poll()`.
   * @ignore */
  protected checkPoll(handler: unknown, limit: number): void {
    checkHandler(handler, "poll", this.#what);
    checkLimit(limit, 0, "poll", this.#what);
  }

  /** Makes the error for an array that is too small.
   * @ignore */
  protected tooLong(length: number, space: number): RangeError {
    return new RangeError(
      `Cannot receive from ${this.#what} into ${space} bytes: the message has ${length}; pass a ` +
        "larger array",
    );
  }
}
