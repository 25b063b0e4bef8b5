/**
 * The base of all senders through a lane: it claims and publishes space, waits for room, and waits
 * until the receiver is done.
 *
 * @module
 */

import { checkHandler, checkSyncWaits, checkWaits, inWords } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { type Claim, ClaimedMemory } from "../claim.ts";
import { ClosedError } from "../errors.ts";
import { type Encoder, encoderOf, sendsBytes } from "../encoder.ts";
import { isCount } from "../layout/sizes.ts";
import { type Bytes, type Input, sizeOfType, type Type, type View } from "../message.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import {
  begin,
  type SyncWaitOptions,
  until,
  untilLater,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import type { LaneEnd } from "./endpoint.ts";
import { RingHandle } from "./handle.ts";
import { LaneSender } from "./lane.ts";
import type { AnyCodec } from "./message.ts";
import {
  finishRecord,
  longestRecord,
  payloadOffset,
  recordBytes,
  sendRecord,
  writeRecord,
} from "./record.ts";
import { sinkStream } from "../streams.ts";

/** The sending end of a lane, of messages or of bytes. */
export abstract class Sender<K extends Type = Bytes> extends RingHandle {
  readonly #at: LaneEnd;
  readonly #lane: LaneSender;
  readonly #waiter: Waiter;
  readonly #codec: AnyCodec;
  readonly #claim: ClaimedMemory<K>;
  #wanted = 0; // bytes of room that the last attempt did not find

