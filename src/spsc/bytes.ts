/**
 * The ends of a ring that carries bytes without messages.
 *
 * Claims and peeks are contiguous wherever in the ring they begin: the data is mapped twice, so the
 * ring needs no padding and no rule for its end.
 *
 * @module
 */

import { checkSyncWaits, inWords } from "../arguments.ts";
import { byteLengthOf, partOf, trueLengthOf } from "../arrays.ts";
import { bytes as plainBytes } from "../codec.ts";
import { endView } from "../memory/views.ts";
import { copyIn, copyOut, peekView } from "../memory/word.ts";
import { CONDITIONS, LOST, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Endpoint, LaneEnd } from "../lane/endpoint.ts";
import { RingHandle } from "../lane/handle.ts";
import { LaneReceiver } from "../lane/lane.ts";
import { Sender } from "../lane/sender.ts";
import { byteStream, sinkStream } from "../streams.ts";

/** Throws a RangeError if the ring can never hold `bytes` bytes at once. */
function checkCount(action: string, bytes: number, capacity: number): void {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= capacity) return;
  throw new RangeError(`Cannot ${action} ${inWords(bytes)} bytes: the ring holds 0 to ${capacity}`);
}

/**
 * The one producer of a ring of bytes; `byteRing(name).producer()` opens it.
 *
 * @example Bytes, written in place and read in place
 * ```ts
 * import { byteRing } from "@vring/vring";
 *
 * const ring = byteRing("example-bytes");
 * using producer = ring.producer();
 * using consumer = ring.consumer(); // in another process
 * const claim = producer.claimSync(4);
 * claim.bytes.set([1, 2, 3]);
 * claim.publish(3);
 * console.log(consumer.peek()); // 1, 2, 3
 * consumer.release(2);
 * console.log(consumer.peek()); // 3
 * producer.end(); // otherwise the consumer gets a PeerLostError after the last byte
 * ```
 */
export class ByteProducer extends Sender {
  /** @ignore */
  constructor(at: LaneEnd) {
    super(at, plainBytes());
  }

  /** Copies as many bytes into the ring as fit, and returns their number. Never waits. */
  tryWrite(bytes: Uint8Array): number {
    this.endpoint.checkOpen();
    return this.#write(bytes, 0, byteLengthOf(bytes, "write to", this.endpoint.what));
  }

  /**
   * Blocks the thread until all the bytes are in the ring, as many at a time as fit. If it throws,
   * the ring may already have a part of them.
   */
  writeSync(bytes: Uint8Array, options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWaits(options);
    const attempt = this.#writing(bytes);
    if (!attempt()) this.whenRoomSync(attempt, options);
  }

  /**
   * Resolves once all the bytes are in the ring, as many at a time as fit. If it rejects, the ring
   * may already have a part of them. Await it before the next write.
   */
  async write(bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    await until(this.#writing(bytes), this.waiter, options);
  }

  /** Returns an attempt to write the rest of the bytes. */
  #writing(bytes: Uint8Array): () => true | undefined {
    let sent = 0;
    return () => {
      this.endpoint.checkOpen();
      const left = byteLengthOf(bytes, "write to", this.endpoint.what) - sent;
      const written = this.#write(bytes, sent, Math.max(0, left));
      sent += written;
      if (written === left || left <= 0) return true;
      this.findRoom(1); // for the next part
      return undefined;
    };
  }

  /** Blocks the thread until `bytes` bytes are free. */
  waitSync(bytes: number, options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWaits(options);
    if (!this.#findCount(bytes)) this.whenRoomSync(() => this.#findCount(bytes), options);
  }

  /** Resolves once `bytes` bytes are free. */
  async wait(bytes: number, options?: WaitOptions): Promise<void> {
    await until(() => this.#findCount(bytes), this.waiter, options);
  }

  #findCount(bytes: number): true | undefined {
    this.endpoint.checkOpen();
    this.checkNotEnded();
    checkCount("wait for", bytes, this.capacity);
    return this.findRoom(bytes);
  }

  /** Closes this end as lost, as `abort()` does, unless it has ended. */
  override close(): void {
    this.abort();
  }

  /**
   * Returns a stream into the ring that waits for room. Closing it ends the data; aborting it, or a
   * write that fails, aborts.
   */
  toWritableStream(options?: WaitOptions): WritableStream<Uint8Array> {
    if (options === undefined) options = {};
    const send = (bytes: Uint8Array, options: WaitOptions) => this.write(bytes, options);
    return sinkStream({ send, close: () => this.end(), abort: () => this.abort() }, options);
  }

  /** Copies as many of the `left` bytes from `start` on as fit, and returns their number. */
  #write(bytes: Uint8Array, start: number, left: number): number {
    this.checkNotEnded();
    const length = this.lane.hasRoom(left) ? left : Math.min(left, this.free);
    if (length === 0 || !this.hasRoom(length)) return 0;
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
    this.checkNotEnded();
    checkCount("claim", length, this.capacity);
  }

  /** @ignore */
  protected override publishClaimed(length: number): void {
    if (length > 0) this.lane.publish(length);
  }
}

