/**
 * The receiving ends of rings, topics and circular buffers: they wait for messages, and deliver them
 * one by one, in loops and in streams.
 *
 * @module
 */

import {
  checkedOptions,
  checkHandler,
  checkLimit,
  checkSyncWaits,
  checkWaits,
} from "./arguments.ts";
import { counted, LostError } from "./errors.ts";
import type { Message, Type, Value } from "./message.ts";
import { waitForPeers } from "./region/peers.ts";
import { CONDITIONS, LOST, type Waitable } from "./wait/any.ts";
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

/** The option that decides how a loop or a stream treats lost messages. */
export interface LossOptions {
  /** Whether a loss throws a LostError ("throw", the default), or the loop continues ("skip"). */
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

/** An attempt to receive: returns null after the last message, undefined when it must wait. */
type Receiving<T> = () => T | null | undefined;

/**
 * Receives messages `M`, one by one, in loops and in streams. `Over` is the result of a wait after
 * the last message: undefined, or `never` for an observer, which never sees an end.
 */
export abstract class Receiver<K extends Type, M extends Message<K>, Over = undefined>
  implements Disposable, Waitable {
  /** The name of the ring, topic or circular buffer. */
  readonly name: string;
  readonly #what: string;
  readonly #peerName: string;
  readonly #waiter: Waiter;
  #loss: Condition | undefined; // that of a wait for several, until an attempt reports it
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
  /** The number of messages that this handle has lost in all, as far as it has read. */
  abstract get lost(): number;
  /** Whether every message was received and no more will come. */
  abstract get ended(): boolean;
  /** Whether this handle is closed. */
  abstract get closed(): boolean;
  /** Closes this handle. */
  abstract close(): void;
  /**
   * Receives a copy of the next message without waiting; returns undefined when there is none. If
   * the codec cannot decode the message, throws the codec's error and drops the message.
   */
  abstract tryReceive(): M | undefined;
  /** @ignore */
  abstract [CONDITIONS](): readonly Condition[];

  /** @ignore */
  [LOST](condition: Condition): void {
    this.#loss = condition;
  }

  /** Receives as `tryReceive` does; after a loss throws a LostError, once, and receives nothing.
   * @ignore */
  protected receiveWhole(): M | undefined {
    return this.tryReceive();
  }

  /** Resolves once the other end has at least `count` living parties. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: this.#peerName, what: this.#what }, options);
  }

  /**
   * Blocks the thread until a message arrives and returns a copy; returns undefined after the last
   * message. A Worker that is terminated during the wait ends only after the call returns.
   */
  receiveSync(options?: SyncWaitOptions): M | Over {
    return this.whenSync(this.#receiving, options) as M | Over;
  }

  /** Resolves with a copy of the next message, or with undefined after the last one. */
  async receive(options?: WaitOptions): Promise<M | Over> {
    if (options === undefined) options = {};
    const turn = begin(this.#waiter, options);
    if (turn !== undefined) await turn;
    let found = this.#receiving();
    if (found === undefined) found = await untilLater(this.#receiving, this.#waiter, options);
    return (found ?? undefined) as M | Over;
  }

  /**
   * Loops over copies of the values until the last message. Throws a LostError where messages were
   * lost, unless `onLoss` is "skip"; a new loop continues after the loss. If the other end was
   * lost, the loop delivers everything that was sent, and then throws a PeerLostError.
   */
  values(options?: ValuesOptions): AsyncGenerator<Value<K>, void, void> {
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
   * Returns a stream of the values. It fails where `values()` throws, so a part of the values never
   * looks complete. Cancelling the stream closes this handle. The stream reads nothing ahead: an
   * unread message stays in shared memory.
   */
  toReadableStream(options?: ValueStreamOptions): ReadableStream<Value<K>> {
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

  /** Returns undefined for an attempt that found nothing. Throws if `waitAny` returned this handle
   * because its peers were lost, and they still are.
   * @ignore */
  protected nothing(): undefined {
    const loss = this.#loss;
    if (loss === undefined) return undefined;
    this.#loss = undefined;
    if (loss.beforeSleep?.() === "lost") this.#waiter.lost?.(loss);
    return undefined;
  }

  /** Returns null once nothing more will come.
   * @ignore */
  protected atEnd(): null | undefined {
    return this.ended ? null : undefined;
  }

  /** Blocks the thread until an attempt finds something, or the end.
   * @ignore */
  protected whenSync<T>(attempt: Receiving<T>, options?: SyncWaitOptions): T | undefined {
    if (options !== undefined) checkSyncWaits(options);
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
