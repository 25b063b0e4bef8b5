/**
 * The sending end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import type { Origin } from "../origin.ts";
import { claimView, commitView, copyIn } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { SeatState, takeRole } from "../region/seats.ts";
import { sinkStream } from "../streams.ts";
import { left } from "../wait/cancellation.ts";
import { yieldOften } from "../wait/fairness.ts";
import { deadlineOf, type SyncWaitOptions, until, type WaitOptions } from "../wait/until.ts";
import { checkPublished, type Lender, Loan, originIn } from "./loan.ts";
import { matches } from "./matches.ts";
import { Sources, topicOfSource } from "./sources.ts";
import { Supply } from "./supply.ts";
import {
  checkedTopic,
  connectOnce,
  connectTopic,
  countersOf,
  createTopic,
  openTopic,
  type TopicCounters,
  typeOf,
  unlinkTopic,
} from "./topic.ts";
import type {
  Policy,
  PublisherBehaviour,
  PublisherConnectOptions,
  PublisherOptions,
  PublishOptions,
} from "./topic_options.ts";
import type { VRing } from "./vring.ts";
import { NONE } from "./vring_layout.ts";
import { VRingWriter } from "./vring_writer.ts";

/**
 * The publisher of a topic. There is one at a time; when it has closed or died, another can go on.
 * It needs no subscriber. Under the policies that drop it never waits: a subscriber that is slow, or
 * stopped, loses samples and learns how many; the samples it holds stay valid.
 *
 * @example A frame, filled in place
 * ```ts
 * import { Publisher, Subscriber } from "@vring/vring";
 *
 * using publisher = Publisher.open("/example/camera", { size: 640 * 480 });
 * using subscriber = Subscriber.open("/example/camera"); // in another process
 * publisher.tryFill((bytes) => void bytes.fill(128)); // in shared memory, where the subscriber sees it
 * const outcome = await subscriber.take();
 * if (outcome.state === "ok") {
 *   using sample = outcome.sample;
 *   console.log(sample.sequence, sample.bytes.length); // 1 307200
 * }
 * ```
 */
export class Publisher<T = Uint8Array> implements Disposable {
  /** The topic. */
  readonly topic: string;
  /** How many samples there are room for. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly maxSample: number;
  readonly #ring: VRing;
  readonly #sources: Sources | undefined;
  readonly #writer: VRingWriter;
  readonly #encoder: Encoder<T>;
  readonly #policy: Policy;
  readonly #supply: Supply;
  readonly #lender: Lender;
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // of each descriptor: what was loaned of it last

  private constructor({ topic, ring, sources }: Parts, options: PublisherBehaviour<T>) {
    const { policy = "block", history = 0 } = options;
    this.topic = topic;
    this.depth = ring.plan.depth;
    this.maxSample = ring.plan.sampleBytes;
    this.#ring = ring;
    this.#sources = sources;
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    this.#encoder = encoderOf(chosen, "publish to", ring.what);
    this.#policy = policy;
    this.#writer = new VRingWriter(ring, { dropsOldest: policy === "dropOldest", history });
    this.#supply = new Supply(ring, this.#writer, {
      policy,
      history,
      checkIdle: () => this.#encoder.checkIdle(),
    });
    this.#lender = {
      what: ring.what,
      checkOpen: () => this.#checkOpen(),
      publish: (d, { bytes, length, origin }) => {
        this.#supply.loans--;
        this.#publishView(d, bytes, length, origin);
      },
      takeBack: (d) => {
        this.#supply.loans--;
        this.#supply.takeBack(d);
      },
    };
    disposeAtEnd(this);
  }

  /** Opens or creates a topic of bytes as its publisher; throws RoleTakenError if one is alive. */
  static open(topic: string, options?: PublisherOptions<Uint8Array>): Publisher<Uint8Array>;
  /** Opens or creates a topic of values as its publisher; throws RoleTakenError if one is alive. */
  static open<T>(topic: string, options: PublisherOptions<T> & { codec: Codec<T> }): Publisher<T>;
  static open<T>(topic: string, options: PublisherOptions<T> = {}): Publisher<T> {
    const own = { policy: "block" as const, ...checkedTopic(topic, options) };
    const message = typeOf(own);
    return Publisher.#openOn(topic, own, (name) => openTopic(name, own, message));
  }

  /** Creates a topic of bytes; throws OsError (EEXIST) if the name is in use. */
  static create(topic: string, options?: PublisherOptions<Uint8Array>): Publisher<Uint8Array>;
  /** Creates a topic of values; throws OsError (EEXIST) if the name is in use. */
  static create<T>(topic: string, options: PublisherOptions<T> & { codec: Codec<T> }): Publisher<T>;
  static create<T>(topic: string, options: PublisherOptions<T> = {}): Publisher<T> {
    const own = { policy: "block" as const, ...checkedTopic(topic, options) };
    const message = typeOf(own);
    return Publisher.#openOn(topic, own, (name) => createTopic(name, own, message));
  }

