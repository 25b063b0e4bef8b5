/**
 * The sending end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { checkWaits, inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { type Codec, codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import { checkedOrigin, type Origin } from "../origin.ts";
import { claimView, commitView, copyIn } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { SeatState, takeRole } from "../region/seats.ts";
import { sinkStream } from "../streams.ts";
import { left } from "../wait/cancellation.ts";
import type { Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import {
  deadlineOf,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import { matches } from "./matches.ts";
import { Sources, topicOfSource } from "./sources.ts";
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
 * publisher.tryLoan()!.fill(128); // in shared memory, where the subscriber sees it
 * publisher.publish();
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
  readonly #waiter: Waiter;
  #descriptor = NONE; // in this publisher's hands
  #loan: Uint8Array<ArrayBuffer> | undefined;
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
    const free = {
      bell: ring.spaceBell,
      watch: ring.available,
      ready: () => this.#acquireHinted(),
      beforeSleep: () => this.#acquire() ? "ready" as const : undefined,
    };
    this.#waiter = {
      action: `publish to topic "${topic}"`,
      conditions: () => [free],
      checkOpen: () => this.#checkOpen(),
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
   * A sample in shared memory to write into, of the largest size unless `length` says less. It is
   * this publisher's until `publish` or `discard`; what it contains before is undefined. There is one
   * loan at a time: the next one, and sending, give it up. Undefined if none is free; under the
   * policies that drop the sample then counts as lost.
   */
  tryLoan(length: number = this.maxSample): Uint8Array<ArrayBuffer> | undefined {
    return this.#ready(length) ? this.#lend(length) : undefined;
  }

  /** Blocks until a sample is free and loans it; returns undefined only if the policy drops. */
  loanSync(
    length: number = this.maxSample,
    options?: SyncWaitOptions,
  ): Uint8Array<ArrayBuffer> | undefined {
    return this.#readySync(length, options) ? this.#lend(length) : undefined;
  }

  /** Loans a sample once one is free; resolves with undefined only if the policy drops. */
  async loan(
    length: number = this.maxSample,
    options: WaitOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#policy === "block") {
      return await until(() => this.tryLoan(length), this.#waiter, options);
    }
    await yieldOften(options);
    return this.tryLoan(length);
  }

  /** Hands the first `length` bytes of the loan to all subscribers. */
  publish(length?: number, options?: PublishOptions): void {
    this.#checkOpen();
    const origin = this.#originIn(options);
    const loan = this.#loan;
    const { what } = this.#ring;
    if (loan === undefined) {
      throw new VringError(`Cannot publish to ${what}: nothing is loaned; call tryLoan() first`);
    }
    const published = length ?? loan.length;
    if (!Number.isInteger(published) || published < 0 || published > loan.length) {
      throw new RangeError(
        `Cannot publish ${inWords(published)} bytes to ${what}: ${loan.length} are loaned`,
      );
    }
    const at = this.#ring.descriptors.sampleAt(this.#descriptor);
    commitView(this.#ring.region.mapping, at, loan, published);
    this.#hand(published, origin);
  }

  /** Gives the loan back. */
  discard(): void {
    this.#loan = undefined; // the descriptor stays at hand for the next one
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
      this.#waiter,
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
      this.#loan = undefined;
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

  /** Whether a descriptor with memory for so many bytes is at hand; a loan is given up. */
  #ready(length: number): boolean {
    this.#begin(length);
    if (this.#acquire()) return this.#commit(length);
    if (this.#policy !== "block") this.#writer.skip();
    return false;
  }

  /** Blocks until a descriptor with enough memory is at hand, unless the policy drops. */
  #readySync(length: number, options: SyncWaitOptions | undefined): boolean {
    if (options !== undefined) checkWaits(options);
    if (this.#policy !== "block") return this.#ready(length);
    this.#begin(length);
    if (!this.#acquireHinted()) this.#awaitFree(options);
    return this.#commit(length);
  }

  /** Apart from its caller, which would else pay for the closure whether it waits or not. */
  #awaitFree(options: SyncWaitOptions | undefined): void {
    untilSync(() => this.#acquireHinted() || undefined, this.#waiter, options);
  }

  #begin(length: number): void {
    this.#checkOpen();
    this.#encoder.checkIdle();
    if (!Number.isInteger(length) || length < 0 || length > this.maxSample) {
      throw this.#misfit(length);
    }
    this.#loan = undefined;
  }

  #misfit(length: number): RangeError {
    return new RangeError(
      `Cannot publish ${inWords(length)} bytes to ${this.#ring.what}: a sample can have ` +
        `${this.maxSample}; make it with a larger size`,
    );
  }

  #acquire(): boolean {
    if (this.#descriptor === NONE) this.#descriptor = this.#writer.acquire();
    return this.#descriptor !== NONE;
  }

  /** Acquires a free descriptor if the hints show one. */
  #acquireHinted(): boolean {
    if (this.#descriptor === NONE) this.#descriptor = this.#writer.acquireHinted();
    return this.#descriptor !== NONE;
  }

  #lend(length: number): Uint8Array<ArrayBuffer> {
    const d = this.#descriptor;
    const { mapping } = this.#ring.region;
    return this.#loan = this.#views[d] = claimView(
      mapping,
      this.#ring.descriptors.sampleAt(d),
      length,
      this.#views[d],
    );
  }

  /** Encodes a value into a sample, and hands it to all; false if no sample is ready. */
  #send(value: T, waits: boolean, options?: SyncWaitOptions & PublishOptions): boolean {
    this.#checkOpen();
    const origin = this.#originIn(options);
    const encoder = this.#encoder;
    const prepared = encoder.prepare(value);
    const bound = encoder.bound(prepared);
    const { descriptors, region: { mapping } } = this.#ring;
    let length: number;
    if (encoder.isExact || bound <= Math.min(pageSize(), this.maxSample)) {
      if (!this.#readyFor(bound, waits, options)) return false;
      length = encoder.into(prepared, mapping, descriptors.sampleAt(this.#descriptor), bound);
      if (length < 0) this.#checkOpen();
    } else { // no memory is committed that the value does not take
      const bytes = encoder.toBytes(prepared);
      ({ length } = bytes);
      if (!this.#readyFor(length, waits, options)) return false;
      copyIn(mapping, descriptors.sampleAt(this.#descriptor), bytes, length);
    }
    this.#hand(length, origin);
    return true;
  }

  #readyFor(length: number, waits: boolean, options: SyncWaitOptions | undefined): boolean {
    return waits ? this.#readySync(length, options) : this.#ready(length);
  }

  #originIn(options: PublishOptions | undefined): Origin | undefined {
    const origin = options?.origin;
    if (origin === undefined) return undefined;
    return checkedOrigin(origin, `a sample of ${this.#ring.what}`);
  }

  #commit(length: number): true {
    const descriptor = this.#descriptor;
    this.#descriptor = NONE; // the writer has it back if it throws
    this.#descriptor = this.#writer.commit(descriptor, length);
    return true;
  }

  #hand(length: number, origin: Origin | undefined): void {
    const descriptor = this.#descriptor;
    this.#descriptor = NONE;
    this.#loan = undefined;
    this.#writer.publish(descriptor, length, origin);
    try {
      this.#acquireHinted(); // for the next one, while the subscribers are busy with this one
    } catch {
      // This sample is published. The next call reports the error.
    }
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
