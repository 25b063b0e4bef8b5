/**
 * The base of all receivers of messages: it receives copies, takes messages in place, one or many,
 * polls, waits and iterates.
 *
 * @module
 */

import { byteLengthOf, checkedOptions, checkLimit, checkWaits } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { VringError } from "../errors.ts";
import { Landing } from "../landing.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { DONE, iterate } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LaneReceiver } from "./lane.ts";
import { type BatchOwner, takeBatch, USUAL_BATCH } from "./batch.ts";
import type {
  BatchMessage,
  MessageBatch,
  Nothing,
  ReceivedValue,
  TakenMessage,
  TakenSample,
} from "./message.ts";
import { longestRecord, nextLength, readRecord, recordBytes, showRecord } from "./record.ts";
import type { LaneSource } from "./source.ts";
import { joinedStream, valueStream } from "../streams.ts";

/** The size of a batch, and the timeout. */
export interface SyncBatchOptions extends SyncWaitOptions {
  /** The most messages; 256 by default. */
  limit?: number | undefined;
}

/** The size of a batch, the timeout, and the signal that aborts the wait. */
export interface BatchOptions extends WaitOptions {
  /** The most messages; 256 by default. */
  limit?: number | undefined;
}

const EMPTY = { state: "empty" } as const;
const CLOSED = { state: "closed" } as const;

/** The receiving end of a ring of messages. */
export class MessageReceiver<
  T,
  R extends ReceivedValue<T> = ReceivedValue<T>,
  S extends TakenMessage = TakenMessage,
  M extends BatchMessage<T> = BatchMessage<T>,
