/**
 * What every receiver of messages has, whatever the kind of ring: receiving copies, taking in place,
 * polling batches, waiting, iterating.
 *
 * @module
 */

import { byteLengthOf, checkedOptions, checkWaits } from "../arguments.ts";
import { VringError } from "../errors.ts";
import type { Codec } from "../codec.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { DONE, iterate } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LaneReceiver } from "./lane.ts";
import {
  Landing,
  longestRecord,
  readRecord,
  recordBytes,
  recordLength,
  showRecord,
} from "./record.ts";
import { joinedStream, valueStream } from "../streams.ts";

/** What a receiver finds in place of a message. */
export type Nothing =
  /** Nothing is there now. */
  | { state: "empty" }
  /** Nothing is there, and the other end has closed. */
  | { state: "closed" };

/** A value that was received. */
export interface ReceivedValue<T> {
  /** It is there. */
  state: "ok";
  /** What was sent. */
  value: T;
  /** Whether a consumer that died may have seen it already. */
  redelivered: boolean;
}

/** A message that was taken in place. */
export interface TakenSample<S> {
  /** It is there. */
  state: "ok";
  /** The message; it stays in the ring until it is disposed. */
  sample: S;
}

/** A message in place: it stays in the ring until it is disposed. */
export interface TakenMessage extends Disposable {
  /** The payload, in shared memory; empty once it was disposed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a consumer that died may have seen it already. */
  readonly redelivered: boolean;
}

const EMPTY = { state: "empty" } as const;
const CLOSED = { state: "closed" } as const;
const NO_BYTES = new Uint8Array(0);

/** A message that is shown in place. */
export class Sample implements TakenMessage {
  readonly redelivered: boolean;
  #shown: Uint8Array<ArrayBuffer>;
  #release: (() => void) | undefined;

  constructor(shown: Uint8Array<ArrayBuffer>, redelivered: boolean, release: () => void) {
    this.#shown = shown;
    this.redelivered = redelivered;
    this.#release = release;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#shown;
  }

  [Symbol.dispose](): void {
    const release = this.#release;
    this.#shown = NO_BYTES;
    this.#release = undefined;
    release?.();
  }
}

/** The receiving end of a ring of messages. */
export abstract class MessageReceiver<
  T,
  R extends ReceivedValue<T> = ReceivedValue<T>,
  S extends TakenMessage = TakenMessage,
