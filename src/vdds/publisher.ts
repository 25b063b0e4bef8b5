/**
 * The sending end of a topic; vring.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkObject, inWords } from "../arguments.ts";
import {
  type Claim,
  type Claimant,
  ClaimedMemory,
  originIn,
  type PublishOptions,
} from "../claim.ts";
import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import { isCount } from "../layout/sizes.ts";
import { claimView, copyIn } from "../memory/word.ts";
import { type Bytes, type Input, type Type, viewsOf } from "../message.ts";
import type { Origin } from "../origin.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { waitForPeers } from "../region/peers.ts";
import { SeatState } from "../region/seats.ts";
import { sinkStream } from "../streams.ts";
import { type SyncWaitOptions, until, type WaitOptions } from "../wait/until.ts";
import type { CodecOf } from "./sample.ts";
import type { Sources } from "./sources.ts";
import { Supply } from "./supply.ts";
import { countersOf, type TopicCounters, type TopicPolicy } from "./topic.ts";
import type { LoanOptions } from "./topic_options.ts";
import type { VRing } from "./vring.ts";
import { NONE } from "./vring_layout.ts";
import { VRingWriter } from "./vring_writer.ts";

/**
 * Memory for one sample, to write in place. Fill `bytes` or `view`, and then publish it; disposing
 * it instead gives the memory back. You can publish loans in any order: a sample gets its number
 * when it is published.
 */
export interface Loan<K extends Type = Bytes> extends Claim<K> {
  /** Publishes the first `length` bytes, by default all, to all subscribers. This ends the loan. */
  publish(length?: number, options?: PublishOptions): void;
}

/** The behaviour of a call when no sample is free. */
type IfNone =
  /** It applies the policy, and returns. */
  | "applyPolicy"
  /** It returns, and tries again later. */
  | "retry"
  /** It blocks the thread. */
  | "block";

/** The most samples to count as lost at once: half of the stamps, which repeat (vring.ts, I4). */
const LOST_MAX = 2 ** 29;

/** The parts of a publisher. The region holds the writer's role. */
interface Parts<K extends Type> {
  readonly name: string;
  readonly source: string | undefined;
  readonly sources: Sources | undefined;
  readonly ring: VRing;
  readonly codec: CodecOf<K>;
  readonly policy: TopicPolicy;
}

/**
 * Publishes the samples of a topic. A topic has one publisher at a time, or one for each source;
 * when it closes or dies, another can take over. It needs no subscriber.
 *
 * `try` methods never wait: when no sample is free, they apply the topic's policy. Other methods
 * wait for a free sample, and under "dropOldest" only while subscribers hold all samples. A slow
 * subscriber may lose samples under the policies that drop, and learns how many it lost. The
 * samples that it holds stay valid.
 *
 * @example A frame, filled in place
 * ```ts
 * import { topic } from "@vring/vring";
 *
 * const camera = topic("example/camera", { size: 640 * 480 });
 * using publisher = camera.publisher();
 * using subscriber = camera.subscriber(); // in another process
 * publisher.tryFill(({ bytes }) => void bytes.fill(128)); // in shared memory, where the subscriber sees it
 * using sample = await subscriber.take();
 * console.log(sample?.sequence, sample?.bytes.length); // 1 307200
 * ```
 */