> implements Disposable, Waitable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included; of several lanes, each. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #end: Endpoint;
  readonly #codec: Codec<T>;
  readonly #source: LaneSource<T, R, S, M>;
  readonly #condition: Condition;
  readonly #waiter: Waiter;
  readonly #landing = new Landing({ own: true });
  readonly #batchOwner: BatchOwner<T>;
  // Made once: a closure in a method costs each call of it, whether it waits or not.
  readonly #receiving = () => arrived(this.tryReceive());
  readonly #taking = () => arrived(this.tryTake());
  readonly #looking = () => this.#look();
  // What the caller holds, unreleased, or an error that the next call reports.
  #shows: "" | "a sample" | "a batch" | "a polled message" | "an error" = "";
  #deferred: unknown; // found while a batch was collected, unless it is undefined
  #polled: LaneReceiver | undefined; // the lane that is polled

  /** @ignore */
  constructor(end: Endpoint, source: LaneSource<T, R, S, M>, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = source.lanes[0]!.capacity;
    this.maxMessage = longestRecord(this.capacity);
    this.#end = end;
    this.#codec = codec;
    this.#source = source;
    const condition = this.#condition = {
      bell: source.bell,
      watch: source.watch,
      ready: () => source.look() || end.peerHasClosed(),
      // Only once the last messages of the dead are read.
      beforeSleep: () => end.peerIsLost() && !source.look() ? "lost" as const : undefined,
    };
    this.#waiter = {
      ...end.waiter(() => [condition]),
      busy: () => this.#shows === "a polled message",
    };
    this.#batchOwner = {
      end,
      decode: (lane, offset, length) => {
        const bytes = this.#landing.arrayFor(length, codec);
        readRecord(lane, bytes, length, offset);
        return this.#landing.decode(codec, bytes);
      },
      defer: (error) => this.#deferred = error,
      done: (isRest) => {
        this.#shows = this.#deferred === undefined ? "" : "an error";
        if (isRest) source.suspectAll();
      },
    };
    disposeAtEnd(this);
  }

  /** @ignore */
  protected get endpoint(): Endpoint {
    return this.#end;
  }

  /** The number of unread bytes in the ring. */
  get available(): number {
    this.#end.checkOpen();
    return this.#source.available;
  }

  /** Whether the other end has ended and everything was received. */
  get ended(): boolean {
    this.#checkFree("look");
    return this.#nothing() === CLOSED;
  }

  /**
   * Receives a value, or reports that the ring is empty. Never waits. If the codec throws, throws
   * that error; the message is gone.
   */
  tryReceive(): R | Nothing {
    const lane = this.#next();
    if (lane === undefined) return this.#nothing();
    const length = nextLength(this.#source, lane);
    const bytes = this.#landing.arrayFor(length, this.#codec);
    const redelivered = lane.redelivered > 0;
    const { sequence } = lane;
    readRecord(lane, bytes, length);
    lane.release(recordBytes(length));
    const value = this.#landing.decode(this.#codec, bytes);
    return this.#source.received(lane, value, redelivered, sequence);
  }

  /**
   * Copies a message into `target` without allocating, and returns its length, or -1 when the ring
   * is empty. Throws a RangeError if the target is too small; the message stays in the ring.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.#end.what);
    const lane = this.#next();
    if (lane === undefined) return -1;
    const length = nextLength(this.#source, lane);
    if (length > space) throw this.#tooLong(length, space);
    readRecord(lane, target, length);
    lane.release(recordBytes(length));
    return length;
  }

  #tooLong(length: number, space: number): RangeError {
    return new RangeError(
      `Cannot receive from ${this.#end.what} into ${space} bytes: the message has ${length}`,
    );
  }

  /** Blocks the thread until a message arrives, and returns its value. */
  receiveSync(options?: SyncWaitOptions): R | { state: "closed" } {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryReceive();
    if (outcome.state !== "empty") return outcome as R | { state: "closed" };
    return untilSync(this.#receiving, this.#waiter, options);
  }

  /** Resolves with a value once a message arrives. */
  receive(options: WaitOptions = {}): Promise<R | { state: "closed" }> {
    return until(this.#receiving, this.#waiter, options);
  }

  /** Blocks the thread until a message arrives; returns false if the other end ends first. */
  waitSync(options?: SyncWaitOptions): boolean {
    if (options !== undefined) checkWaits(options);
    return this.#look() ?? untilSync(this.#looking, this.#waiter, options);
  }

  /** Resolves once a message arrives, or with false if the other end ends first. */
  wait(options: WaitOptions = {}): Promise<boolean> {
    return until(this.#looking, this.#waiter, options);
  }

  /** Takes a message in place, which stays in the ring until it is disposed. Never waits. */
  tryTake(): TakenSample<S> | Nothing {
    const lane = this.#next();
    if (lane === undefined) return this.#nothing();
    const length = nextLength(this.#source, lane);
    const size = recordBytes(length);
    const redelivered = lane.redelivered > 0;
    lane.take(size); // before it is shown: a consumer that dies after this may have seen it
    const bytes = showRecord(lane, length);
    this.#shows = "a sample";
    const message = { bytes, redelivered, sequence: lane.sequence };
    const sample = this.#source.taken(lane, message, () => {
      this.#shows = "";
      if (!this.#end.closed) lane.release(size);
    });
    return { state: "ok", sample };
  }

  /** Blocks the thread until a message arrives, and takes it in place. */
  takeSync(options?: SyncWaitOptions): TakenSample<S> | { state: "closed" } {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryTake();
    if (outcome.state !== "empty") return outcome;
    return untilSync(this.#taking, this.#waiter, options);
  }

  /** Takes a message in place once it arrives. */
  take(options: WaitOptions = {}): Promise<TakenSample<S> | { state: "closed" }> {
    return until(this.#taking, this.#waiter, options);
  }

  /**
   * Takes up to `limit` messages in place, in the order in which they would be received; returns
   * undefined when the ring is empty. Never waits. Messages that are not acknowledged come again
   * once the batch is disposed, so an error that leaves a `using` block loses nothing.
   */
  tryTakeBatch(options: Pick<SyncBatchOptions, "limit"> = {}): MessageBatch<M> | undefined {
    this.#checkFree("take a batch");
    return this.#taken(this.#limitIn(options));
  }

  /** Blocks the thread until a message arrives, and takes a batch; returns undefined at the end. */
  takeBatchSync(options: SyncBatchOptions = {}): MessageBatch<M> | undefined {
    const limit = this.#limitIn(options);
    const attempt = () => this.#tryBatch(limit);
    return (attempt() ?? untilSync(attempt, this.#waiter, options)).batch;
  }

  /**
   * Takes a batch once a message arrives; resolves with undefined once the other end has ended.
   *
   * @example Rows, acknowledged once they are committed
   * ```ts
   * import { codec, SpscConsumer, SpscProducer } from "@vring/vring";
   *
   * using consumer = SpscConsumer.open("example-rows", { codec: codec.text });
   * using producer = SpscProducer.open("example-rows", { codec: codec.text }); // in another process
   * producer.trySendBatch(["one", "two"]);
   * producer.end();
   * const table = new Map<number, string>();
   * for (;;) {
   *   using batch = await consumer.takeBatch({ limit: 100 });
   *   if (batch === undefined) break;
   *   for (const row of batch) table.set(row.sequence, row.value); // throws? all come again
   *   batch.ack();
   * }
   * console.log(table); // Map { 1 => "one", 2 => "two" }
   * ```
   */
  async takeBatch(options: BatchOptions = {}): Promise<MessageBatch<M> | undefined> {
    const limit = this.#limitIn(options);
    return (await until(() => this.#tryBatch(limit), this.#waiter, options)).batch;
  }

  /**
   * Iterates over the values from here on, until the other end ends. Throws a PeerLostError where it
   * was lost, after everything that was sent.
   */
  values(options: WaitOptions = {}): AsyncGenerator<T, void, void> {
    const attempt = () => {
      const outcome = this.tryReceive();
      if (outcome.state === "ok") return { done: false as const, value: outcome.value };
      return outcome.state === "closed" ? DONE : undefined;
    };
    return iterate({ attempt, waiter: this.#waiter }, options);
  }

  /** Iterates over the values, as `values()` does. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.values();
  }

  /**
   * Returns a stream of bytes that joins the messages; cancelling it closes this end. It fails where
   * the other end was lost, so it never looks complete.
   */
  toReadableStream(
    this: MessageReceiver<Uint8Array<ArrayBuffer>>,
    options: WaitOptions & { type: "bytes" },
  ): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Returns a stream of the values, which ends and fails alike. */
  toReadableStream(options?: WaitOptions): ReadableStream<T>;
  toReadableStream(options: WaitOptions & { type?: "bytes" } = {}): ReadableStream<unknown> {
    const own = checkedOptions(options, `stream from ${this.#end.what}`);
    if (own.type === undefined) return valueStream(this, own);
    return joinedStream(this as unknown as MessageReceiver<Uint8Array<ArrayBuffer>>, own);
  }

  /**
   * Closes this end. Unread messages, a sample that was not disposed, and the messages of a batch
   * that were not acknowledged stay for the next consumer as long as the ring exists.
   */
  close(): void {
    if (this.#shows === "a polled message" && !this.#end.closed) this.#endPoll(); // in its handler
    this.#shows = "";
    this.#end.close(...this.#source.lanes.map((lane) => lane.place.spaceBell));
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkFree("wait");
    return [this.#condition];
  }

  /**
   * Shows up to `limit` messages of the next lane in place, and returns their number. Releases all
   * of them together at the end, even if the handler throws or closes this end.
   * @ignore
   */
  protected pollLane(
    handler: (
      message: Uint8Array<ArrayBuffer>,
      redelivered: boolean,
      sequence: number,
      lane: LaneReceiver,
    ) => void,
    limit: number,
  ): number {
    const lane = this.#next("poll");
    if (lane === undefined) return 0;
    let count = 0;
    try {
      while (count < limit && !this.#end.closed) {
        const length = nextLength(this.#source, lane);
        if (length < 0) break;
        const size = recordBytes(length);
        const redelivered = lane.redelivered > 0;
        lane.take(lane.available(size)); // once a batch: everything there is
        const message = showRecord(lane, length);
        this.#shows = "a polled message";
        this.#polled = lane;
        const { sequence } = lane;
        lane.advance(size);
        count++;
        handler(message, redelivered, sequence, lane);
      }
    } finally {
      this.#shows = "";
      if (count > 0 && !this.#end.closed) this.#endPoll();
    }
    return count;
  }

  /** Releases the messages the handler saw, and unmarks the rest, which it did not see. */
  #endPoll(): void {
    this.#polled!.announce();
    this.#polled!.hide();
  }

  #limitIn(options: SyncBatchOptions): number {
    checkWaits(options);
    const { limit = USUAL_BATCH } = options;
    checkLimit(limit, 1, "take a batch from", this.#end.what);
    return limit;
  }

  /** Takes a batch, or finds the end, where there is none; undefined while there may be one. */
  #tryBatch(limit: number): { batch: MessageBatch<M> | undefined } | undefined {
    this.#checkFree("take a batch");
    const batch = this.#taken(limit);
    if (batch !== undefined) return { batch };
    return this.#nothing() === CLOSED ? { batch } : undefined;
  }

  #taken(limit: number): MessageBatch<M> | undefined {
    const batch = takeBatch(this.#source, this.#batchOwner, limit);
    if (batch !== undefined) this.#shows = "a batch";
    return batch;
  }

  #next(action = "receive"): LaneReceiver | undefined {
    this.#checkFree(action);
    return this.#source.next();
  }

  /** Throws if this end is closed, or if the caller still holds messages. */
  #checkFree(action: string): void {
    this.#end.checkOpen();
    if (this.#shows !== "") this.#refuse(action);
  }

  /** Apart from its caller, which is then small enough for the compiler to inline. */
  #refuse(action: string): never {
    if (this.#shows === "an error") {
      const error = this.#deferred;
      this.#shows = "";
      this.#deferred = undefined;
      throw error;
    }
    const isPolled = this.#shows === "a polled message";
    const remedy = isPolled ? "let poll() return" : "dispose it, or use `using`";
    throw new VringError(
      `Cannot ${action} at ${this.#end.what}: ${this.#shows} is still in use; ${remedy} first`,
    );
  }

  /** Returns whether a message is there; undefined while the ring is empty and can still fill. */
  #look(): boolean | undefined {
    this.#checkFree("wait");
    return this.#condition.ready() ? this.#source.look() : undefined;
  }

  /** Looks again: the sender may have published between our look at the ring and at its state. */
  #nothing(): Nothing {
    if (!this.#end.peerHasClosed()) return EMPTY;
    return this.#source.look() ? EMPTY : CLOSED;
  }
}
