/**
 * What every sender through a lane has, whatever the kind of ring: claiming space and publishing
 * it, waiting for room, and for the receiver to be done.
 *
 * @module
 */

import { byteLengthOf, checkWaits, inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { type Codec, encoded } from "../codec.ts";
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
  #wanted = 0; // bytes of room that the last attempt has not found
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
  protected get end(): Endpoint {
    return this.#at.end;
  }

  /** @ignore */
  protected get lane(): LaneSender {
    return this.#lane;
  }

  /** How many bytes lie in the ring, unread. */
  get available(): number {
    this.end.checkOpen();
    return this.lane.used;
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.available;
  }

  /**
   * Space in the ring for up to `length` bytes, contiguous; undefined if there is no room. Never
   * waits. What was claimed before and not published is given up, as it is by sending.
   */
  tryClaim(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.hasRoom(length)) return undefined;
    return this.#claim = claimView(this.#at.place.mapping, this.claimOffset(), length);
  }

  /** Blocks the thread until there is room for `length` bytes, and claims it. */
  claimSync(length: number, options: SyncWaitOptions = {}): Uint8Array<ArrayBuffer> {
    checkWaits(options);
    return this.tryClaim(length) ?? this.whenRoomSync(() => this.tryClaim(length), options);
  }

  /** Resolves with a claim of `length` bytes once there is room. */
  claim(length: number, options: WaitOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.whenRoom(() => this.tryClaim(length), options);
  }

  /** Sends the first `length` bytes of the claimed space; the rest of it is given up. */
  publish(length?: number): void {
    this.end.checkOpen();
    const claim = this.#claim;
    const { what } = this.end;
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

  /** Gives the claimed space up. */
  discard(): void {
    this.#claim = undefined;
  }

  /** Blocks the thread until the receiver has released everything that was sent. */
  flushSync(options: SyncWaitOptions = {}): void {
    checkWaits(options);
    if (!this.findRoom(this.capacity)) {
      this.whenRoomSync(() => this.findRoom(this.capacity), options);
    }
  }

  /** Resolves once the receiver has released everything that was sent. */
  async flush(options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.findRoom(this.capacity), options);
  }

  /** Says that nothing more comes; the receiver drains what is there. */
  close(): void {
    this.end.close(this.#at.place.dataBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether there is room for a claim of this length; the previous claim is given up.
   * @ignore */
  protected hasRoom(length: number): boolean {
    this.end.checkOpen();
    this.checkLength(length);
    this.#claim = undefined;
    const bytes = this.bytesFor(length);
    if (this.lane.hasRoom(bytes)) return true;
    this.#wanted = bytes;
    return false;
  }

  /** True if so many bytes are free, undefined if not.
   * @ignore */
  protected findRoom(bytes: number): true | undefined {
    this.end.checkOpen();
    this.#wanted = bytes;
    return this.lane.hasRoom(bytes) || undefined;
  }

  /** Repeats an attempt that has failed for want of room. Blocks the thread.
   * @ignore */
  protected whenRoomSync<R>(attempt: () => R | undefined, options: SyncWaitOptions): R {
    return untilSync(attempt, this.#waiter, options);
  }

  /** Makes an attempt, and repeats it while it fails for want of room.
   * @ignore */
  protected whenRoom<R>(attempt: () => R | undefined, options: WaitOptions): Promise<R> {
    return until(attempt, this.#waiter, options);
  }

  /** How many bytes in the ring a claim of this length takes.
   * @ignore */
  protected abstract bytesFor(length: number): number;
  /** Where in the mapping the next claim begins.
   * @ignore */
  protected abstract claimOffset(): number;
  /** Throws unless this length can ever be claimed.
   * @ignore */
  protected abstract checkLength(length: number): void;
  /** Publishes so much of the claim.
   * @ignore */
  protected abstract publishClaimed(length: number): void;

  #room(bytes: number): Condition {
    return {
      bell: this.#at.bell,
      watch: this.lane.tail,
      ready: () => this.lane.hasRoom(bytes),
      beforeSleep: () => this.end.peerIsGone() ? "lost" : undefined,
    };
  }
}

/**
 * The sending end of a ring of messages.
 *
 * Of several calls that wait at the same time, such as two `send()` without an `await` between them,
 * whichever fits first goes first: await one before the next where order matters.
 */
export abstract class MessageSender<T> extends Sender {
  /** The longest message that fits, in bytes. */
  readonly maxMessage: number;
  readonly #codec: Codec<T>;

  /** @ignore */
  constructor(at: LaneEnd, codec: Codec<T>) {
    super(at);
    this.maxMessage = longestRecord(at.place.capacity);
    this.#codec = codec;
  }

  /** Sends a value if there is room; false if there is not. Never waits. */
  trySend(value: T): boolean {
    const message = this.#encode(value);
    return this.#trySend(message, this.#lengthOf(message));
  }

  /** Sends a value, and blocks the thread until there is room. */
  sendSync(value: T, options: SyncWaitOptions = {}): void {
    checkWaits(options);
    if (!this.trySend(value)) this.whenRoomSync(() => this.trySend(value) || undefined, options);
  }

  /** Sends a value once there is room. Leave it unchanged until the promise resolves. */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    await this.whenRoom(() => this.trySend(value) || undefined, options);
  }

  /**
   * Sends as many of the values as there is room for, all visible at once; gives how many. If one of
   * them cannot be sent at all, those before it are sent, and it throws.
   */
  trySendBatch(values: readonly T[]): number {
    checkArray(values, this.end.what);
    return this.#trySendFrom(values, 0);
  }

  /** Sends all the values, as many at a time as there is room for. Blocks the thread. */
  sendBatchSync(values: readonly T[], options: SyncWaitOptions = {}): void {
    checkWaits(options);
    const attempt = this.#batch(values);
    if (!attempt()) this.whenRoomSync(attempt, options);
  }

  /**
   * Sends all the values, as many at a time as there is room for. Leaves the event loop free. Leave
   * the values unchanged until the promise resolves.
   */
  async sendBatch(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    checkWaits(options);
    await this.whenRoom(this.#batch(values), options);
  }

  /** The attempt to send all that is left of a batch. */
  #batch(values: readonly T[]): () => true | undefined {
    checkArray(values, this.end.what);
    let sent = 0;
    return () => {
      sent += this.#trySendFrom(values, sent);
      return sent >= values.length || undefined;
    };
  }

  /** A stream into the ring, which takes no more than fits; closing or aborting it closes this end. */
  toWritableStream(options: WaitOptions = {}): WritableStream<T> {
    return sinkStream(this, options);
  }

  #encode(value: T): Uint8Array {
    this.end.checkOpen();
    return encoded(this.#codec, value);
  }

  /** The length of what the codec made. */
  #lengthOf(message: Uint8Array): number {
    return byteLengthOf(message, "send through", this.end.what);
  }

  #trySend(message: Uint8Array, length: number): boolean {
    if (!this.hasRoom(length)) return false;
    writeRecord(this.lane, message, length);
    this.lane.announce();
    return true;
  }

  /** Sends those from `first` on for which there is room; gives how many. */
  #trySendFrom(values: readonly T[], first: number): number {
    let next = first;
    try {
      for (; next < values.length; next++) {
        const message = this.#encode(values[next]!);
        const length = this.#lengthOf(message);
        if (!this.hasRoom(length)) break;
        writeRecord(this.lane, message, length);
      }
    } finally {
      if (next > first && !this.end.closed) this.lane.announce();
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
    if (Number.isInteger(length) && length >= 0 && length <= this.maxMessage) return;
    throw this.#misfit(length);
  }

  #misfit(length: number): RangeError {
    return new RangeError(
      `Cannot send ${
        inWords(length)
      } bytes through ${this.end.what}: of its ${this.capacity} bytes ` +
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
    `Cannot send a batch through ${what}: ${inWords(values)} is no array of values; pass one`,
  );
}
