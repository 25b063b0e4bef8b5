/**
 * The receiving end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { lossOf, Receiver } from "../receiver.ts";
import { checkedOptions, checkSyncWaits } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { PeerLostError } from "../errors.ts";
import { disposeAtEnd } from "../os/clock.ts";
import type { Bytes, Type } from "../message.ts";
import { withNamesakes } from "../region/list.ts";
import { CONDITIONS } from "../wait/any.ts";
import type { Condition } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import type { LoopOptions, SyncWaitOptions, WaitOptions } from "../wait/until.ts";
import type { Feed, Intake } from "./feed.ts";
import {
  type PolledSample,
  type Reading,
  type Sample,
  ShownSample,
  type TopicMessage,
} from "./sample.ts";
import type { TopicCounters } from "./topic.ts";

/** The parts of a subscriber. */
interface Parts<K extends Type> {
  readonly name: string;
  readonly depth: number;
  readonly maxSample: number;
  readonly intake: Intake<K>;
  readonly reading: Reading<K>;
}

/**
 * Receives every sample of a topic that is published while it is open, or learns how many it lost.
 * It reads samples in place, or copies them. It needs no publisher: one may open later, and another
 * may take over.
 *
 * In a topic with many publishers it receives from all sources: the samples of each in order, and
 * sources take turns. It misses samples that a new source publishes before this subscriber joins
 * it; that publisher can await `waitForPeers(1)`. For a source that it cannot join, such as one
 * with another type, the next call throws one error.
 *
 * @example The samples of a topic, as values
 * ```ts
 * import { json, topic } from "@vring/vring";
 *
 * const numbers = topic("example/numbers", { type: json<number>() });
 * using publisher = numbers.publisher();
 * using subscriber = numbers.subscriber(); // in another process
 * publisher.trySend(1);
 * publisher.trySend(2);
 * const first = subscriber.receiveSync();
 * console.log(first?.value, first?.sequence, first?.lost); // 1 1 0
 * for await (const value of subscriber) {
 *   console.log(value); // 2
 *   break;
 * }
 * ```
 */
export class Subscriber<K extends Type = Bytes> extends Receiver<K, TopicMessage<K>> {
  /** The number of samples in memory. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly maxSample: number;
  readonly #what: string;
  readonly #intake: Intake<K>;
  readonly #reading: Reading<K>;
  readonly #polled: ShownSample<K>;
  #isPolling = false;
  // Made once: a closure in a method costs each call of it, whether it waits or not.
  readonly #taking = () => this.tryTake() ?? this.atEnd();
  readonly #takingLatest = () => this.tryTakeLatest() ?? this.atEnd();

  /** @ignore */
  constructor({ name, depth, maxSample, intake, reading }: Parts<K>) {
    const { what } = reading;
    const action = `receive from ${what}`;
    super({
      name,
      what,
      peerName: "publisher",
      waiter: {
        action,
        conditions: () => intake.conditions(),
        checkOpen: () => intake.checkOpen(),
        state: () =>
          intake.peers === 0
            ? withNamesakes("it has no publisher", name)
            : "its publisher is alive",
        lost: () => {
          throw new PeerLostError(
            `Cannot ${action}: its publisher left without close() or died; subscribe with ` +
              'onPeerGone: "wait" to wait for another',
          );
        },
      },
    });
    this.depth = depth;
    this.maxSample = maxSample;
    this.#what = what;
    this.#intake = intake;
    this.#reading = reading;
    this.#polled = new ShownSample(reading);
    disposeAtEnd(this);
  }

  /** The number of living publishers. */
  get peers(): number {
    this.#intake.checkOpen();
    return this.#intake.peers;
  }

  /** The sources that have a living publisher; empty for a topic with one publisher. */
  get sources(): string[] {
    this.#intake.checkOpen();
    return this.#intake.sources;
  }

  /** The counters of the topic so far, for all its subscribers together. */
  get counters(): TopicCounters {
    this.#intake.checkOpen();
    return this.#intake.counters;
  }

  /**
   * The number of samples that this subscriber has lost in all, up to the one that it took last.
   * The messages of a topic tell the same losses one by one.
   */
  get lost(): number {
    return this.#intake.lost;
  }

  /**
   * Whether the publisher closed and all samples were received; false unless onPeerGone is "end".
   */
  get ended(): boolean {
    this.#intake.checkOpen();
    return this.#intake.ended;
  }

