/**
 * The receiving end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkLimit, checkWaits } from "../arguments.ts";
import { PeerLostError } from "../errors.ts";
import { type Codec, codec } from "../codec.ts";
import { decoderOf } from "../decoder.ts";
import { Again, retrySync, unlessAgain } from "../region/poll.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import { copyOut, peekView } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { valueStream } from "../streams.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { type Arrived, arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { matches } from "./matches.ts";
import {
  HeldSample,
  type Holder,
  type NoSample,
  type SampleOutcome,
  type ValueOutcome,
} from "./sample.ts";
import {
  checkedTopic,
  connectOnce,
  connectTopic,
  countersOf,
  createTopic,
  joinReaders,
  openTopic,
  type TopicCounters,
  typeOf,
  unlinkTopic,
} from "./topic.ts";
import type {
  SubscriberBehaviour,
  SubscriberConnectOptions,
  SubscriberOptions,
} from "./topic_options.ts";
import type { VRing } from "./vring.ts";
import type { Taken, VRingReader } from "./vring_reader.ts";

/** The memory of a subscriber, for the one that merges it with others. */
export let partsOf: <T>(subscriber: Subscriber<T>) => Pick<Parts, "ring" | "reader">;

let subscribe: <T>(
  topic: string,
  options: SubscriberConnectOptions<T>,
  source?: string,
) => Subscriber<T> | Again | undefined;

/** A step of subscribing to a topic: never waits; undefined if the topic is not there. */
export function subscribeOnce<T>(
  topic: string,
  options: SubscriberConnectOptions<T>,
  source: string,
): Subscriber<T> | Again | undefined {
  return subscribe(topic, options, source);
}

const EMPTY = { state: "empty" } as const;
const CLOSED = { state: "closed" } as const;

/**
 * A subscriber of a topic: it gets every sample that is published while it is open, or learns
 * how many it lost. Samples stay where they were written: they are read in place, for as long as it
 * likes, or copied. It needs no publisher: one may come later, or another one go on. Who opens a
 * topic that is not there decides its depth and size: say what the publisher says, or `connect`.
 *
 * @example The samples of a topic, as values
 * ```ts
 * import { codec, Publisher, Subscriber } from "@vring/vring";
 *
 * const numbers = codec.json<number>();
 * using publisher = Publisher.open("/example/numbers", { codec: numbers });
 * using subscriber = Subscriber.open("/example/numbers", { codec: numbers }); // in another process
 * publisher.trySend(1);
 * publisher.trySend(2);
 * const first = subscriber.receiveSync();
 * if (first.state === "ok") console.log(first.value, first.sequence, first.lost); // 1 1 0
 * for await (const value of subscriber) {
 *   console.log(value); // 2
 *   break;
 * }
 * ```
 */