> implements Disposable, Waitable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included; of several lanes, each. */
  readonly capacity: number;
  /** The longest message that can come, in bytes. */
  readonly maxMessage: number;
  readonly #end: Endpoint;
  readonly #codec: Codec<T>;
  readonly #waiter: Waiter;
  readonly #landing = new Landing();
  #shows: "" | "a sample" | "a batch" = ""; // what is in the hands of the caller, unreleased
  #polled: LaneReceiver | undefined; // whose messages a batch is of

  /** @ignore */
  constructor(end: Endpoint, capacity: number, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = capacity;
    this.maxMessage = longestRecord(capacity);
    this.#end = end;
    this.#codec = codec;
    this.#waiter = {
      ...end.waiter(() => [this.condition()]),
      busy: () => this.#shows === "a batch",
    };
    disposeAtEnd(this);
  }

  /** @ignore */
  protected get end(): Endpoint {
    return this.#end;
  }

  /** How many bytes lie in the ring, unread. */
  abstract get available(): number;

  /**
   * Receives a value, if there is one. Never waits. What the codec throws about a message is thrown
   * here, and the message is gone.
   */
  tryReceive(): R | Nothing {
    const lane = this.#next();
    if (lane === undefined) return this.#nothing();
    const length = this.#lengthIn(lane);
    const bytes = this.#landing.arrayFor(length, this.#codec);
    const redelivered = lane.redelivered > 0;
    readRecord(lane, bytes, length);
    lane.release(recordBytes(length));
    return this.received(lane, this.#landing.decode(this.#codec, bytes), redelivered);
  }

  /**
   * Copies a message into `target`, if there is one, and gives its length: nothing is allocated.
   * -1 if there is none. A RangeError if the target is too small, and the message stays.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.end.what);
    const lane = this.#next();
    if (lane === undefined) return -1;
    const length = this.#lengthIn(lane);
    if (length > space) {
      throw new RangeError(
        `Cannot receive from ${this.end.what} into ${space} bytes: the message has ${length}`,
      );
    }
    readRecord(lane, target, length);
    lane.release(recordBytes(length));
    return length;
  }

  /** Receives a value, and blocks the thread until there is one. */
  receiveSync(options: SyncWaitOptions = {}): R | { state: "closed" } {
    checkWaits(options);
    const outcome = this.tryReceive();
    if (outcome.state !== "empty") return outcome as R | { state: "closed" };
    return untilSync(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /** Receives a value once there is one. */
  receive(options: WaitOptions = {}): Promise<R | { state: "closed" }> {
    return until(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /** Blocks the thread until there is a message; false if the other end has closed and none is. */
  waitSync(options: SyncWaitOptions = {}): boolean {
    checkWaits(options);
    return this.#look() ?? untilSync(() => this.#look(), this.#waiter, options);
  }

  /** Resolves once there is a message; with false if the other end has closed and none is. */
  wait(options: WaitOptions = {}): Promise<boolean> {
    return until(() => this.#look(), this.#waiter, options);
  }

  /** Takes a message in place, if there is one; it stays in the ring until it is disposed. */
  tryTake(): TakenSample<S> | Nothing {
    const lane = this.#next();
    if (lane === undefined) return this.#nothing();
    const length = this.#lengthIn(lane);
    const size = recordBytes(length);
    const redelivered = lane.redelivered > 0;
    lane.take(size); // before it is shown: if this consumer dies now, it may have been seen
    const bytes = showRecord(lane, length);
    this.#shows = "a sample";
    const sample = this.taken(lane, bytes, redelivered, () => {
      this.#shows = "";
      if (!this.end.closed) lane.release(size);
    });
    return { state: "ok", sample };
  }

  /** Blocks the thread until there is a message, and takes it in place. */
  takeSync(options: SyncWaitOptions = {}): TakenSample<S> | { state: "closed" } {
    checkWaits(options);
    const outcome = this.tryTake();
    if (outcome.state !== "empty") return outcome;
    return untilSync(() => arrived(this.tryTake()), this.#waiter, options);
  }

  /** Takes a message in place once there is one. */
  take(options: WaitOptions = {}): Promise<TakenSample<S> | { state: "closed" }> {
    return until(() => arrived(this.tryTake()), this.#waiter, options);
  }

  /** Every value from here on, until the other end closes. */
  values(options: WaitOptions = {}): AsyncGenerator<T, void, void> {
    const attempt = () => {
      const outcome = this.tryReceive();
      if (outcome.state === "ok") return { done: false as const, value: outcome.value };
      return outcome.state === "closed" ? DONE : undefined;
    };
    return iterate({ attempt, waiter: this.#waiter }, options);
  }

  /** Every value from here on, until the other end closes. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.values();
  }

  /** A stream of bytes, in which the messages follow each other; cancelling it closes this end. */
  toReadableStream(
    this: MessageReceiver<Uint8Array<ArrayBuffer>>,
    options: WaitOptions & { type: "bytes" },
  ): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** A stream of the values; cancelling it closes this end. */
  toReadableStream(options?: WaitOptions): ReadableStream<T>;
  toReadableStream(options: WaitOptions & { type?: "bytes" } = {}): ReadableStream<unknown> {
    const own = checkedOptions(options, `stream from ${this.end.what}`);
    if (own.type === undefined) return valueStream(this, own);
    return joinedStream(this as unknown as MessageReceiver<Uint8Array<ArrayBuffer>>, own);
  }

  /**
   * Leaves. What was not read stays for the next consumer, while the ring lives; so does a sample
   * that was not disposed.
   */
  close(): void {
    if (this.#shows === "a batch" && !this.end.closed) this.#endBatch(); // by its handler, which has seen it
    this.#shows = "";
    this.closeEnd();
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkFree("wait");
    return [this.condition()];
  }

  /** A lane with a message, undefined if there is none.
   * @ignore */
  protected abstract next(): LaneReceiver | undefined;
  /** The outcome for a value from a lane.
   * @ignore */
  protected abstract received(lane: LaneReceiver, value: T, redelivered: boolean): R;
  /** The sample for a message from a lane.
   * @ignore */
  protected abstract taken(
    lane: LaneReceiver,
    bytes: Uint8Array<ArrayBuffer>,
    redelivered: boolean,
    release: () => void,
  ): S;
  /** True once there is a message, or the other end has closed.
   * @ignore */
  protected abstract condition(): Condition;
  /** Whether a message is there, by what is in shared memory now.
   * @ignore */
  protected abstract hasMessage(): boolean;
  /** Told of a lane in which a message claims what cannot be.
   * @ignore */
  protected broken(_lane: LaneReceiver): void {}
  /** Gives the role back.
   * @ignore */
  protected abstract closeEnd(): void;

  /**
   * Shows up to `limit` messages of the next lane in place, and gives how many there were. All are
   * released together at the end, also if the handler throws or closes this end.
   * @ignore
   */
  protected pollLane(
    handler: (message: Uint8Array<ArrayBuffer>, redelivered: boolean, lane: LaneReceiver) => void,
    limit: number,
  ): number {
    const lane = this.#next("poll");
    if (lane === undefined) return 0;
    let count = 0;
    try {
      while (count < limit && !this.end.closed) {
        const length = this.#lengthIn(lane);
        if (length < 0) break;
        const size = recordBytes(length);
        const redelivered = lane.redelivered > 0;
        lane.take(lane.available(size)); // once a batch: everything there is
        const message = showRecord(lane, length);
        this.#shows = "a batch";
        this.#polled = lane;
        lane.advance(size);
        count++;
        handler(message, redelivered, lane);
      }
    } finally {
      this.#shows = "";
      if (count > 0 && !this.end.closed) this.#endBatch();
    }
    return count;
  }

  /** Releases what the handler has seen; the rest was noted as shown, and has not been. */
  #endBatch(): void {
    this.#polled!.announce();
    this.#polled!.hide();
  }

  #lengthIn(lane: LaneReceiver): number {
    try {
      return recordLength(lane);
    } catch (error) {
      this.broken(lane);
      throw error;
    }
  }

  #next(action = "receive"): LaneReceiver | undefined {
    this.#checkFree(action);
    return this.next();
  }

  /** Throws if it is closed, or if messages are in the hands of the caller. */
  #checkFree(action: string): void {
    this.end.checkOpen();
    if (this.#shows === "") return;
    const remedy = this.#shows === "a sample" ? "dispose it, or use `using`" : "let poll() return";
    throw new VringError(
      `Cannot ${action} at ${this.end.what}: ${this.#shows} is still in use; ${remedy} first`,
    );
  }

  /** Whether there is a message; undefined while there is none and the other end has not closed. */
  #look(): boolean | undefined {
    this.#checkFree("wait");
    return this.condition().ready() ? this.hasMessage() : undefined;
  }

  /** A message may have been published between the look at the ring and the one at the other end. */
  #nothing(): Nothing {
    if (!this.end.peerHasClosed()) return EMPTY;
    return this.hasMessage() ? EMPTY : CLOSED;
  }
}
