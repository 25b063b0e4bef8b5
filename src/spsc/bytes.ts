/**
 * The ends of a ring that carries bytes without messages.
 *
 * Claims and peeks are contiguous wherever in the ring they begin: the data is mapped twice, so the
 * ring needs no padding and no rule for its end.
 *
 * @module
 */

import { byteLengthOf, checkWaits, inWords, partOf } from "../arguments.ts";
import { copyIn, copyOut, peekView } from "../memory/word.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Endpoint, LaneEnd } from "../lane/endpoint.ts";
import { LaneReceiver } from "../lane/lane.ts";
import { Sender } from "../lane/sender.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { byteStream, sinkStream } from "../streams.ts";

let makeProducer: (at: LaneEnd) => SpscByteProducer;
let makeConsumer: (at: LaneEnd) => SpscByteConsumer;

/** The producer's end, in use. */
export function byteProducerOn(at: LaneEnd): SpscByteProducer {
  return at.end.use(() => makeProducer(at));
}

/** The consumer's end, in use. */
export function byteConsumerOn(at: LaneEnd): SpscByteConsumer {
  return at.end.use(() => makeConsumer(at));
}

/** Throws if the ring can never hold so many bytes at once. */
function checkCount(action: string, bytes: number, capacity: number): void {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= capacity) return;
  throw new RangeError(`Cannot ${action} ${inWords(bytes)} bytes: the ring holds 0 to ${capacity}`);
}

/**
 * The one producer of a ring of bytes; `SpscProducer.open(name, { level: "bytes" })` makes it.
 *
 * @example Bytes, written in place and read in place
 * ```ts
 * import { SpscConsumer, SpscProducer } from "@vring/vring";
 *
 * using producer = SpscProducer.open("example-bytes", { level: "bytes" });
 * using consumer = SpscConsumer.open("example-bytes", { level: "bytes" }); // in another process
 * producer.claimSync(4).set([1, 2, 3]);
 * producer.publish(3);
 * console.log(consumer.peek()); // 1, 2, 3
 * consumer.release(2);
 * console.log(consumer.peek()); // 3
 * producer.end(); // otherwise the consumer gets a PeerLostError after the last byte
 * ```
 */
export class SpscByteProducer extends Sender {
  static {
    makeProducer = (at) => new SpscByteProducer(at);
  }

  private constructor(at: LaneEnd) {
    super(at);
  }

  /** Blocks the thread until `bytes` bytes are free. */
  waitSync(bytes: number, options?: SyncWaitOptions): void {
    if (options !== undefined) checkWaits(options);
    if (!this.#findCount(bytes)) this.whenRoomSync(() => this.#findCount(bytes), options);
  }

  /** Resolves once `bytes` bytes are free. */
  async wait(bytes: number, options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.#findCount(bytes), options);
  }

  #findCount(bytes: number): true | undefined {
    this.endpoint.checkOpen();
    checkCount("wait for", bytes, this.capacity);
    return this.findRoom(bytes);
  }

  /** Closes this end as lost, as `abort()` does, unless it has ended. */
  close(): void {
    this.abort();
  }

  /**
   * Returns a stream into the ring that waits for room. Closing it ends this end; aborting it, or a
   * write that fails, aborts.
   */
  toWritableStream(options: WaitOptions = {}): WritableStream<Uint8Array> {
    const send = async (bytes: Uint8Array, options: WaitOptions) => {
      let sent = 0;
      await this.whenRoom(() => {
        const left = byteLengthOf(bytes, "write to", this.endpoint.what) - sent;
        const written = this.#write(bytes, sent, Math.max(0, left));
        sent += written;
        if (written === left || left <= 0) return true;
        this.findRoom(1); // for the next part
        return undefined;
      }, options);
    };
    return sinkStream({ send, close: () => this.end(), abort: () => this.abort() }, options);
  }

  /** Copies as many of the `left` bytes from `start` on as fit, and returns their number. */
  #write(bytes: Uint8Array, start: number, left: number): number {
    this.discard();
    this.endpoint.checkOpen();
    const length = this.lane.hasRoom(left) ? left : Math.min(left, this.free);
    if (length === 0 || !this.lane.hasRoom(length)) return 0;
    copyIn(this.lane.place.mapping, this.lane.offset, partOf(bytes, start, length));
    this.lane.publish(length);
    return length;
  }

  /** @ignore */
  protected override bytesFor(length: number): number {
    return length;
  }

  /** @ignore */
  protected override claimOffset(): number {
    return this.lane.offset;
  }

  /** @ignore */
  protected override checkLength(length: number): void {
    checkCount("claim", length, this.capacity);
  }

  /** @ignore */
  protected override publishClaimed(length: number): void {
    if (length > 0) this.lane.publish(length);
  }
}

/** The number of bytes to wait for, and the timeout. */
export interface SyncBytesOptions extends SyncWaitOptions {
  /** The number of bytes; 1 by default. */
  bytes?: number | undefined;
}

