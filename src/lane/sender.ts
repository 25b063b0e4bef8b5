/**
 * The base of all senders through a lane: it claims and publishes space, waits for room, and waits
 * until the receiver is done.
 *
 * @module
 */

import { byteLengthOf, checkWaits, inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf, sendsBytes } from "../encoder.ts";
import { claimView, commitView } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Endpoint, LaneEnd } from "./endpoint.ts";
import { LaneSender } from "./lane.ts";
import { finishRecord, longestRecord, payloadOffset, recordBytes, writeRecord } from "./record.ts";
import { sinkStream } from "../streams.ts";

/** The sending end of a lane, of messages or of bytes. */
export abstract class Sender implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds; of a ring with lanes, this sender's lane. */
  readonly capacity: number;
  readonly #at: LaneEnd;
  readonly #lane: LaneSender;
  readonly #waiter: Waiter;
  #wanted = 0; // bytes of room that the last attempt did not find
  #claim: Uint8Array<ArrayBuffer> | undefined;

  /** @ignore */
  constructor(at: LaneEnd) {
    this.name = at.end.name;
    this.capacity = at.place.capacity;
    this.#at = at;
    this.#lane = new LaneSender(at.place);
    this.#waiter = at.end.waiter(() => [this.#room(this.#wanted)]);
    disposeAtEnd(this);
  }

  /** @ignore */
  protected get endpoint(): Endpoint {
    return this.#at.end;
  }

  /** @ignore */
  protected get lane(): LaneSender {
    return this.#lane;
  }

  /** The number of unread bytes in the ring. */
  get available(): number {
    this.endpoint.checkOpen();
    return this.lane.used;
  }

  /** The number of free bytes in the ring. */
  get free(): number {
    return this.capacity - this.available;
  }

  /**
   * Claims contiguous space in the ring for up to `length` bytes; returns undefined when the ring
   * is full. Never waits. A new claim, or a send, discards a claim that was not published.
   */
  tryClaim(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.hasRoom(length)) return undefined;
    return this.#claim = claimView(this.#at.place.mapping, this.claimOffset(), length);
  }

  /** Blocks the thread until the ring has room for `length` bytes, and claims it. */
  claimSync(length: number, options?: SyncWaitOptions): Uint8Array<ArrayBuffer> {
    if (options !== undefined) checkWaits(options);
    return this.tryClaim(length) ?? this.whenRoomSync(() => this.tryClaim(length), options);
  }

  /** Resolves with a claim of `length` bytes once the ring has room. */
  claim(length: number, options: WaitOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.whenRoom(() => this.tryClaim(length), options);
  }

  /** Sends the first `length` bytes of the claimed space and discards the rest. */
  publish(length?: number): void {
    this.endpoint.checkOpen();
    const claim = this.#claim;
    const { what } = this.endpoint;
    if (claim === undefined) {
      throw new VringError(`Cannot publish to ${what}: nothing is claimed; claim first`);
    }
    const published = length ?? claim.length;
    if (!Number.isInteger(published) || published < 0 || published > claim.length) {
      throw new RangeError(
        `Cannot publish ${inWords(published)} bytes to ${what}: ${claim.length} are claimed`,
      );
    }
    commitView(this.#at.place.mapping, this.claimOffset(), claim, published);
    this.#claim = undefined;
    this.publishClaimed(published);
  }

  /** Discards the claimed space. */
  discard(): void {
    this.#claim = undefined;
  }

  /** Blocks the thread until the receiver has released everything that was sent. */
  flushSync(options?: SyncWaitOptions): void {
    if (options !== undefined) checkWaits(options);
    if (!this.findRoom(this.capacity)) {
      this.whenRoomSync(() => this.findRoom(this.capacity), options);
    }
  }

  /** Resolves once the receiver has released everything that was sent. */
  async flush(options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.findRoom(this.capacity), options);
  }

  /**
   * Ends and closes: the consumer gets everything that was sent, and then learns that nothing more
   * comes.
   */
  end(): void {
    this.#finish();
    this.#at.end.close(this.#at.place.dataBell);
  }

  /**
   * Closes this end as lost: the consumer gets everything that was sent, and then a PeerLostError.
   */
  abort(): void {
    this.#finish();
    this.#at.end.abort(this.#at.place.dataBell);
  }

  /**
   * Closes this end as lost, as `abort()` does, unless it has ended. So an error that leaves a
   * `using` block never looks like an end.
   */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** Whether values of a batch were written and are not published yet.
   * @ignore */
  protected isAhead = false;

  /** Publishes the first values of a batch when the code of a later one closes this end. */
  #finish(): void {
    if (this.isAhead && !this.endpoint.closed) this.lane.announce();
  }

  /** Returns whether a claim of this length has room; discards the previous claim.
   * @ignore */
  protected hasRoom(length: number): boolean {
    this.endpoint.checkOpen();
    this.checkLength(length);
    this.#claim = undefined;
    const bytes = this.bytesFor(length);
    if (this.lane.hasRoom(bytes)) return true;
    this.#wanted = bytes;
    return false;
  }

  /** Returns true if so many bytes are free, and undefined if not.
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

  /** Makes an attempt, and repeats it until it finds room.
   * @ignore */
  protected whenRoom<R>(attempt: () => R | undefined, options: WaitOptions): Promise<R> {
    return until(attempt, this.#waiter, options);
  }

  /** Returns the number of bytes that a claim of this length takes in the ring.
   * @ignore */
  protected abstract bytesFor(length: number): number;
  /** Returns the offset in the mapping at which the next claim begins.
   * @ignore */
  protected abstract claimOffset(): number;
  /** Throws if no claim can ever have this length.
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
export abstract class MessageSender<T> extends Sender {
  /** The longest message that fits, in bytes. */
  readonly maxMessage: number;
  readonly #encoder: Encoder<T>;
  readonly #sendsBytes: boolean;

  /** @ignore */
  constructor(at: LaneEnd, codec: Codec<T>) {
    super(at);
    this.maxMessage = longestRecord(at.place.capacity);
    this.#encoder = encoderOf(codec, "send through", this.endpoint.what);
    this.#sendsBytes = sendsBytes(codec);
  }

  /** Sends a value; returns false when the ring is full. Never waits. */
  trySend(value: T): boolean {
    if (!this.#write(value)) return false;
    this.lane.announce();
    return true;
  }

  /** Blocks the thread until the ring has room, and sends a value. */
  sendSync(value: T, options?: SyncWaitOptions): void {
    if (options !== undefined) checkWaits(options);
    if (!this.trySend(value)) this.#sendLaterSync(value, options);
  }

  /** Apart from its caller, which would else pay for the closure whether it waits or not. */
  #sendLaterSync(value: T, options: SyncWaitOptions | undefined): void {
    this.whenRoomSync(() => this.trySend(value) || undefined, options);
  }

  /** Sends a value once the ring has room. Do not change it until the promise resolves. */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.trySend(value) || undefined, options);
  }

  /**
   * Sends as many of the values as fit, all visible at once, and returns their number. If a value
   * can never be sent, sends the values before it and throws.
   */
  trySendBatch(values: readonly T[]): number {
    checkArray(values, this.endpoint.what);
    return this.#trySendFrom(values, 0);
  }

  /** Sends all the values, as many at a time as fit. Blocks the thread. */
  sendBatchSync(values: readonly T[], options?: SyncWaitOptions): void {
    if (options !== undefined) checkWaits(options);
    const attempt = this.#batch(values);
    if (!attempt()) this.whenRoomSync(attempt, options);
  }

  /**
   * Sends all the values, as many at a time as fit. Leaves the event loop free. Do not change the
   * values until the promise resolves.
   */
  async sendBatch(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    checkWaits(options);
    await this.whenRoom(this.#batch(values), options);
  }

  /** Returns an attempt to send the rest of a batch. */
  #batch(values: readonly T[]): () => true | undefined {
    checkArray(values, this.endpoint.what);
    let sent = 0;
    return () => {
      sent += this.#trySendFrom(values, sent);
      return sent >= values.length || undefined;
    };
  }

  /**
   * Closes this end, as `end()` does: a message arrives whole or not at all. The consumer still gets
   * every message that was sent.
   */
  close(): void {
    this.end();
  }

  /**
   * Returns a stream into the ring that waits for room. Closing it ends this end; aborting it, or a
   * write that fails, aborts.
   */
  toWritableStream(options: WaitOptions = {}): WritableStream<T> {
    return sinkStream(this, options);
  }

  /** Writes a value into free space, and counts it as written; returns false if it has no room. */
  #write(value: T): boolean {
    return this.#sendsBytes ? this.#writeBytes(value as Uint8Array) : this.#encode(value);
  }

  /** Apart from its caller: the compiler inlines so much only, and these are the rarer values. */
  #encode(value: T): boolean {
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
    finishRecord(lane, length);
    return true;
  }

  #writeBytes(message: Uint8Array): boolean {
    this.endpoint.checkOpen();
    const length = byteLengthOf(message, "send through", this.endpoint.what);
    if (!this.hasRoom(length)) return false;
    writeRecord(this.lane, message, length);
    return true;
  }

  /** Sends the values from `first` on that fit, and returns their number. */
  #trySendFrom(values: readonly T[], first: number): number {
    let next = first;
    try {
      while (next < values.length && this.#write(values[next]!)) {
        next++;
        this.isAhead = true;
      }
    } finally {
      if (next > first) {
        if (!this.endpoint.closed) this.lane.announce();
        this.isAhead = false; // but not for the values of a batch around this one
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
    if (Number.isInteger(length) && length >= 0 && length <= this.maxMessage) return;
    throw this.#misfit(length);
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