export class Subscriber<T = Uint8Array> implements Disposable, Waitable {
  /** The topic. */
  readonly topic: string;
  /** How many samples there are room for. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly maxSample: number;
  readonly #ring: VRing;
  readonly #reader: VRingReader;
  readonly #holder: Holder<T>;
  readonly #keepOpen: boolean;
  readonly #condition: Condition;
  readonly #waiter: Waiter;
  // Made once: a closure in a method costs each call of it, whether it waits or not.
  readonly #receiving = () => arrived(this.tryReceive());
  readonly #taking = () => arrived(this.tryTake());
  readonly #takingLatest = () => arrived(this.tryTakeLatest());
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // of each descriptor: what it was shown as last

  static {
    subscribe = (topic, options, source) => Subscriber.#once(topic, options, source);
    partsOf = (subscriber) => ({ ring: subscriber.#ring, reader: subscriber.#reader });
  }

  private constructor({ topic, ring, reader, source }: Parts, options: SubscriberBehaviour<T>) {
    const { keepOpen = true } = options;
    this.topic = topic;
    this.depth = ring.plan.depth;
    this.maxSample = ring.plan.sampleBytes;
    this.#ring = ring;
    this.#keepOpen = keepOpen;
    this.#reader = reader;
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    this.#holder = { ring, reader, codec: chosen, decoder: decoderOf(chosen), source };
    const { bell, used: watch } = reader.words;
    this.#condition = keepOpen
      ? { bell, watch, watchTellsAll: true, ready: () => reader.hasNews() }
      : {
        bell,
        watch,
        ready: () => reader.hasNews() || this.#publisherHasClosed(),
        // Drained, also of the last words.
        beforeSleep: () => this.#publisherIsDead() && !reader.hasNews() ? "lost" : undefined,
      };
    const action = `receive from topic "${topic}"`;
    this.#waiter = {
      action,
      conditions: () => [this.#condition],
      checkOpen: () => this.#checkOpen(),
      lost: () => {
        throw new PeerLostError(
          `Cannot ${action}: its publisher died; open it without keepOpen: false to wait for another`,
        );
      },
    };
    disposeAtEnd(this);
  }

  /** Subscribes to a topic of bytes, or makes it. */
  static open(
    topic: string,
    options?: SubscriberOptions<Uint8Array<ArrayBuffer>>,
  ): Subscriber<Uint8Array<ArrayBuffer>>;
  /** Subscribes to a topic of values, or makes it. */
  static open<T>(topic: string, options: SubscriberOptions<T> & { codec: Codec<T> }): Subscriber<T>;
  static open<T>(topic: string, options: SubscriberOptions<T> = {}): Subscriber<T> {
    const own = checkedTopic(topic, options);
    return Subscriber.#on(topic, openTopic(topic, own, typeOf(own)), own);
  }

  /** Creates a topic of bytes and subscribes; throws OsError (EEXIST) if the name is in use. */
  static create(
    topic: string,
    options?: SubscriberOptions<Uint8Array<ArrayBuffer>>,
  ): Subscriber<Uint8Array<ArrayBuffer>>;
  /** Creates a topic of values and subscribes; throws OsError (EEXIST) if the name is in use. */
  static create<T>(
    topic: string,
    options: SubscriberOptions<T> & { codec: Codec<T> },
  ): Subscriber<T>;
  static create<T>(topic: string, options: SubscriberOptions<T> = {}): Subscriber<T> {
    const own = checkedTopic(topic, options);
    return Subscriber.#on(topic, createTopic(topic, own, typeOf(own)), own);
  }