  /** @ignore */
  constructor(at: LaneEnd, codec: AnyCodec) {
    const { end, place } = at;
    super(end, place.capacity);
    this.#at = at;
    this.#codec = codec;
    this.#lane = new LaneSender(place);
    this.#waiter = end.waiter(() => [this.#room(this.#wanted)]);
    this.#claim = new ClaimedMemory<K>({
      what: end.what,
      mapping: place.mapping,
      checkOpen: () => end.checkOpen(),
      view: (bytes) => codec.view?.(bytes) as View<K>,
      publish: (length) => this.publishClaimed(length),
    });
  }

  /** @ignore */
  protected get lane(): LaneSender {
    return this.#lane;
  }

  /** @ignore */
  protected get waiter(): Waiter {
    return this.#waiter;
  }

  /** The number of bytes in the ring, or in this producer's lane, that are not released yet. */
  override get available(): number {
    this.endpoint.checkOpen();
    return this.lane.used;
  }

  /** The number of free bytes in the ring, or in this producer's lane. */
  get free(): number {
    return this.capacity - this.available;
  }

  /**
   * Claims contiguous space in the ring for up to `length` bytes, by default the fixed size of the
   * type; returns undefined when the ring has no room for it. Never waits.
   */
  tryClaim(length?: number): Claim<K> | undefined {
    if (length === undefined) length = this.#fixedLength();
    if (!this.hasRoom(length)) return undefined;
    return this.#claim.begin(this.claimOffset(), length);
  }

  /** Blocks the thread until the ring has room for `length` bytes, and claims it. */
  claimSync(length?: number, options?: SyncWaitOptions): Claim<K> {
    if (options !== undefined) checkSyncWaits(options);
    return this.tryClaim(length) ?? this.whenRoomSync(() => this.tryClaim(length), options);
  }

  /** Resolves with a claim of `length` bytes once the ring has room. */
  claim(length?: number, options?: WaitOptions): Promise<Claim<K>> {
    return until(() => this.tryClaim(length), this.#waiter, options);
  }

  /**
   * Lets a handler fill a message in place, and sends it; returns false when the ring has no room
   * for it. The handler returns the number of bytes to send; undefined means all. If it throws,
   * nothing is sent. Never waits.
   */
  tryFill(handler: (claim: Claim<K>) => number | void, length?: number): boolean {
    checkHandler(handler, "send through", this.endpoint.what);
    if (this.tryClaim(length) === undefined) return false;
    this.#claim.fill(handler);
    return true;
  }

  /**
   * Blocks the thread until the consumer has released everything that was sent. Throws a
   * PeerLostError if the consumer is gone, unless onPeerGone is "wait".
   */
  flushSync(options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWaits(options);
    if (!this.findRoom(this.capacity)) {
      untilSync(() => this.findRoom(this.capacity), this.#flushing(), options);
    }
  }

  /**
   * Resolves once the consumer has released everything that was sent. Rejects with a PeerLostError
   * if the consumer is gone, unless onPeerGone is "wait".
   */
  async flush(options?: WaitOptions): Promise<void> {
    await until(() => this.findRoom(this.capacity), this.#flushing(), options);
  }

  /**
   * Declares that everything was sent: the consumer receives it, and then the end. Sending
   * afterwards throws a ClosedError. `flush()` works until this producer is closed.
   */
  end(): void {
    if (this.closed) return;
    this.beforeEnd();
    this.#claim.end();
    const { end, place, bell } = this.#at;
    end.end(place.dataBell);
    bell.ring(); // wakes sends that wait for room: they throw
  }

  /**
   * Closes this producer as lost, unless it has ended: the consumer receives everything that was
   * sent, and then a PeerLostError.
   */
  abort(): void {
    if (!this.closed && !this.endpoint.hasEnded) this.endpoint.closing(() => this.beforeEnd());
    this.#at.end.abort(this.#at.place.dataBell);
  }

  /**
   * Closes this producer as lost, as `abort()` does, unless it has ended. So data never looks
   * complete when an error leaves a `using` block.
   */
  override [Symbol.dispose](): void {
    this.abort();
  }

  /** Publishes what is written, before this end ends or closes in the middle of a call.
   * @ignore */
  protected beforeEnd(): void {}

  /** Throws if the data has ended.
   * @ignore */
  protected checkNotEnded(): void {
    if (!this.endpoint.hasEnded) return;
    throw new ClosedError(
      `Cannot send through ${this.endpoint.what}: this producer has ended; open another one`,
    );
  }

  #fixedLength(): number {
    const size = sizeOfType(this.#codec);
    if (size !== undefined) return size;
    throw new TypeError(
      `Cannot claim space in ${this.endpoint.what}: its messages have no fixed length; pass one`,
    );
  }

  /** Returns whether a message of this length has room; ends the claim.
   * @ignore */
  protected hasRoom(length: number): boolean {
    this.endpoint.checkOpen();
    return this.roomFor(length);
  }

  /** Returns whether a message of this length has room; ends the claim. This end is open.
   * @ignore */
  protected roomFor(length: number): boolean {
    this.checkLength(length);
    if (this.#claim.isOpen) this.#claim.end();
    const bytes = this.bytesFor(length);
    if (this.lane.hasRoom(bytes)) return true;
    this.#wanted = bytes;
    return false;
  }

  /** Returns true if `bytes` bytes are free, and undefined if not.
   * @ignore */
  protected findRoom(bytes: number): true | undefined {
    this.endpoint.checkOpen();
    this.#wanted = bytes;
    return this.lane.hasRoom(bytes) || undefined;
  }

  /** Blocks the thread and repeats a failed attempt until it finds room.
   * @ignore */
  protected whenRoomSync<R>(attempt: () => R | undefined, options?: SyncWaitOptions): R {
    return untilSync(attempt, this.#waiter, options);
  }

  /** The waits of `flush()`. */
  #flushing(): Waiter {
    const action = `flush ${this.endpoint.what}`;
    const { state: peer } = this.#waiter;
    const state = () => `${this.available} bytes are not released, and ${peer?.()}`;
    return { ...this.#waiter, action, state };
  }

  /** Returns the number of bytes that a message of this length takes in the ring.
   * @ignore */
  protected abstract bytesFor(length: number): number;
  /** Returns the offset in the mapping at which the next message begins.
   * @ignore */
  protected abstract claimOffset(): number;
  /** Throws if no message can ever have this length.
   * @ignore */
  protected abstract checkLength(length: number): void;
  /** Publishes the first `length` bytes of the claim.
   * @ignore */
  protected abstract publishClaimed(length: number): void;

  #room(bytes: number): Condition {
    return {
      bell: this.#at.bell,
      watch: this.lane.tail,
      ready: () => this.lane.hasRoom(bytes),
      beforeSleep: () => this.endpoint.peerIsGone() ? "lost" : undefined,
    };
  }
}

/**
 * The sending end of a ring of messages.
 *
 * Calls that wait at the same time, such as two `send()` without an `await` between them, have no
 * order: the first message that fits is sent first. Await each call where order matters.
 */
export abstract class MessageSender<K extends Type = Bytes> extends Sender<K> {
  /** The longest message that fits, in bytes. */
  readonly maxMessage: number;
  readonly #encoder: Encoder<Input<K>>;
  readonly #sendsBytes: boolean;
  #longest: number; // below 0 once the data has ended
  #isAhead = false; // values of a batch were written and are not published yet

  /** @ignore */
  constructor(at: LaneEnd, codec: AnyCodec) {
    super(at, codec);
    this.maxMessage = this.#longest = longestRecord(at.place.capacity);
    this.#encoder = encoderOf(codec, "send through", this.endpoint.what);
    this.#sendsBytes = sendsBytes(codec);
  }

  /**
   * Copies or encodes a value into the ring; returns false when the ring has no room for it. Never
   * waits. Throws a RangeError if the message is longer than `maxMessage`.
   */
  trySend(value: Input<K>): boolean {
    if (!this.#sendsBytes) {
      if (!this.#encode(value)) return false;
      this.lane.announce();
      return true;
    }
    this.endpoint.checkOpen();
    const length = byteLengthOf(value, "send through", this.endpoint.what);
    if (!this.roomFor(length)) return false;
    sendRecord(this.lane, value as Uint8Array, length);
    return true;
  }

  /**
   * Blocks the thread until the ring has room, and sends a value. Throws a PeerLostError if there
   * is no room and the consumer is gone, unless onPeerGone is "wait".
   */
  sendSync(value: Input<K>, options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWaits(options);
    if (!this.trySend(value)) this.#sendLaterSync(value, options);
  }

  /** Apart from its caller, which otherwise pays for the closure even when it need not wait. */
  #sendLaterSync(value: Input<K>, options: SyncWaitOptions | undefined): void {
    this.whenRoomSync(() => this.trySend(value) || undefined, options);
  }

  /** Sends a value once the ring has room. Do not change it until the promise resolves. */
  async send(value: Input<K>, options?: WaitOptions): Promise<void> {
    if (options === undefined) options = {};
    const turn = begin(this.waiter, options);
    if (turn !== undefined) await turn;
    if (!this.trySend(value)) await this.#sendLater(value, options);
  }

  async #sendLater(value: Input<K>, options: WaitOptions): Promise<void> {
    await untilLater(() => this.trySend(value) || undefined, this.waiter, options);
  }

  /**
   * Sends as many of the values as fit, all visible at once, and returns their number. If a value
   * can never be sent, sends the values before it and throws.
   */
  trySendBatch(values: readonly Input<K>[]): number {
    checkArray(values, this.endpoint.what);
    return this.#trySendFrom(values, 0);
  }

  /** Blocks the thread until all the values are sent, as many at a time as fit. */
  sendBatchSync(values: readonly Input<K>[], options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWaits(options);
    const attempt = this.#batch(values);
    if (!attempt()) this.whenRoomSync(attempt, options);
  }

  /**
   * Resolves once all the values are sent, as many at a time as fit. Do not change the values until
   * the promise resolves.
   */
  async sendBatch(values: readonly Input<K>[], options?: WaitOptions): Promise<void> {
    checkWaits(options);
    await until(this.#batch(values), this.waiter, options);
  }

  /** Returns an attempt to send the rest of a batch. */
  #batch(values: readonly Input<K>[]): () => true | undefined {
    checkArray(values, this.endpoint.what);
    let sent = 0;
    return () => {
      sent += this.#trySendFrom(values, sent);
      return sent >= values.length || undefined;
    };
  }

  /**
   * Ends the data, as `end()` does, and closes this producer. The consumer still receives every
   * message that was sent.
   */
  override close(): void {
    this.endpoint.closing(() => this.end());
    this.abort();
  }

  /**
   * Returns a stream into the ring that waits for room. Closing it ends the data; aborting it, or a
   * write that fails, aborts.
   */
  toWritableStream(options?: WaitOptions): WritableStream<Input<K>> {
    if (options === undefined) options = {};
    const send = (value: Input<K>, options: WaitOptions) => this.send(value, options);
    return sinkStream({ send, close: () => this.end(), abort: () => this.abort() }, options);
  }

  /** Writes a value into free space, and counts it as written; returns false if it has no room. */
  #write(value: Input<K>): boolean {
    return this.#sendsBytes ? this.#writeBytes(value as Uint8Array) : this.#encode(value);
  }

  /** Apart from its caller, so that the compiler can inline the caller; these values are rarer. */
  #encode(value: Input<K>): boolean {
    this.endpoint.checkOpen();
    const { lane } = this;
    const encoder = this.#encoder;
    const prepared = encoder.prepare(value);
    const bound = encoder.bound(prepared);
    if (!encoder.isExact && !(bound <= this.maxMessage && lane.hasRoom(recordBytes(bound)))) {
      return this.#writeBytes(encoder.toBytes(prepared)); // it may take less
    }
    if (!this.hasRoom(bound)) return false;
    const length = encoder.into(prepared, lane.place.mapping, payloadOffset(lane), bound);
    if (length < 0) this.endpoint.checkOpen();
    this.checkNotEnded(); // by the code of the value
    finishRecord(lane, length);
    return true;
  }

  #writeBytes(message: Uint8Array): boolean {
    this.endpoint.checkOpen();
    const length = byteLengthOf(message, "send through", this.endpoint.what);
    if (!this.roomFor(length)) return false;
    writeRecord(this.lane, message, length);
    return true;
  }

  /** Sends the values from `first` on that fit, and returns their number. */
  #trySendFrom(values: readonly Input<K>[], first: number): number {
    let next = first;
    try {
      while (next < values.length && this.#write(values[next]!)) {
        next++;
        this.#isAhead = true;
      }
    } finally {
      if (next > first) {
        if (!this.endpoint.closed && !this.endpoint.hasEnded) this.lane.announce();
        this.#isAhead = false; // but not for the values of a batch around this one
      }
    }
    return next - first;
  }

  /** @ignore */
  protected override bytesFor(length: number): number {
    return recordBytes(length);
  }

  /** @ignore */
  protected override claimOffset(): number {
    return payloadOffset(this.lane);
  }

  /** @ignore */
  protected override checkLength(length: number): void {
    this.#encoder.checkIdle();
    if (isCount(length, this.#longest)) return;
    this.checkNotEnded();
    throw this.#misfit(length);
  }

  /** @ignore */
  protected override beforeEnd(): void {
    if (this.#isAhead) this.lane.announce();
    this.#longest = -1;
  }

  #misfit(length: number): RangeError {
    return new RangeError(
      `Cannot send ${
        inWords(length)
      } bytes through ${this.endpoint.what}: of its ${this.capacity} bytes ` +
        `a message can have ${this.maxMessage}; make it larger`,
    );
  }

  /** @ignore */
  protected override publishClaimed(length: number): void {
    finishRecord(this.lane, length);
    this.lane.announce();
  }
}

function checkArray(values: unknown, what: string): void {
  if (Array.isArray(values)) return;
  throw new TypeError(
    `Cannot send a batch through ${what}: ${inWords(values)} is not an array of values; pass one`,
  );
}