  /** Whether this subscriber is closed. */
  get closed(): boolean {
    return this.#intake.closed;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#intake.checkOpen();
    return this.#intake.conditions();
  }

  /**
   * Takes the oldest unread sample in place; returns undefined when there is none. Its memory is
   * not reused until you dispose it.
   */
  tryTake(): Sample<K> | undefined {
    return this.#take()?.hold();
  }

  /** Blocks until a sample arrives and takes it in place; returns undefined once `ended`. */
  takeSync(options?: SyncWaitOptions): Sample<K> | undefined {
    if (options !== undefined) checkSyncWaits(options);
    return this.tryTake() ?? this.whenSync(this.#taking, options);
  }

  /** Resolves with the oldest unread sample in place, or with undefined once `ended`. */
  take(options?: WaitOptions): Promise<Sample<K> | undefined> {
    if (options === undefined) options = {};
    return this.when(this.#taking, options);
  }

  /**
   * Takes the newest sample in place, and releases older ones unread; returns undefined when there
   * is none. Skipped samples do not count as lost.
   */
  tryTakeLatest(): Sample<K> | undefined {
    return (this.#intake.takeLatest() ?? this.nothing())?.hold();
  }

  /** Blocks until a sample arrives, and takes the newest; returns undefined once `ended`. */
  takeLatestSync(options?: SyncWaitOptions): Sample<K> | undefined {
    if (options !== undefined) checkSyncWaits(options);
    return this.tryTakeLatest() ?? this.whenSync(this.#takingLatest, options);
  }

  /** Resolves with the newest sample once one arrives, or with undefined once `ended`. */
  takeLatest(options?: WaitOptions): Promise<Sample<K> | undefined> {
    if (options === undefined) options = {};
    return this.when(this.#takingLatest, options);
  }

  /**
   * Returns a copy of the oldest unread sample, or undefined when there is none. If the codec
   * throws, this call throws its error, and the sample is gone.
   */
  tryReceive(): TopicMessage<K> | undefined {
    return this.#take()?.receive();
  }

  /**
   * Copies the bytes of the oldest unread sample into `target`, and returns their number, or -1
   * when there is none. Throws a RangeError if `target` is too small; the sample stays. Allocates
   * nothing. Its result tells no loss: compare `lost` with its last value.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.#what);
    const feed = this.#take();
    if (feed === undefined) return -1;
    const { length } = feed.taken;
    if (length <= space) return feed.receiveInto(target);
    feed.reader.takeAgain();
    throw this.tooLong(length, space);
  }

  /**
   * Calls the handler with up to `limit` unread samples in place, and returns their number. Every
   * call gets the same object, which is valid until the handler returns. Releases each sample when
   * the handler returns or throws. Allocates nothing.
   */
  poll(handler: (sample: PolledSample<K>) => void, limit?: number): number {
    if (limit === undefined) limit = Infinity;
    const intake = this.#intake;
    intake.checkOpen();
    this.checkPoll(handler, limit);
    const isNested = this.#isPolling;
    const sample = isNested ? new ShownSample(this.#reading) : this.#polled;
    this.#isPolling = true;
    try {
      const count = intake.poll(handler, sample, limit);
      if (count === 0) this.nothing();
      return count;
    } finally {
      this.#isPolling = isNested;
      sample.hide();
    }
  }

  /**
   * Iterates over all samples from here on, in place. The next turn of the loop releases a sample;
   * leaving the loop releases the last one.
   */
  samples(options?: LoopOptions): AsyncGenerator<Sample<K>, void, void> {
    const own = checkedOptions(options, `receive from ${this.#what}`);
    let shown: Sample<K> | undefined;
    const attempt = (): Step<Sample<K>> | undefined => {
      shown = this.tryTake();
      if (shown !== undefined) return { done: false, value: shown };
      return this.#intake.ended ? DONE : undefined;
    };
    const release = () => shown?.[Symbol.dispose]();
    return iterate({ attempt, waiter: this.waiter, release }, own);
  }

  /** Closes this subscriber, and releases the samples that it holds and those not read yet. */
  close(): void {
    this.#intake.close();
  }

  /** @ignore */
  protected override receiveWhole(): TopicMessage<K> | undefined {
    const feed = this.#take();
    const lost = feed?.taken.lost ?? 0;
    if (feed === undefined || lost === 0) return feed?.receive();
    feed.reader.takeAgainWithoutLoss();
    throw lossOf(lost, this.#what);
  }

  #take(): Feed<K> | undefined {
    return this.#intake.take() ?? this.nothing();
  }
}