/** The number of bytes to wait for, the timeout, and the signal that aborts the wait. */
export interface BytesOptions extends WaitOptions {
  /** The number of bytes; 1 by default. */
  bytes?: number | undefined;
}

/** The one consumer of a ring of bytes; `SpscConsumer.open(name, { level: "bytes" })` makes it. */
export class SpscByteConsumer implements Disposable, Waitable {
  static {
    makeConsumer = (at) => new SpscByteConsumer(at);
  }

  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds. */
  readonly capacity: number;
  readonly #end: Endpoint;
  readonly #at: LaneEnd;
  readonly #lane: LaneReceiver;
  readonly #waiter: Waiter;
  #wanted = 1; // bytes that the last attempt did not find
  #shown = 0; // bytes peeked at and not released

  private constructor(at: LaneEnd) {
    this.name = at.end.name;
    this.capacity = at.place.capacity;
    this.#end = at.end;
    this.#at = at;
    this.#lane = new LaneReceiver(at.place);
    this.#waiter = at.end.waiter(() => [this.#bytes(this.#wanted)]);
    disposeAtEnd(this);
  }

  /** The number of unread bytes in the ring. */
  get available(): number {
    this.#end.checkOpen();
    return this.#lane.look();
  }

  /** The number of free bytes in the ring. */
  get free(): number {
    return this.capacity - this.available;
  }

  /** The number of bytes that an earlier consumer may have seen and did not release. */
  get redelivered(): number {
    this.#end.checkOpen();
    return this.#lane.redelivered;
  }

  /** Whether the producer has ended and everything was released. */
  get ended(): boolean {
    this.#end.checkOpen();
    return this.#end.peerHasClosed() && this.#lane.look() === 0;
  }

  /** Shows all readable bytes in place and contiguous; the view is empty when the ring is. */
  peek(): Uint8Array<ArrayBuffer> {
    this.#end.checkOpen();
    const length = this.#lane.look();
    this.#lane.take(length); // first: a consumer that dies after this may have seen them
    this.#shown = length;
    return peekView(this.#at.place.mapping, this.#lane.offset, length);
  }

  /** Releases the first `length` peeked bytes, so that the producer may overwrite them. */
  release(length: number): void {
    this.#end.checkOpen();
    if (!Number.isInteger(length) || length < 0 || length > this.#shown) {
      throw new RangeError(
        `Cannot release ${inWords(length)} bytes: ${this.#shown} were peeked at`,
      );
    }
    if (length === 0) return;
    this.#shown -= length;
    this.#lane.release(length);
  }

  /**
   * Blocks the thread until `bytes` bytes are readable, one by default; returns false if the
   * producer ends with fewer.
   */
  waitSync(options: SyncBytesOptions = {}): boolean {
    checkWaits(options);
    const { bytes = 1 } = options;
    return this.#look(bytes) ?? untilSync(() => this.#look(bytes), this.#waiter, options);
  }

  /**
   * Resolves once `bytes` bytes are readable, one by default, or with false if the producer ends
   * with fewer.
   */
  wait(options: BytesOptions = {}): Promise<boolean> {
    return until(() => this.#look(options.bytes ?? 1), this.#waiter, options);
  }

  /** Returns whether the wanted bytes are readable; undefined while more can still arrive. */
  #look(bytes: number): boolean | undefined {
    this.#end.checkOpen();
    checkCount("wait for", bytes, this.capacity);
    this.#wanted = bytes;
    if (this.#lane.look() >= bytes) return true;
    return this.#end.peerHasClosed() ? this.#lane.look() >= bytes : undefined;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#end.checkOpen();
    return [this.#bytes(1)];
  }

  /**
   * Returns a stream of the bytes, which fills the reader's own array if it brings one; cancelling
   * it closes this end. It fails with a PeerLostError where the producer left without `end()`.
   */
  toReadableStream(options: WaitOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    return byteStream({
      wait: (options) => this.wait(options),
      chunkBytes: () => this.available,
      read: (target) => this.#read(target),
      close: () => this.close(),
    }, options);
  }

  /** Closes this end. Unreleased bytes stay for the next consumer as long as the ring exists. */
  close(): void {
    this.#end.close(this.#at.place.spaceBell);
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Copies as many readable bytes as fit, and returns their number. */
  #read(target: Uint8Array<ArrayBuffer>): number {
    this.#end.checkOpen();
    const length = Math.min(target.length, this.#lane.look());
    copyOut(this.#at.place.mapping, this.#lane.offset, target, length);
    this.#shown = Math.max(0, this.#shown - length);
    this.#lane.release(length);
    return length;
  }

  #bytes(count: number): Condition {
    return {
      bell: this.#at.bell,
      watch: this.#lane.head,
      ready: () => this.#lane.look() >= count || this.#end.peerHasClosed(),
      beforeSleep: () => this.#end.peerIsLost() && this.#lane.look() < count ? "lost" : undefined,
    };
  }
}
