/**
 * The receiving end of a ring from one producer to one consumer.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { type Codec, codec } from "../layout/codec.ts";
import { begin } from "../sync/turns.ts";
import {
  type Awaited,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../sync/waiter.ts";
import { unlinkRing } from "./attach.ts";
import { LaneReceiver } from "./lane.ts";
import { longestRecord, readRecord, recordBytes, recordLength, showRecord } from "./record.ts";
import {
  type EndOptions,
  parts,
  SPSC,
  type SpscByteConnectOptions,
  type SpscByteOptions,
  type SpscConnectOptions,
  SpscEnd,
  type SpscOptions,
} from "./spsc.ts";
import { byteConsumerOn, type SpscByteConsumer } from "./spsc_bytes.ts";
import { joinedStream, valueStream } from "./streams.ts";

/** What a consumer finds in place of a message. */
export type Nothing =
  /** Nothing is there now. */
  | { state: "empty" }
  /** Nothing is there, and the producer has closed. */
  | { state: "closed" };

/** What receiving a value gives. */
export type ReceiveOutcome<T> =
  /** The value. `redelivered` if a consumer that died may have seen it already. */
  | { state: "ok"; value: T; redelivered: boolean }
  | Nothing;

/** What receiving gives to those who wait until there is something. */
export type ReceivedOutcome<T> = Exclude<ReceiveOutcome<T>, { state: "empty" }>;

/** What taking a message in place gives. */
export type TakeOutcome = { state: "ok"; sample: TakenMessage } | Nothing;

/** What taking gives to those who wait until there is something. */
export type TakenOutcome = Exclude<TakeOutcome, { state: "empty" }>;

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

type Either<T> = SpscConsumer<T> | SpscByteConsumer;

/** A message that is shown in place. */
class Sample implements TakenMessage {
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

/**
 * The one consumer of a ring.
 *
 * @example Every value, until the producer closes
 * ```ts
 * import { codec, SpscConsumer, SpscProducer } from "@vring/vring";
 *
 * const numbers = codec.json<number>();
 * using consumer = SpscConsumer.open("example-numbers", { codec: numbers });
 * using producer = SpscProducer.open("example-numbers", { codec: numbers }); // in another process
 * producer.sendBatch([1, 2, 3]);
 * producer.close();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class SpscConsumer<T = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included. */
  readonly capacity: number;
  /** The longest message that can come, in bytes. */
  readonly maxMessage: number;
  readonly #end: SpscEnd;
  readonly #lane: LaneReceiver;
  readonly #codec: Codec<T>;
  readonly #awaited: Awaited;
  #shows: "" | "a sample" | "a batch" = ""; // what is in the hands of the caller, unreleased