export class Publisher<K extends Type = Bytes> implements Disposable {
  /** The name of the topic; for a source, the name of its own topic, such as "lidar/left". */
  readonly name: string;
  /** The source, in a topic with many publishers; undefined in others. */
  readonly source: string | undefined;
  /** The number of samples in memory. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly maxSample: number;
  readonly #ring: VRing;
  readonly #sources: Sources | undefined;
  readonly #writer: VRingWriter;
  readonly #encoder: Encoder<Input<K>>;
  readonly #supply: Supply;
  readonly #lender: Claimant<K>;
  readonly #filled: ClaimedMemory<K>; // by a handler; a handler in it fills another one
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // of each descriptor: what was loaned of it last

  /** @ignore */
  constructor(
    { name, source, sources, ring, codec, policy: { policy, history, quota } }: Parts<K>,
  ) {
    this.name = name;
    this.source = source;
    this.depth = ring.plan.depth;
    this.maxSample = ring.plan.sampleBytes;
    this.#ring = ring;
    this.#sources = sources;
    this.#encoder = encoderOf(codec as unknown as Codec<Input<K>>, "publish to", ring.what);
    this.#writer = new VRingWriter(ring, { dropsOldest: policy === "dropOldest", history, quota });
    this.#supply = new Supply(ring, this.#writer, {
      policy,
      history,
      checkIdle: () => this.#encoder.checkIdle(),
    });
    this.#lender = {
      what: ring.what,
      mapping: ring.region.mapping,
      noun: "loan",
      checkOpen: () => this.#checkOpen(),
      view: viewsOf(codec),
      publish: (length, d, origin) => {
        this.#supply.loans--;
        this.#publish(d, length, origin);
      },
      discard: (d) => {
        this.#supply.loans--;
        this.#supply.takeBack(d);
      },
    };
    this.#filled = new ClaimedMemory(this.#lender);
    disposeAtEnd(this);
    ring.writer.state.store(SeatState.open);
    ring.region.mapping.checkWhole();
    sources?.announce();
  }

  /** The number of subscribers that are alive and online. */
  get peers(): number {
    this.#checkOpen();
    const count = this.#ring.countReaders();
    this.#ring.region.mapping.checkWhole();
    return count;
  }

  /** Resolves once there are at least `count` subscribers. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: "subscriber", what: this.#ring.what }, options);
  }

  /** The counters of the samples so far, of all publishers. */
  get counters(): TopicCounters {
    this.#checkOpen();
    const counters = countersOf(this.#ring);
    this.#ring.region.mapping.checkWhole();
    return counters;
  }

  /** The number of the last sample; one that was dropped unsent has a number too. */
  get sequence(): number {
    return this.#writer.sequence;
  }

  /** Whether this publisher is closed. */
  get closed(): boolean {
    return this.#ring.region.closed;
  }

  /**
   * Loans memory for one sample, to fill in place; returns undefined when no sample is free. Under
   * the policies that drop, that counts as a lost sample. Under "dropOldest" a loan may drop the
   * oldest unread sample, which stays dropped if you give the loan back.
   *
   * A publisher can hold several loans, up to `depth - history - 1` and at least one, and publish
   * them in any order. One more throws a VringError: only this publisher could free memory for it.
   */
  tryLoan(options?: LoanOptions): Loan<K> | undefined {
    const length = this.#lengthIn(options);
    const d = this.#supply.take(length, this.#supply.loansMost);
    return d === NONE ? undefined : this.#lend(d, length);
  }

  /** Blocks until a sample is free, or can be dropped, and loans its memory. */
  loanSync(options?: LoanOptions & SyncWaitOptions): Loan<K> {
    const length = this.#lengthIn(options);
    return this.#lend(this.#supply.takeSync(length, this.#supply.loansMost, options), length);
  }

  /** Resolves with a loan once a sample is free, or can be dropped. */
  async loan(options?: LoanOptions & WaitOptions): Promise<Loan<K>> {
    const length = this.#lengthIn(options);
    const supply = this.#supply;
    const attempt = () => {
      const d = supply.takeLater(length, supply.loansMost);
      return d === NONE ? undefined : this.#lend(d, length);
    };
    return await until(attempt, supply.waiter, options);
  }

  /**
   * Lets the handler fill a sample in place, and publishes it; returns false when no sample is
   * free, as `trySend` does. The handler returns the number of bytes to publish; undefined means
   * all. If it throws, nothing is published. Allocates nothing.
   */
  tryFill(
    handler: (loan: Loan<K>) => number | void,
    length?: number,
    options?: PublishOptions,
  ): boolean {
    if (length === undefined) length = this.maxSample;
    checkHandler(handler, "publish to", this.#ring.what);
    const supply = this.#supply;
    const d = supply.take(length, supply.most);
    if (d === NONE) return false;
    const loan = this.#filled.isOpen ? new ClaimedMemory(this.#lender) : this.#filled;
    this.#begin(loan, d, length).fill(handler, options);
    return true;
  }

  /**
   * Copies or encodes a value into a sample and publishes it; returns false when no sample is free.
   * Under the policies that drop, the value then counts as lost.
   */
  trySend(value: Input<K>, options?: PublishOptions): boolean {
    return this.#send(value, "applyPolicy", options);
  }

  /** Blocks until a sample is free, or can be dropped, and publishes a value in it. */
  sendSync(value: Input<K>, options?: SyncWaitOptions & PublishOptions): void {
    this.#send(value, "block", options);
  }

  /**
   * Publishes a value once a sample is free, or can be dropped. Do not change the value until the
   * promise resolves.
   */
  async send(value: Input<K>, options?: WaitOptions & PublishOptions): Promise<void> {
    const attempt = () => this.#send(value, "retry", options) || undefined;
    await until(attempt, this.#supply.waiter, options);
  }

  /**
   * Counts samples as lost that this publisher never got, such as those that a network lost. They
   * take the next numbers, and the sample after them tells each subscriber in `lost`. Throws a
   * RangeError unless `count` is 0 to 2^29.
   */
  countLost(count: number): void {
    this.#checkOpen();
    if (!isCount(count, LOST_MAX)) {
      throw new RangeError(
        `Cannot count ${
          inWords(count)
        } samples of ${this.#ring.what} as lost: pass 0 to ${LOST_MAX}`,
      );
    }
    if (count > 0) this.#writer.skip(count);
  }

  /**
   * Returns a stream that publishes each chunk; closing it closes this publisher. After an abort or
   * a failed write the publisher has left without a close, as if it had died.
   */
  toWritableStream(options?: WaitOptions): WritableStream<Input<K>> {
    if (options === undefined) options = {};
    const send = (value: Input<K>, waits: WaitOptions) => this.send(value, waits);
    return sinkStream(
      { send, close: () => this.close(), abort: () => this.#leave(false) },
      options,
    );
  }

  /**
   * Closes this publisher. Subscribers still get the published samples. `using` closes it too, even
   * if an error leaves the block: a topic has no `end()` that says that the samples are complete.
   */
  close(): void {
    this.#leave(true);
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes this handle; subscribers see a close if the publisher has `ended`, and else a loss. */
  #leave(ended: boolean): void {
    const ring = this.#ring;
    if (ring.region.closed) return;
    using stack = new DisposableStack();
    const sources = this.#sources;
    if (sources !== undefined) { // announced once this publisher has left its topic
      stack.use(sources);
      stack.defer(() => sources.announceLast());
    }
    ring.region.close(() => {
      ring.writer.state.store(ended ? SeatState.closed : SeatState.lost);
      this.#writer.close();
    });
  }

  #lengthIn(options: LoanOptions | undefined): number {
    if (options === undefined) return this.maxSample;
    checkObject(options, "loan a sample");
    const { length = this.maxSample } = options;
    return length;
  }

  #lend(d: number, length: number): Loan<K> {
    return this.#begin(new ClaimedMemory(this.#lender), d, length);
  }

  #begin(loan: ClaimedMemory<K>, d: number, length: number): ClaimedMemory<K> {
    const { descriptors, region: { mapping } } = this.#ring;
    const at = descriptors.sampleAt(d);
    const bytes = this.#views[d] = claimView(mapping, at, length, this.#views[d]);
    this.#supply.loans++;
    return loan.begin(at, length, d, bytes);
  }

  /** Encodes a value into a sample and publishes it; returns false when no sample is free. */
  #send(value: Input<K>, ifNone: IfNone, options?: SyncWaitOptions & PublishOptions): boolean {
    this.#checkOpen();
    const origin = originIn(options, this.#ring.what);
    const encoder = this.#encoder;
    const prepared = encoder.prepare(value);
    const bound = encoder.bound(prepared);
    const { descriptors, region: { mapping } } = this.#ring;
    if (encoder.isExact || bound <= Math.min(pageSize(), this.maxSample)) {
      const d = this.#takeFor(bound, ifNone, options);
      if (d === NONE) return false;
      this.#publish(d, this.#encode(d, prepared, bound), origin);
    } else { // no memory is committed that the value does not take
      const bytes = encoder.toBytes(prepared);
      const { length } = bytes;
      const d = this.#takeFor(length, ifNone, options);
      if (d === NONE) return false;
      copyIn(mapping, descriptors.sampleAt(d), bytes, length);
      this.#publish(d, length, origin);
    }
    return true;
  }

  #takeFor(length: number, ifNone: IfNone, options: SyncWaitOptions | undefined): number {
    const supply = this.#supply;
    if (ifNone === "applyPolicy") return supply.take(length, supply.most);
    if (ifNone === "block") return supply.takeSync(length, supply.most, options);
    return supply.takeLater(length, supply.most);
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

  #publish(d: number, length: number, origin: Origin | undefined): void {
    this.#writer.publish(d, length, origin);
  }

  #checkOpen(): void {
    this.#ring.region.checkOpen();
  }
}