/** The one consumer of a ring of bytes; `byteRing(name).consumer()` opens it. */
export class ByteConsumer extends RingHandle implements Waitable {
  readonly #end: Endpoint;
  readonly #at: LaneEnd;
  readonly #lane: LaneReceiver;
  readonly #waiter: Waiter;
  #isTold = false; // `waitAny` returned it because the producer was lost, and no attempt has thrown yet
  #wanted = 1; // bytes that the last attempt did not find
  #shown = 0; // bytes peeked at and not released
  #peeked: Uint8Array<ArrayBuffer> | undefined; // the last view of them

  /** @ignore */
  constructor(at: LaneEnd) {
    super(at.end, at.place.capacity);
    this.#end = at.end;
    this.#at = at;
    this.#lane = new LaneReceiver(at.place);
    this.#waiter = at.end.waiter(() => [this.#bytes(this.#wanted)]);
  }

  /** The number of unread bytes in the ring. */
  override get available(): number {
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

  /**
   * Copies as many readable bytes into `target` as fit, and releases them. Returns their number,
   * which is 0 when the ring is empty. Never waits.
   */
  tryRead(target: Uint8Array<ArrayBuffer>): number {
    this.#end.checkOpen();
    const space = byteLengthOf(target, "read from", this.#end.what);
    const length = Math.min(space, this.#lane.look());
    if (length === 0) {
      this.#reportLoss();
      return 0;
    }
    copyOut(this.#at.place.mapping, this.#lane.offset, target, length);
    this.#release(Math.min(this.#shown, length), length);
    return length;
  }

  /**
   * Blocks the thread until bytes are readable, copies as many into `target` as fit, and releases
   * them. Returns their number, which is 0 once `ended`.
   */
  readSync(target: Uint8Array<ArrayBuffer>, options?: SyncWaitOptions): number {
    if (options !== undefined) checkSyncWaits(options);
    const attempt = this.#reading(target);
    return attempt() ?? untilSync(attempt, this.#waiter, options);
  }

  /**
   * Copies as many bytes into `target` as fit once any are readable, and releases them. Resolves
   * with their number, which is 0 once `ended`.
   */
  read(target: Uint8Array<ArrayBuffer>, options?: WaitOptions): Promise<number> {
    return until(this.#reading(target), this.#waiter, options);
  }

  /** Returns an attempt to read, which has the outcome 0 for an empty target too. */
  #reading(target: Uint8Array<ArrayBuffer>): () => number | undefined {
    return () => {
      const length = this.tryRead(target);
      if (length > 0 || trueLengthOf(target) === 0) return length;
      const more = this.#look(1);
      return more === undefined ? undefined : more ? this.tryRead(target) : 0;
    };
  }

  /**
   * Returns a contiguous view of all readable bytes in place; it is empty when the ring is empty.
   */
  peek(): Uint8Array<ArrayBuffer> {
    this.#end.checkOpen();
    const length = this.#lane.look();
    if (length === 0) this.#reportLoss();
    this.#lane.take(length); // first: a consumer that dies after this may have seen them
    this.#shown = length;
    return this.#peeked = peekView(this.#at.place.mapping, this.#lane.offset, length);
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
    this.#release(length, length);
  }

  /** Releases bytes, the first of which were shown. */
  #release(shown: number, length: number): void {
    this.#shown -= shown;
    if (this.#shown === 0 && this.#peeked !== undefined) {
      endView(this.#peeked);
      this.#peeked = undefined;
    }
    this.#lane.release(length);
  }

  /**
   * Blocks the thread until `bytes` bytes are readable; returns false if the producer ends with
   * fewer.
   */
  waitSync(bytes?: number, options?: SyncWaitOptions): boolean {
    if (bytes === undefined) bytes = 1;
    if (options !== undefined) checkSyncWaits(options);
    return this.#look(bytes) ?? untilSync(() => this.#look(bytes), this.#waiter, options);
  }

  /** Resolves once `bytes` bytes are readable, or with false if the producer ends with fewer. */
  wait(bytes?: number, options?: WaitOptions): Promise<boolean> {
    if (bytes === undefined) bytes = 1;
    return until(() => this.#look(bytes), this.#waiter, options);
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
    return [{ ...this.#bytes(1), isSteady: true }];
  }

  /** @ignore */
  [LOST](): void {
    this.#isTold = true;
  }

  #reportLoss(): void {
    if (!this.#isTold) return;
    this.#isTold = false;
    if (this.#end.peerIsLost()) throw this.#end.peerLost();
  }

  /**
   * Returns a byte stream, which fills the array of a BYOB reader in place; cancelling it closes
   * this end. It fails with a PeerLostError where the producer left without `end()`.
   */
  toReadableStream(options?: WaitOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (options === undefined) options = {};
    return byteStream({
      wait: (options) => this.wait(1, options),
      chunkBytes: () => this.available,
      read: (target) => this.tryRead(target),
      close: () => this.close(),
    }, options);
  }

  /** Closes this end. Unreleased bytes stay for the next consumer as long as the ring exists. */
  override close(): void {
    this.#end.close(this.#at.place.spaceBell);
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