  /** Subscribes to a topic of bytes, once somebody has made it. */
  static connect(
    topic: string,
    options?: SubscriberConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Promise<Subscriber<Uint8Array<ArrayBuffer>>>;
  /** Subscribes to a topic of values, once somebody has made it. */
  static connect<T>(
    topic: string,
    options: SubscriberConnectOptions<T> & { codec: Codec<T> },
  ): Promise<Subscriber<T>>;
  static async connect<T>(
    topic: string,
    options: SubscriberConnectOptions<T> = {},
  ): Promise<Subscriber<T>> {
    const own = checkedTopic(topic, options);
    return await connectTopic(topic, own, () => Subscriber.#once(topic, own));
  }

  /**
   * Subscribes to a topic of bytes. Never waits: undefined if the topic is not there, or another
   * process is just opening, leaving or removing it.
   */
  static tryConnect(
    topic: string,
    options?: SubscriberConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Subscriber<Uint8Array<ArrayBuffer>> | undefined;
  /** Subscribes to a topic of values. Never waits: undefined if it cannot be joined at once. */
  static tryConnect<T>(
    topic: string,
    options: SubscriberConnectOptions<T> & { codec: Codec<T> },
  ): Subscriber<T> | undefined;
  static tryConnect<T>(
    topic: string,
    options: SubscriberConnectOptions<T> = {},
  ): Subscriber<T> | undefined {
    const own = checkedTopic(topic, options);
    return unlessAgain(Subscriber.#once(topic, own));
  }

  /** A step of `connect()`: never waits, and gives an `Again` where another process is in the way. */
  static #once<T>(
    topic: string,
    options: SubscriberConnectOptions<T>,
    source?: string,
  ): Subscriber<T> | Again | undefined {
    const ring = connectOnce(topic, options, typeOf(options));
    if (ring === undefined || ring instanceof Again) return ring;
    using stack = new DisposableStack();
    stack.use(ring.region);
    const reader = joinReaders(topic, ring, options);
    if (reader instanceof Again) return reader;
    const subscriber = new Subscriber({ topic, ring, reader, source }, options);
    stack.move();
    return subscriber;
  }

  static #on<T>(topic: string, ring: VRing, options: SubscriberBehaviour<T>): Subscriber<T> {
    using stack = new DisposableStack();
    stack.use(ring.region);
    const reader = retrySync(() => joinReaders(topic, ring, options));
    const subscriber = new Subscriber({ topic, ring, reader, source: undefined }, options);
    stack.move();
    return subscriber;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(topic: string): boolean {
    return unlinkTopic(topic);
  }

  /** How many publishers there are: alive, and open. */
  get matched(): number {
    this.#checkOpen();
    return this.#ring.hasWriter() ? 1 : 0;
  }

  /** How many publishers there are, now and whenever that changes, until this end is closed. */
  matches(options: WaitOptions = {}): AsyncGenerator<number, void, void> {
    return matches(this.#ring, () => this.#ring.hasWriter() ? 1 : 0, options);
  }

  /** What became of the samples so far, with all subscribers. */
  get counters(): TopicCounters {
    this.#checkOpen();
    return countersOf(this.#ring);
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    return [this.#condition];
  }

  /** Takes the oldest sample, if there is one; it stays in place until it is disposed. */
  tryTake(): SampleOutcome<T> {
    this.#checkOpen();
    return this.#sample(this.#reader.take());
  }

  /** Blocks the thread until a sample arrives, and takes the oldest in place. */
  takeSync(options?: SyncWaitOptions): Arrived<SampleOutcome<T>> {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryTake();
    return outcome.state !== "empty" ? outcome : untilSync(this.#taking, this.#waiter, options);
  }

  /** Takes the oldest sample in place once one arrives. */
  take(options: WaitOptions = {}): Promise<Arrived<SampleOutcome<T>>> {
    return until(this.#taking, this.#waiter, options);
  }

  /** Takes the newest sample, if there is one, and gives back those before it, unseen. */
  tryTakeLatest(): SampleOutcome<T> {
    this.#checkOpen();
    return this.#sample(this.#reader.takeLatest());
  }

  /** Blocks the thread until a sample arrives, takes the newest, and skips older ones. */
  takeLatestSync(options?: SyncWaitOptions): Arrived<SampleOutcome<T>> {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryTakeLatest();
    return outcome.state !== "empty"
      ? outcome
      : untilSync(this.#takingLatest, this.#waiter, options);
  }

  /** Takes the newest sample once one arrives, and skips older ones. */
  takeLatest(options: WaitOptions = {}): Promise<Arrived<SampleOutcome<T>>> {
    return until(this.#takingLatest, this.#waiter, options);
  }

  /**
   * Receives a copy of the oldest sample as a value, if there is one. What the codec throws about a
   * sample is thrown here, and the sample is gone.
   */
  tryReceive(): ValueOutcome<T> {
    this.#checkOpen();
    const reader = this.#reader;
    const taken = reader.take();
    if (taken === undefined) return this.#nothing();
    const { descriptor, stamp, sequence, length, lost, time, origin } = taken;
    const { region: { mapping }, descriptors } = this.#ring;
    const at = descriptors.sampleAt(descriptor);
    const decoder = this.#holder.decoder;
    let bytes, value;
    try {
      if (decoder?.size === length) value = decoder.load(mapping, at);
      else bytes = new Uint8Array(length);
    } catch (error) {
      reader.takeAgain(); // the copy found no memory
      throw error;
    }
    if (bytes !== undefined) copyOut(mapping, at, bytes);
    reader.release(descriptor, stamp);
    const { codec, source } = this.#holder;
    if (bytes !== undefined) value = codec.decode(bytes);
    return { state: "ok", value: value as T, sequence, lost, time, source, origin };
  }

  /** Blocks the thread until a sample arrives, and returns a copy of the oldest as a value. */
  receiveSync(options?: SyncWaitOptions): Arrived<ValueOutcome<T>> {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryReceive();
    return outcome.state !== "empty" ? outcome : untilSync(this.#receiving, this.#waiter, options);
  }

  /** Resolves with a copy of the oldest sample as a value, once one arrives. */
  receive(options: WaitOptions = {}): Promise<Arrived<ValueOutcome<T>>> {
    return until(this.#receiving, this.#waiter, options);
  }

  /**
   * Shows up to `limit` samples in place, one after the other, and returns their number. Releases
   * each sample when the handler returns, even if it throws.
   */
  poll(
    handler: (
      bytes: Uint8Array<ArrayBuffer>,
      sequence: number,
      lost: number,
      time: number,
    ) => void,
    limit = Infinity,
  ): number {
    this.#checkOpen();
    checkHandler(handler, "poll", this.#ring.what);
    checkLimit(limit, 0, "poll", this.#ring.what);
    const reader = this.#reader;
    let count = 0;
    try {
      while (count < limit && !reader.closed) {
        const taken = reader.take();
        if (taken === undefined) break;
        const { descriptor, stamp, sequence, lost, time } = taken;
        const bytes = this.#shown(taken);
        count++;
        try {
          handler(bytes, sequence, lost, time);
        } finally {
          if (!reader.closed) reader.releaseSoon(descriptor, stamp);
        }
      }
    } finally {
      if (!reader.closed) reader.announce();
    }
    return count;
  }

  /**
   * Every value from here on; where `keepOpen` is false, until the publisher closes. Closing this
   * subscriber ends the wait for the next one with a ClosedError.
   */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return iterate({ attempt: () => this.#next(), waiter: this.#waiter });
  }

  /** The next step of a loop. */
  #next(): Step<T> | undefined {
    const outcome = this.tryReceive();
    if (outcome.state === "ok") return { done: false, value: outcome.value };
    return outcome.state === "closed" ? DONE : undefined;
  }

  /** A stream of the values; cancelling it closes this end. */
  toReadableStream(options: WaitOptions = {}): ReadableStream<T> {
    return valueStream(this, options);
  }

  /** Closes this subscriber. Unread and undisposed samples go back to the publisher. */
  close(): void {
    this.#ring.region.close(() => this.#reader.leave());
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #sample(taken: Taken | undefined): SampleOutcome<T> {
    if (taken === undefined) return this.#nothing();
    return { state: "ok", sample: new HeldSample(taken, this.#shown(taken), this.#holder) };
  }

  /** Shows a sample that was just taken, in place. */
  #shown({ descriptor: d, length }: Taken): Uint8Array<ArrayBuffer> {
    const { region, descriptors } = this.#ring;
    try {
      const last = this.#views[d];
      return this.#views[d] = peekView(region.mapping, descriptors.sampleAt(d), length, last);
    } catch (error) {
      this.#reader.takeAgain(); // the view found no memory
      throw error;
    }
  }

  #publisherHasClosed(): boolean {
    return !this.#keepOpen && this.#ring.writer.state.load() === SeatState.closed;
  }

  #publisherIsDead(): boolean {
    const { writer, region } = this.#ring;
    return !this.#keepOpen && presenceIn(region, writer) === "dead";
  }

  /** The publisher may have published between the look at the ring and the one at its word. */
  #nothing(): NoSample {
    if (!this.#publisherHasClosed()) return EMPTY;
    return this.#reader.hasNews() ? EMPTY : CLOSED;
  }

  #checkOpen(): void {
    this.#ring.region.checkOpen();
  }
}

/** What a subscriber is made of. */
interface Parts {
  readonly topic: string;
  readonly ring: VRing;
  readonly reader: VRingReader;
  readonly source: string | undefined;
}
