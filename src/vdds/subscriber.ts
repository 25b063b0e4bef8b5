/**
 * The receiving end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { lossOf, Receiver } from "../receiver.ts";
import { byteLengthOf, checkedOptions, checkWaits } from "../arguments.ts";
import { PeerLostError } from "../errors.ts";
import { disposeAtEnd } from "../os/clock.ts";
import type { Bytes, Type } from "../message.ts";
import { withNamesakes } from "../region/list.ts";
import { CONDITIONS } from "../wait/any.ts";
import type { Condition } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import type { LoopOptions, SyncWaitOptions, WaitOptions } from "../wait/until.ts";
import type { Intake } from "./feed.ts";
import {
  type PolledSample,
  type Reading,
  type Sample,
  ShownSample,
  type TopicMessage,
} from "./sample.ts";
import type { TopicCounters } from "./topic.ts";

/** What a subscriber is made of. */
interface Parts<K extends Type> {
  readonly name: string;
  readonly depth: number;
  readonly maxSample: number;
  readonly intake: Intake<K>;
  readonly reading: Reading<K>;
}

/**
 * A subscriber of a topic: it gets every sample that is published while it is open, or learns
 * how many it lost. Samples stay where they were written, to be read in place or copied. It needs no
 * publisher: one may come later, or another one continue.
 *
 * In a topic with many publishers it gets the samples of all sources: those of each source in order,
 * and sources with samples take turns. It misses samples that a source publishes before it is found:
 * that publisher can wait for it by `waitForPeers(1)`. A source that cannot be joined, such as one of
 * another type, causes one error.
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
            `Cannot ${action}: its publisher died; subscribe with onPeerGone: "wait" to wait for ` +
              "another",
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

  /** The counters of the samples so far, with all subscribers. */
  get counters(): TopicCounters {
    this.#intake.checkOpen();
    return this.#intake.counters;
  }

  /** Whether the publisher has closed, all is received, and no other publisher is waited for. */
  get ended(): boolean {
    this.#intake.checkOpen();
    return this.#intake.ended;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#intake.closed;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#intake.checkOpen();
    return this.#intake.conditions();
  }

  /** Takes the oldest sample in place until it is disposed; returns undefined if none is there. */
  tryTake(): Sample<K> | undefined {
    return this.#intake.take()?.hold();
  }

  /** Blocks until a sample arrives and takes it in place; returns undefined if none will come. */
  takeSync(options?: SyncWaitOptions): Sample<K> | undefined {
    if (options !== undefined) checkWaits(options);
    return this.tryTake() ?? this.whenSync(this.#taking, options);
  }

  /** Takes a sample in place once one arrives; resolves with undefined if none will come. */
  take(options: WaitOptions = {}): Promise<Sample<K> | undefined> {
    return this.when(this.#taking, options);
  }

  /** Takes the newest sample, and gives back those before it; returns undefined if none is there. */
  tryTakeLatest(): Sample<K> | undefined {
    return this.#intake.takeLatest()?.hold();
  }

  /** Blocks until a sample arrives, takes the newest, and skips older ones. */
  takeLatestSync(options?: SyncWaitOptions): Sample<K> | undefined {
    if (options !== undefined) checkWaits(options);
    return this.tryTakeLatest() ?? this.whenSync(this.#takingLatest, options);
  }

  /** Takes the newest sample once one arrives, and skips older ones. */
  takeLatest(options: WaitOptions = {}): Promise<Sample<K> | undefined> {
    return this.when(this.#takingLatest, options);
  }

  /**
   * Receives a copy of the oldest sample; returns undefined if none is there. If the codec throws an
   * error about a sample, the sample is gone.
   */
  tryReceive(): TopicMessage<K> | undefined {
    return this.#intake.take()?.receive();
  }

  /**
   * Copies the bytes of the oldest sample into `target` without allocating, and returns their number;
   * returns -1 if none is there. Throws a RangeError if the target is too small; the sample stays.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.#what);
    const feed = this.#intake.take();
    if (feed === undefined) return -1;
    const { length } = feed.taken;
    if (length <= space) return feed.receiveInto(target);
    feed.reader.takeAgain();
    throw this.tooLong(length, space);
  }

  /**
   * Shows up to `limit` samples in place, one after the other, and returns their number. All are shown
   * by the same object, which is valid until the handler returns, and allocates nothing. Releases each
   * sample when the handler returns, even if it throws.
   */
  poll(handler: (sample: PolledSample<K>) => void, limit = Infinity): number {
    const intake = this.#intake;
    intake.checkOpen();
    this.checkPoll(handler, limit);
    const isNested = this.#isPolling;
    const sample = isNested ? new ShownSample(this.#reading) : this.#polled;
    this.#isPolling = true;
    try {
      return intake.poll(handler, sample, limit);
    } finally {
      this.#isPolling = isNested;
      sample.hide();
    }
  }

  /**
   * Iterates over all samples from here on, in place. Each is released at the next turn of the loop,
   * and the last one when the loop is left.
   */
  samples(options: LoopOptions = {}): AsyncGenerator<Sample<K>, void, void> {
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

  /** Closes this subscriber. Unread samples, and samples in place, go back to the publisher. */
  close(): void {
    this.#intake.close();
  }

  /** @ignore */
  protected override receiveWhole(): TopicMessage<K> | undefined {
    const feed = this.#intake.take();
    const lost = feed?.taken.lost ?? 0;
    if (feed === undefined || lost === 0) return feed?.receive();
    feed.reader.takeAgainWithoutLoss();
    throw lossOf(lost, this.#what);
  }
}
