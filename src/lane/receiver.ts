/**
 * The base of all receivers of messages: it receives copies, takes messages in place, one or many,
 * polls, waits and iterates.
 *
 * @module
 */

import { disposeAtEnd } from "../os/clock.ts";
import { Receiver } from "../receiver.ts";
import {
  checkedOptions,
  checkLimit,
  checkReturned,
  checkSyncWaits,
  checkWaits,
} from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { VringError } from "../errors.ts";
import type { Bytes, Type, Value } from "../message.ts";
import { Landing } from "../landing.ts";
import { CONDITIONS } from "../wait/any.ts";
import type { Condition } from "../wait/condition.ts";
import { DONE, iterate } from "../wait/iterate.ts";
import {
  type LoopOptions,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import {
  type BatchOptions,
  type BatchOwner,
  type SyncBatchOptions,
  takeBatch,
  USUAL_BATCH,
} from "./batch.ts";
import { Block } from "./block.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LaneReceiver } from "./lane.ts";
import type {
  AnyCodec,
  Holder,
  MessageBatch,
  RingMessage,
  Shown,
  ShownMessage,
  TakenRingMessage,
} from "./message.ts";
import { longestRecord, nextLength, readRecord, receiveRecord, recordBytes } from "./record.ts";
import type { LaneSource } from "./source.ts";
import { joinedStream } from "../streams.ts";

/** The parts of a receiver. */
export interface ReceiverParts<K extends Type, F> {
  readonly end: Endpoint;
  readonly source: LaneSource<K, F>;
  readonly codec: AnyCodec;
  /** Whether each received array has a buffer of its own. */
  readonly own?: boolean | undefined;
}

/**
 * Receives the messages of a ring. `F` has the further properties of its messages, such as their
 * producer.
 *
 * Copied messages of up to 4 KiB of bytes share a larger `buffer`, which only this handle uses.
 * Posting one of them to a Worker clones up to 64 KiB, and transferring it takes the others along.
 * Open the handle with `own: true` to give each array a buffer of its own.
 */
export abstract class MessageReceiver<K extends Type = Bytes, F = unknown>
  extends Receiver<K, RingMessage<K> & F> {
  /** The capacity in bytes: of the ring, or with many producers of each lane. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #end: Endpoint;
  readonly #codec: AnyCodec;
  readonly #source: LaneSource<K, F>;
  readonly #conditions: readonly Condition[];
  readonly #landing: Landing;
  readonly #single: Holder<K>;
  readonly #batches: BatchOwner<K>;
  readonly #polled: Shown<K> & F;
  readonly #taking = () => this.tryTake() ?? this.atEnd();
  readonly #looking = () => this.#look();
  // What the caller holds, unreleased, or an error that the next call reports.
  #shows: "" | "a message" | "a batch" | "a polled message" | "an error" = "";
  #looped: object | undefined; // what a loop shows, while the caller has not released it
  readonly #block = new Block();
  #deferred: unknown; // found while a batch was collected, unless it is undefined
  #isPolling: LaneReceiver | undefined; // the lane that is polled

  /** @ignore */
  constructor({ end, source, codec, own }: ReceiverParts<K, F>) {
    const { name, what, peerName } = end;
    const waiter = {
      ...end.waiter(() => this.#conditions),
      busy: () => this.#shows === "a polled message",
    };
    super({ name, what, peerName, waiter });
    this.capacity = source.lanes[0]!.capacity;
    this.maxMessage = longestRecord(this.capacity);
    this.#end = end;
    this.#codec = codec;
    this.#source = source;
    this.#landing = new Landing({ own });
    this.#conditions = [{
      bell: source.bell,
      watch: source.watch,
      isSteady: true,
      ready: () => source.look() || end.peerHasClosed(),
      // Only once the last messages of the dead are read.
      beforeSleep: () => end.peerIsLost() && !source.look() ? "lost" as const : undefined,
      restsFrom: -Infinity,
    }];
    const decode = (lane: LaneReceiver, offset: number, length: number): Value<K> => {
      const bytes = this.#landing.arrayFor(length, codec);
      readRecord(lane, bytes, length, offset);
      return this.#landing.decode(codec, bytes);
    };
    this.#single = { end, codec, decode, settle: (...how) => this.#settle(...how) };
    this.#batches = {
      end,
      codec,
      decode,
      defer: (error) => this.#deferred = error,
      done: (isRest) => {
        this.#looped = undefined;
        this.#shows = this.#deferred === undefined ? "" : "an error";
        if (isRest) source.suspectAll();
      },
    };
    this.#polled = source.shown({ end, codec, decode });
    disposeAtEnd(this);
  }

  /** The number of living parties at the other end. */
  get peers(): number {
    return this.#end.peerCount;
  }

  /** The number of messages that were lost: always 0, as a ring loses none. */
  get lost(): number {
    return 0;
  }

  /** Whether this end is closed. */
  get closed(): boolean {
    return this.#end.closed;
  }

  /** The number of unread bytes in the ring, with the header and padding of each message. */
  get available(): number {
    this.#end.checkOpen();
    return this.#source.available;
  }

  /** Whether the other end has ended and everything was received. */
  get ended(): boolean {
    this.#checkFree("look");
    // Looks again: the sender may have published between our look at the ring and at its state.
    const ended = this.#end.peerHasClosed() && !this.#source.look();
    this.#end.checkWhole();
    return ended;
  }

  /**
   * Receives a copy of the next message; returns undefined when the ring is empty. Never waits. If
   * the type cannot decode the message, throws that error; the message is gone.
   */
  tryReceive(): (RingMessage<K> & F) | undefined {
    const lane = this.#next();
    if (lane === undefined) return undefined;
    const length = nextLength(this.#source, lane);
    const bytes = this.#landing.arrayFor(length, this.#codec);
    const redelivered = lane.redelivered > 0;
    const { sequence } = lane;
    receiveRecord(lane, bytes, length);
    const value = this.#landing.decode(this.#codec, bytes) as Value<K>;
    return this.#source.copied(lane, value, redelivered, sequence);
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
    if (length > space) throw this.tooLong(length, space);
    receiveRecord(lane, target, length);
    return length;
  }

  /**
   * Copies as many messages as fit into `target` and `places` in one copy, and returns their number,
   * which is 0 when the ring is empty. Message `i` is in bytes `places[2 * i]` to `places[2 * i + 1]`,
   * from a multiple of 8 on, with 8 bytes before it. With many producers, all are from one.
   * Allocates nothing. Throws a RangeError if the target is too small for one message.
   *
   * @example Messages by the thousand
   * ```ts
   * import { spsc } from "@vring/vring";
   *
   * using consumer = spsc("example-block").consumer();
   * spsc("example-block").producer().trySendBatch([Uint8Array.of(1), Uint8Array.of(2, 3)]);
   * const [target, places] = [new Uint8Array(2 ** 16), new Uint32Array(2 * 1000)];
   * if (consumer.tryReceiveBatchInto(target, places) > 1) target.subarray(places[2], places[3]);
   * ```
   */
  tryReceiveBatchInto(target: Uint8Array<ArrayBuffer>, places: Uint32Array<ArrayBuffer>): number {
    this.#block.use(target, places, this.#end.what);
    const lane = this.#next();
    if (lane === undefined) return 0;
    const length = nextLength(this.#source, lane);
    const count = this.#block.receive(lane, length);
    if (count === 0) throw this.tooLong(length, this.#block.space);
    return count;
  }

  /** Blocks until a message is there and returns true; returns false once `ended`. */
  waitSync(options?: SyncWaitOptions): boolean {
    if (options !== undefined) checkSyncWaits(options);
    return this.#look() ?? untilSync(this.#looking, this.waiter, options);
  }

  /** Resolves with true once a message is there, or with false once `ended`. */
  wait(options?: WaitOptions): Promise<boolean> {
    return until(this.#looking, this.waiter, options);
  }

  /**
   * Takes a message in place, which stays in the ring until it is acknowledged; returns undefined
   * when the ring is empty. Never waits.
   */
  tryTake(): (TakenRingMessage<K> & F) | undefined {
    return this.#take();
  }

  /** Blocks until a message arrives and takes it in place; returns undefined once `ended`. */
  takeSync(options?: SyncWaitOptions): (TakenRingMessage<K> & F) | undefined {
    if (options !== undefined) checkSyncWaits(options);
    return this.#take() ?? this.whenSync(this.#taking, options);
  }

  /** Resolves with the next message in place, or with undefined once `ended`. */
  async take(options?: WaitOptions): Promise<(TakenRingMessage<K> & F) | undefined> {
    if (options === undefined) options = {};
    return await this.when(this.#taking, options);
  }

  /**
   * Takes up to `limit` messages in place, in the order in which `tryReceive` returns them; returns
   * undefined when the ring is empty. Never waits. Once the batch is disposed, messages that were
   * not acknowledged are delivered again, so an error that leaves a `using` block loses nothing.
   */
  tryTakeBatch(
    options?: Pick<SyncBatchOptions, "limit">,
  ): MessageBatch<K, F> | undefined {
    if (options === undefined) options = {};
    return this.#takeBatch(this.#limitIn(options));
  }

  /** Blocks until a message arrives and takes a batch in place; returns undefined once `ended`. */
  takeBatchSync(options?: SyncBatchOptions): MessageBatch<K, F> | undefined {
    if (options === undefined) options = {};
    const limit = this.#limitIn(options);
    return this.whenSync(() => this.#takeBatch(limit) ?? this.atEnd(), options);
  }

  /**
   * Resolves with a batch in place once a message arrives, or with undefined once `ended`.
   *
   * @example Rows, acknowledged once they are committed
   * ```ts
   * import { spsc, text } from "@vring/vring";
   *
   * const lines = spsc("example-rows", { type: text() });
   * using consumer = lines.consumer();
   * using producer = lines.producer(); // in another process
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
  async takeBatch(options?: BatchOptions): Promise<MessageBatch<K, F> | undefined> {
    if (options === undefined) options = {};
    const limit = this.#limitIn(options);
    return await this.when(() => this.#takeBatch(limit) ?? this.atEnd(), options);
  }

  /**
   * Calls the handler with up to `limit` messages in place, and returns their number. Every call
   * gets the same object, which is valid until the handler returns. Releases the messages after the
   * last call, or with many producers after every turn of 16, even if the handler throws or closes
   * this end.
   */
  poll(handler: (message: ShownMessage<K> & F) => void, limit?: number): number {
    if (limit === undefined) limit = Infinity;
    this.checkPoll(handler, limit);
    return this.pollLanes(handler, limit);
  }

  /**
   * Loops over the messages in place, until the other end has ended. The next turn of the loop
   * acknowledges a message. Leaving the loop does not: its last message is delivered again.
   */
  messages(options?: LoopOptions): AsyncGenerator<TakenRingMessage<K> & F, void, void> {
    if (options === undefined) options = {};
    return this.#loop(() => this.#take(), options);
  }

  /** Loops over the results of `take`; the next turn of the loop acknowledges each. */
  #loop<T extends Disposable & { ack(): void }>(
    take: () => T | undefined,
    options: LoopOptions,
  ): AsyncGenerator<T, void, void> {
    const own = checkedOptions(options, `loop over ${this.#end.what}`);
    let held: T | undefined;
    const attempt = () => {
      held = this.#looped = take();
      if (held !== undefined) return { done: false as const, value: held };
      return this.ended ? DONE : undefined;
    };
    const release = (isLeft: boolean) => {
      const last = held;
      held = undefined;
      if (last === undefined) return;
      try {
        if (!isLeft && this.#looped === last) last.ack();
      } finally {
        last[Symbol.dispose](); // by hand: `using` takes longer than all the rest of a turn
      }
    };
    return iterate({ attempt, waiter: this.waiter, release }, own);
  }

  /**
   * Loops over batches of up to `limit` messages, until the other end has ended. The next turn of
   * the loop acknowledges the rest of a batch. Leaving the loop acknowledges nothing more.
   */
  batches(
    options?: LoopOptions & Pick<BatchOptions, "limit">,
  ): AsyncGenerator<MessageBatch<K, F>, void, void> {
    const own = checkedOptions(options, `loop over ${this.#end.what}`);
    const limit = this.#limitIn({ limit: own.limit });
    return this.#loop(() => this.#takeBatch(limit), own);
  }

  /**
   * Returns a stream of bytes that joins the messages of bytes; cancelling it closes this end. It
   * fails with a PeerLostError where the other end was lost, so partial data never looks complete.
   */
  toByteStream(
    this: MessageReceiver<Bytes, unknown>,
    options?: WaitOptions,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return joinedStream(this, checkedOptions(options, `stream from ${this.#end.what}`));
  }

  /**
   * Closes this end. Messages that are unread or not acknowledged stay for the next consumer, as
   * long as the ring exists.
   */
  close(): void {
    if (this.#shows === "a polled message" && !this.#end.closed) this.#endPoll(); // in a handler
    this.#shows = "";
    this.#end.close(...this.#source.lanes.map((lane) => lane.place.spaceBell));
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkFree("wait");
    return this.#conditions;
  }

  /**
   * Polls the lane, or all of them in turns.
   * @ignore
   */
  protected pollLanes(handler: (message: ShownMessage<K> & F) => void, limit: number): number {
    return this.pollLane(handler, limit);
  }

  /**
   * Shows up to `limit` messages of the next lane in place, and returns their number.
   * @ignore
   */
  protected pollLane(handler: (message: ShownMessage<K> & F) => void, limit: number): number {
    const lane = this.#next("poll");
    if (lane === undefined) return 0;
    const message = this.#polled;
    this.#isPolling = lane;
    this.#shows = "a polled message";
    let count = 0;
    try {
      while (count < limit && !this.#end.closed) {
        if (lane.known === 0 && lane.look() === 0) break;
        const length = nextLength(this.#source, lane);
        lane.take(lane.known); // once a batch: everything there is
        message.show(lane, length);
        lane.advance(recordBytes(length));
        count++;
        const result: unknown = handler(message);
        if (result !== undefined) checkReturned(result, "poll", this.#end.what);
      }
    } finally {
      message.release();
      this.#shows = "";
      if (count > 0 && !this.#end.closed) this.#endPoll();
    }
    this.#end.checkWhole();
    return count;
  }

  /** Releases the messages the handler saw, and unmarks the rest, which it did not see. */
  #endPoll(): void {
    this.#isPolling!.announce();
    this.#isPolling!.hide();
  }

  #take(): (Shown<K> & F) | undefined {
    const lane = this.#next();
    if (lane === undefined) return undefined;
    const length = nextLength(this.#source, lane);
    const message = this.#source.shown(this.#single).show(lane, length);
    lane.take(recordBytes(length)); // first: a consumer that dies after this may have seen it
    this.#shows = "a message";
    return message;
  }

  /** Releases a message that was taken alone, or keeps it, to be delivered again. */
  #settle(lane: LaneReceiver, length: number, isAcknowledged: boolean): void {
    this.#shows = "";
    this.#looped = undefined;
    if (this.#end.closed) return;
    if (isAcknowledged) return lane.release(recordBytes(length));
    lane.rewind(0, 0);
    this.#source.suspectAll();
  }

  #limitIn(options: SyncBatchOptions): number {
    checkWaits(options);
    const { limit = USUAL_BATCH } = options;
    checkLimit(limit, 1, "take a batch from", this.#end.what);
    return limit;
  }

  #takeBatch(limit: number): MessageBatch<K, F> | undefined {
    this.#checkFree("take a batch");
    const batch = takeBatch(this.#source, this.#batches, limit);
    if (batch !== undefined) this.#shows = "a batch";
    return batch ?? this.nothing();
  }

  #next(action = "receive"): LaneReceiver | undefined {
    this.#checkFree(action);
    return this.#source.next() ?? this.nothing();
  }

  /** Throws if this end is closed, or if the caller still holds messages. */
  #checkFree(action: string): void {
    this.#end.checkOpen();
    if (this.#shows !== "") this.#refuse(action);
  }

  /** Apart from its caller, so that the compiler can inline the caller. */
  #refuse(action: string): never {
    if (this.#shows === "an error") {
      const error = this.#deferred;
      this.#shows = "";
      this.#deferred = undefined;
      throw error;
    }
    const isPolled = this.#shows === "a polled message";
    const remedy = isPolled ? "let poll() return" : "acknowledge or dispose it";
    throw new VringError(
      `Cannot ${action} at ${this.#end.what}: ${this.#shows} is still in use; ${remedy} first`,
    );
  }

  /** Returns whether a message is there; undefined while the ring is empty and can still fill. */
  #look(): boolean | undefined {
    this.#checkFree("wait");
    if (this.#source.look()) return true;
    const found = this.#end.peerHasClosed() ? this.#source.look() : undefined;
    this.#end.checkWhole();
    return found;
  }
}
