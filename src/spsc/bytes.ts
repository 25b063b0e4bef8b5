/**
 * The ends of a ring that carries bytes without messages.
 *
 * What is claimed and what is peeked is contiguous, wherever in the ring it begins: the data is
 * mapped twice, so there is no padding and no rule for the end.
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

/** Throws unless so many bytes can be in a ring at once. */
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
  waitSync(bytes: number, options: SyncWaitOptions = {}): void {
    checkWaits(options);
    if (!this.#findCount(bytes)) this.whenRoomSync(() => this.#findCount(bytes), options);
  }

  /** Resolves once `bytes` bytes are free. */
  async wait(bytes: number, options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.#findCount(bytes), options);
  }

  #findCount(bytes: number): true | undefined {
    this.end.checkOpen();
    checkCount("wait for", bytes, this.capacity);
    return this.findRoom(bytes);
  }

  /** A stream into the ring, which takes no more than fits; closing or aborting it closes this end. */
  toWritableStream(options: WaitOptions = {}): WritableStream<Uint8Array> {
    const send = async (bytes: Uint8Array, options: WaitOptions) => {
      let sent = 0;
      await this.whenRoom(() => {
        const left = byteLengthOf(bytes, "write to", this.end.what) - sent;
        const written = this.#write(bytes, sent, Math.max(0, left));
        sent += written;
        if (written === left || left <= 0) return true;
        this.findRoom(1); // for the next part
        return undefined;
      }, options);
    };
    return sinkStream({ send, close: () => this.close() }, options);
  }

  /** Copies as many of the `left` bytes from `start` on as fit; gives how many. */
  #write(bytes: Uint8Array, start: number, left: number): number {
    this.discard();
    this.end.checkOpen();
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

/** How many bytes to wait for, and how long. */
export interface SyncBytesOptions extends SyncWaitOptions {
  /** How many; 1 by default. */
  bytes?: number;
}

/** How many bytes to wait for, how long, and who may call it off. */
export interface BytesOptions extends WaitOptions {
  /** How many; 1 by default. */
  bytes?: number;
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
  #wanted = 1; // bytes that the last attempt has not found
  #shown = 0; // bytes that were peeked at and not released

  private constructor(at: LaneEnd) {
    this.name = at.end.name;
    this.capacity = at.place.capacity;
    this.#end = at.end;
    this.#at = at;
    this.#lane = new LaneReceiver(at.place);
    this.#waiter = at.end.waiter(() => [this.#bytes(this.#wanted)]);
    disposeAtEnd(this);
  }

  /** How many bytes lie in the ring, unread. */
  get available(): number {
    this.#end.checkOpen();
    return this.#lane.look();
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.available;
  }

  /** How many of the next bytes a consumer that died, or left without releasing, may have seen. */
  get redelivered(): number {
    this.#end.checkOpen();
    return this.#lane.redelivered;
  }

  /** Whether the producer has closed and everything was released. */
  get ended(): boolean {
    this.#end.checkOpen();
    return this.#end.peerHasClosed() && this.#lane.look() === 0;
  }

  /** Everything that can be read, in place and contiguous; of length 0 if there is nothing. */
  peek(): Uint8Array<ArrayBuffer> {
    this.#end.checkOpen();
    const length = this.#lane.look();
    this.#lane.take(length); // before it is shown: if this consumer dies now, it may have been seen
    this.#shown = length;
    return peekView(this.#at.place.mapping, this.#lane.offset, length);
  }

  /** Gives back the first `length` bytes of what was peeked at: the producer may overwrite them. */
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
   * Blocks the thread until there are bytes, one or as many as `bytes` says; false if there are fewer
   * and the producer has closed.
   */
  waitSync(options: SyncBytesOptions = {}): boolean {
    checkWaits(options);
    const { bytes = 1 } = options;
    return this.#look(bytes) ?? untilSync(() => this.#look(bytes), this.#waiter, options);
  }

  /**
   * Resolves once there are bytes, one or as many as `bytes` says; with false if there are fewer and
   * the producer has closed.
   */
  wait(options: BytesOptions = {}): Promise<boolean> {
    return until(() => this.#look(options.bytes ?? 1), this.#waiter, options);
  }

  /** Whether there are so many bytes; undefined while there are fewer and more can come. */
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
   * A stream of the bytes, into the reader's own array if it brings one; cancelling it closes this
   * end.
   */
  toReadableStream(options: WaitOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    return byteStream({
      wait: (options) => this.wait(options),
      chunkBytes: () => this.available,
      read: (target) => this.#read(target),
      close: () => this.close(),
    }, options);
  }

  /** Leaves. What was not released stays for the next consumer, while the ring lives. */
  close(): void {
    this.#end.close(this.#at.place.spaceBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Copies as many bytes as are there and fit; gives how many. */
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