  private constructor(end: SpscEnd, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = end.capacity;
    this.maxMessage = longestRecord(end.capacity);
    this.#end = end;
    this.#lane = new LaneReceiver(end.place);
    this.#codec = codec;
    this.#awaited = {
      bell: end.place.dataBell,
      watch: this.#lane.head,
      ready: () => this.#lane.look() > 0 || end.peerHasClosed(),
      hopeless: () => end.peerIsLost() && this.#lane.look() === 0, // drained, also of the last words
    };
  }

  /** Opens a ring of bytes without messages, or makes it, as its consumer. */
  static open(name: string, options: SpscByteOptions): SpscByteConsumer;
  /** Opens a ring of bytes, or makes it, as its consumer; RoleTakenError if it has a living one. */
  static open(
    name: string,
    options?: SpscOptions<Uint8Array<ArrayBuffer>>,
  ): SpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Opens a ring of values, or makes it, as its consumer; RoleTakenError if it has a living one. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscConsumer<T>;
  static open<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    return SpscConsumer.#on(SpscEnd.open(name, "consumer", options), options);
  }

  /** Makes a ring of bytes without messages; an OsError (EEXIST) if somebody uses that name. */
  static create(name: string, options: SpscByteOptions): SpscByteConsumer;
  /** Makes a ring of bytes; an OsError (EEXIST) if somebody uses one of that name. */
  static create(
    name: string,
    options?: SpscOptions<Uint8Array<ArrayBuffer>>,
  ): SpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Makes a ring of values; an OsError (EEXIST) if somebody uses one of that name. */
  static create<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscConsumer<T>;
  static create<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    return SpscConsumer.#on(SpscEnd.create(name, "consumer", options), options);
  }

  /** Joins a ring of bytes without messages, once somebody has made it. */
  static connect(name: string, options: SpscByteConnectOptions): Promise<SpscByteConsumer>;
  /** Joins a ring of bytes, once somebody has made it; RoleTakenError if it has a living consumer. */
  static connect(
    name: string,
    options?: SpscConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Promise<SpscConsumer<Uint8Array<ArrayBuffer>>>;
  /** Joins a ring of values, once somebody has made it; RoleTakenError if it has a living consumer. */
  static connect<T>(
    name: string,
    options: SpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<SpscConsumer<T>>;
  static async connect<T>(
    name: string,
    options: SpscConnectOptions<T> | SpscByteConnectOptions = {},
  ): Promise<Either<T>> {
    return SpscConsumer.#on(await SpscEnd.connect(name, "consumer", options), options);
  }

  static #on<T>(end: SpscEnd, options: EndOptions): Either<T> {
    if (options.level === "bytes") return byteConsumerOn(end);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return end.use(() => new SpscConsumer(end, chosen));
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return unlinkRing(SPSC, name);
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

  /**
   * Receives a value, if there is one. Never waits. What the codec throws about a message is thrown
   * here, and the message is gone.
   */
  tryReceive(): ReceiveOutcome<T> {
    const length = this.#nextLength();
    if (length < 0) return this.#nothing();
    const bytes = new Uint8Array(length);
    const redelivered = this.#lane.redelivered > 0;
    readRecord(this.#lane, bytes, length);
    this.#lane.release(recordBytes(length));
    return { state: "ok", value: this.#codec.decode(bytes), redelivered };
  }

  /**
   * Copies a message into `target`, if there is one, and gives its length: nothing is allocated.
   * -1 if there is none. A RangeError if the target is too small, and the message stays.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const length = this.#nextLength();
    if (length < 0) return -1;
    if (length > target.length) {
      throw new RangeError(
        `Cannot receive into ${target.length} bytes: the message has ${length}`,
      );
    }
    readRecord(this.#lane, target, length);
    this.#lane.release(recordBytes(length));
    return length;
  }

  /** Receives a value, and blocks the thread until there is one. */
  receiveSync(options: SyncWaitOptions = {}): ReceivedOutcome<T> {
    for (;;) {
      const outcome = this.tryReceive();
      if (outcome.state !== "empty") return outcome;
      this.waitSync(options);
    }
  }

  /** Receives a value once there is one. */
  async receive(options: WaitOptions = {}): Promise<ReceivedOutcome<T>> {
    await begin(options);
    const next = parts(options);
    for (;;) {
      const outcome = this.tryReceive();
      if (outcome.state !== "empty") return outcome;
      await this.#wait(next(), options);
    }
  }

  /** Blocks the thread until there is a message; false if the producer has closed and none is. */
  waitSync(options: SyncWaitOptions = {}): boolean {
    this.#checkFree("wait");
    this.#end.checkWait(waitSync(this.#awaited, options), options);
    return this.#lane.look() > 0;
  }

  /** Resolves once there is a message; with false if the producer has closed and none is. */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    this.#checkFree("wait");
    await this.#wait(options, options);
    return this.#lane.look() > 0;
  }

  /** Takes a message in place, if there is one; it stays in the ring until it is disposed. */
  tryTake(): TakeOutcome {
    const length = this.#nextLength();
    if (length < 0) return this.#nothing();
    const size = recordBytes(length);
    const redelivered = this.#lane.redelivered > 0;
    this.#lane.take(size); // before it is shown: if this consumer dies now, it may have been seen
    this.#shows = "a sample";
    const sample = new Sample(showRecord(this.#lane, length), redelivered, () => {
      this.#shows = "";
      if (!this.#end.closed) this.#lane.release(size);
    });
    return { state: "ok", sample };
  }

  /** The same, and blocks the thread until there is one. */
  takeSync(options: SyncWaitOptions = {}): TakenOutcome {
    for (;;) {
      const outcome = this.tryTake();
      if (outcome.state !== "empty") return outcome;
      this.waitSync(options);
    }
  }

  /** The same, once there is one. */
  async take(options: WaitOptions = {}): Promise<TakenOutcome> {
    await begin(options);
    const next = parts(options);
    for (;;) {
      const outcome = this.tryTake();
      if (outcome.state !== "empty") return outcome;
      await this.#wait(next(), options);
    }
  }

  /**
   * Shows messages in place, without a copy, until there is none or `limit` is reached, and gives how
   * many there were. A view is the handler's until it returns; all are released together at the end,
   * also if the handler throws or closes this end. For all: `while (c.waitSync()) c.poll(handler)`.
   */
  poll(
    handler: (message: Uint8Array<ArrayBuffer>, redelivered: boolean) => void,
    limit = Infinity,
  ): number {
    this.#checkFree("poll");
    if (!(limit >= 0)) throw new RangeError(`Cannot poll ${limit} messages: a limit is 0 or more`);
    const lane = this.#lane;
    let count = 0;
    try {
      while (count < limit && !this.#end.closed) {
        const length = recordLength(lane);
        if (length < 0) break;
        const size = recordBytes(length);
        const redelivered = lane.redelivered > 0;
        lane.take(lane.available(size)); // once a batch: everything there is
        const message = showRecord(lane, length);
        this.#shows = "a batch";
        lane.advance(size);
        count++;
        handler(message, redelivered);
      }
    } finally {
      this.#shows = "";
      if (count > 0 && !this.#end.closed) this.#endBatch();
    }
    return count;
  }

  /** Every value from here on, until the producer closes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const outcome = await this.receive();
      if (outcome.state === "closed") return;
      yield outcome.value;
    }
  }

  /** A stream of bytes, in which the messages follow each other; cancelling it closes this end. */
  toReadableStream(
    this: SpscConsumer<Uint8Array<ArrayBuffer>>,
    options: WaitOptions & { type: "bytes" },
  ): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** A stream of the values; cancelling it closes this end. */
  toReadableStream(options?: WaitOptions): ReadableStream<T>;
  toReadableStream(options: WaitOptions & { type?: "bytes" } = {}): ReadableStream<unknown> {
    if (options.type === undefined) return valueStream(this, options);
    return joinedStream(this as unknown as SpscConsumer<Uint8Array<ArrayBuffer>>, options);
  }

  /**
   * Leaves. What was not read stays for the next consumer, while the ring lives; so does a sample
   * that was not disposed.
   */
  close(): void {
    if (this.#shows === "a batch") this.#endBatch(); // by its handler, which has seen it
    this.#shows = "";
    this.#end.close(this.#lane.spaceBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Releases what the handler has seen; the rest was noted as shown, and has not been. */
  #endBatch(): void {
    this.#lane.announce();
    this.#lane.hide();
  }

  /** Throws if it is closed, or if messages are in the hands of the caller. */
  #checkFree(action: string): void {
    this.#end.checkOpen();
    if (this.#shows === "") return;
    const remedy = this.#shows === "a sample" ? "dispose it, or use `using`" : "let poll() return";
    throw new VringError(
      `Cannot ${action} at ring "${this.name}": ${this.#shows} is still in use; ${remedy} first`,
    );
  }

  #nextLength(): number {
    this.#checkFree("receive");
    return recordLength(this.#lane);
  }

  async #wait(part: WaitOptions, options: WaitOptions): Promise<void> {
    this.#end.checkWait(await wait(this.#awaited, part), options);
  }

  /** The producer may have published between the look at the ring and the one at its word. */
  #nothing(): Nothing {
    if (!this.#end.peerHasClosed()) return EMPTY;
    return this.#lane.look() > 0 ? EMPTY : CLOSED;
  }
}