  /** Joins a topic of bytes once it exists; rejects with RoleTakenError if it has a publisher. */
  static connect(
    topic: string,
    options?: PublisherConnectOptions<Uint8Array>,
  ): Promise<Publisher<Uint8Array>>;
  /** Joins a topic of values once it exists; rejects with RoleTakenError if it has a publisher. */
  static connect<T>(
    topic: string,
    options: PublisherConnectOptions<T> & { codec: Codec<T> },
  ): Promise<Publisher<T>>;
  static async connect<T>(
    topic: string,
    options: PublisherConnectOptions<T> = {},
  ): Promise<Publisher<T>> {
    const own = checkedTopic(topic, options);
    const deadline = deadlineOf(own);
    using stack = new DisposableStack();
    const name = topicOfSource(topic, own.source);
    const look = () => connectOnce(name, own, typeOf(own));
    const ring = await connectTopic(name, options, look);
    stack.use(ring.region);
    const sources = own.source === undefined
      ? undefined
      : await Sources.connect(topic, { ...options, timeout: left(deadline) });
    stack.move();
    return Publisher.#on(topic, own, { ring, sources });
  }

  static #openOn<T>(
    topic: string,
    options: PublisherOptions<T>,
    open: (name: string) => VRing,
  ): Publisher<T> {
    using stack = new DisposableStack();
    const ring = open(topicOfSource(topic, options.source));
    stack.use(ring.region);
    const sources = options.source === undefined ? undefined : Sources.open(topic, options);
    stack.move();
    return Publisher.#on(topic, options, { ring, sources });
  }

  static #on<T>(
    topic: string,
    options: PublisherBehaviour<T>,
    { ring, sources }: Pick<Parts, "ring" | "sources">,
  ): Publisher<T> {
    using stack = new DisposableStack();
    stack.use(ring.region);
    stack.use(sources);
    const { history = 0 } = options;
    const name = topicOfSource(topic, options.source);
    takeRole(ring.region, ring.writer.role, {
      action: `publish to topic "${name}"`,
      holder: "a publisher",
    });
    if (history >= ring.plan.depth) {
      throw new RangeError(
        `Cannot keep ${history} samples of topic "${name}" as its history: of its ` +
          `${ring.plan.depth} at least one must be left to write into; make it deeper`,
      );
    }
    const publisher = new Publisher({ topic: name, ring, sources }, options);
    ring.writer.state.store(SeatState.open);
    ring.members.add(1);
    ring.membersBell.ring();
    sources?.announce();
    stack.move();
    return publisher;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(topic: string): boolean {
    return unlinkTopic(topic);
  }

  /** How many subscribers there are: alive, and online. */
  get matched(): number {
    this.#checkOpen();
    return this.#ring.countReaders();
  }

  /** How many subscribers there are, now and whenever that changes, until this end is closed. */
  matches(options: WaitOptions = {}): AsyncGenerator<number, void, void> {
    return matches(this.#ring, () => this.#ring.countReaders(), options);
  }

  /** What became of the samples so far, by whichever publisher. */
  get counters(): TopicCounters {
    this.#checkOpen();
    return countersOf(this.#ring);
  }

  /** The number of the sample that was sent last; what was not sent for want of room is counted. */
  get sequence(): number {
    return this.#writer.sequence;
  }

  /**
   * Loans a sample in shared memory, of `length` bytes; returns undefined if none is free. Under the
   * policies that drop, that counts as a lost sample. Under "dropOldest" a loan takes its place from
   * the oldest unread sample, even if the loan is given back later.
   *
   * A publisher can have several loans, up to the depth less the history less 1, and publish them in
   * any order. One more throws a VringError at once: only this publisher could free a sample for it.
   */
  tryLoan(length: number = this.maxSample): Loan | undefined {
    return this.#lend(this.#supply.take(length, this.#supply.loansMost), length);
  }

  /** Blocks until a sample is free and loans it; returns undefined only if the policy drops. */
  loanSync(length: number = this.maxSample, options?: SyncWaitOptions): Loan | undefined {
    const supply = this.#supply;
    return this.#lend(supply.takeSync(length, supply.loansMost, options), length);
  }

  /** Loans a sample once one is free; resolves with undefined only if the policy drops. */
  async loan(
    length: number = this.maxSample,
    options: WaitOptions = {},
  ): Promise<Loan | undefined> {
    if (this.#policy === "block") {
      return await until(() => this.tryLoan(length), this.#supply.waiter, options);
    }
    await yieldOften(options);
    return this.tryLoan(length);
  }

  /**
   * Publishes a sample that the handler fills in place; returns false if none is free, as `trySend`
   * does. The handler returns the number of bytes to publish; undefined means all. If it throws,
   * nothing is published. Allocates nothing.
   */
  tryFill(
    handler: (bytes: Uint8Array<ArrayBuffer>) => number | void,
    length: number = this.maxSample,
    options?: PublishOptions,
  ): boolean {
    checkHandler(handler, "publish to", this.#ring.what);
    const origin = originIn(options, this.#ring.what);
    const supply = this.#supply;
    const d = supply.take(length, supply.most);
    if (d === NONE) return false;
    supply.loans++; // the handler cannot wait for this sample
    let bytes, published;
    try {
      bytes = this.#view(d, length);
      published = handler(bytes) ?? length;
      this.#checkOpen();
      checkPublished(published, bytes, this.#ring.what);
    } catch (error) {
      supply.takeBack(d);
      throw error;
    } finally {
      supply.loans--;
    }
    this.#publishView(d, bytes, published, origin);
    return true;
  }

  /** Sends a value; false if no sample is free, and then, if the policy drops, it counts as lost. */
  trySend(value: T, options?: PublishOptions): boolean {
    return this.#send(value, false, options);
  }

  /** Sends a value, and blocks the thread until a sample is free; false only if the policy drops. */
  sendSync(value: T, options?: SyncWaitOptions & PublishOptions): boolean {
    return this.#send(value, true, options);
  }

  /**
   * Sends a value once a sample is free; false only if the policy drops. Leave it unchanged until the
   * promise resolves.
   */
  send(value: T, options: WaitOptions & PublishOptions = {}): Promise<boolean> {
    return until(
      () => {
        const sent = this.trySend(value, options);
        return sent || this.#policy !== "block" ? sent : undefined;
      },
      this.#supply.waiter,
      options,
    );
  }

  /** A stream into the topic; closing or aborting it closes this end. */
  toWritableStream(options: WaitOptions = {}): WritableStream<T> {
    const send = async (value: T, waits: WaitOptions) => void await this.send(value, waits);
    return sinkStream({ send, close: () => this.close() }, options);
  }

  /** Closes this publisher. Subscribers still get the published samples. */
  close(): void {
    const ring = this.#ring;
    if (ring.region.closed) return;
    using stack = new DisposableStack();
    const sources = this.#sources;
    if (sources !== undefined) { // told once the topic is left
      stack.use(sources);
      stack.defer(() => sources.announce());
    }
    ring.region.close(() => {
      ring.writer.state.store(SeatState.closed);
      ring.members.add(1);
      this.#writer.close();
      ring.membersBell.ring();
    });
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #lend(d: number, length: number): Loan | undefined {
    if (d === NONE) return undefined;
    const loan = new Loan(this.#lender, d, this.#view(d, length));
    this.#supply.loans++;
    return loan;
  }

  #view(d: number, length: number): Uint8Array<ArrayBuffer> {
    const { descriptors, region: { mapping } } = this.#ring;
    return this.#views[d] = claimView(mapping, descriptors.sampleAt(d), length, this.#views[d]);
  }

  /** Encodes a value into a sample, and hands it to all; false if no sample is ready. */
  #send(value: T, waits: boolean, options?: SyncWaitOptions & PublishOptions): boolean {
    this.#checkOpen();
    const origin = originIn(options, this.#ring.what);
    const encoder = this.#encoder;
    const prepared = encoder.prepare(value);
    const bound = encoder.bound(prepared);
    const { descriptors, region: { mapping } } = this.#ring;
    if (encoder.isExact || bound <= Math.min(pageSize(), this.maxSample)) {
      const d = this.#takeFor(bound, waits, options);
      if (d === NONE) return false;
      this.#publish(d, this.#encode(d, prepared, bound), origin);
    } else { // no memory is committed that the value does not take
      const bytes = encoder.toBytes(prepared);
      const { length } = bytes;
      const d = this.#takeFor(length, waits, options);
      if (d === NONE) return false;
      copyIn(mapping, descriptors.sampleAt(d), bytes, length);
      this.#publish(d, length, origin);
    }
    return true;
  }

  #takeFor(length: number, waits: boolean, options: SyncWaitOptions | undefined): number {
    const supply = this.#supply;
    return waits ? supply.takeSync(length, supply.most, options) : supply.take(length, supply.most);
  }

  /** Encodes a value into a sample, and returns its length. */
  #encode(d: number, prepared: unknown, bound: number): number {
    const { descriptors, region: { mapping } } = this.#ring;
    let length: number;
    try {
      length = this.#encoder.into(prepared, mapping, descriptors.sampleAt(d), bound);
    } catch (error) {
      this.#supply.takeBack(d);
      throw error;
    }
    if (length < 0) this.#checkOpen(); // the sample went with the memory
    return length;
  }

  #publishView(
    d: number,
    bytes: Uint8Array<ArrayBuffer>,
    length: number,
    origin: Origin | undefined,
  ): void {
    const { descriptors, region: { mapping } } = this.#ring;
    commitView(mapping, descriptors.sampleAt(d), bytes, length);
    this.#publish(d, length, origin);
  }

  #publish(d: number, length: number, origin: Origin | undefined): void {
    this.#writer.publish(d, length, origin);
  }

  #checkOpen(): void {
    this.#ring.region.checkOpen();
  }
}

/** What a publisher is made of. */
interface Parts {
  readonly topic: string;
  readonly ring: VRing;
  readonly sources: Sources | undefined;
}
