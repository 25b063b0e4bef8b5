/**
 * The sending end of a ring from one producer to one consumer.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { type Codec, codec } from "../layout/codec.ts";
import { claimView, commitView } from "../memory/word.ts";
import { begin } from "../sync/turns.ts";
import {
  type Awaited,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../sync/waiter.ts";
import { unlinkRing } from "./attach.ts";
import { LaneSender } from "./lane.ts";
import { finishRecord, longestRecord, payloadOffset, recordBytes, writeRecord } from "./record.ts";
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
import { byteProducerOn, type SpscByteProducer } from "./spsc_bytes.ts";
import { sinkStream } from "./streams.ts";

type Either<T> = SpscProducer<T> | SpscByteProducer;

/**
 * The one producer of a ring.
 *
 * Of several calls that wait at the same time, such as two `send()` without an `await` between them,
 * whichever fits first goes first: await one before the next where order matters.
 *
 * @example Values to another process
 * ```ts
 * import { codec, SpscConsumer, SpscProducer } from "@vring/vring";
 *
 * using producer = SpscProducer.open("example-ring", { codec: codec.text });
 * using consumer = SpscConsumer.open("example-ring", { codec: codec.text }); // in another process
 * producer.trySend("hello");
 * console.log(await consumer.receive()); // { state: "ok", value: "hello", redelivered: false }
 * ```
 */
export class SpscProducer<T = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included. */
  readonly capacity: number;
  /** The longest message that fits, in bytes. */
  readonly maxMessage: number;
  readonly #end: SpscEnd;
  readonly #lane: LaneSender;
  readonly #codec: Codec<T>;
  #claim: Uint8Array<ArrayBuffer> | undefined;
  #wanted = 0; // bytes that the present wait is for
  readonly #awaited: Awaited;

  private constructor(end: SpscEnd, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = end.capacity;
    this.maxMessage = longestRecord(end.capacity);
    this.#end = end;
    this.#lane = new LaneSender(end.place);
    this.#codec = codec;
    this.#awaited = {
      bell: this.#lane.spaceBell,
      watch: this.#lane.tail,
      ready: () => this.#lane.hasRoom(this.#wanted),
      hopeless: () => end.isHopeless(),
    };
  }

  /** Opens a ring of bytes without messages, or makes it, as its producer. */
  static open(name: string, options: SpscByteOptions): SpscByteProducer;
  /** Opens a ring of bytes, or makes it, as its producer; RoleTakenError if it has a living one. */
  static open(name: string, options?: SpscOptions<Uint8Array>): SpscProducer<Uint8Array>;
  /** Opens a ring of values, or makes it, as its producer; RoleTakenError if it has a living one. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscProducer<T>;
  static open<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    return SpscProducer.#on(SpscEnd.open(name, "producer", options), options);
  }

  /** Makes a ring of bytes without messages; an OsError (EEXIST) if somebody uses that name. */
  static create(name: string, options: SpscByteOptions): SpscByteProducer;
  /** Makes a ring of bytes; an OsError (EEXIST) if somebody uses one of that name. */
  static create(name: string, options?: SpscOptions<Uint8Array>): SpscProducer<Uint8Array>;
  /** Makes a ring of values; an OsError (EEXIST) if somebody uses one of that name. */
  static create<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscProducer<T>;
  static create<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    return SpscProducer.#on(SpscEnd.create(name, "producer", options), options);
  }

  /** Joins a ring of bytes without messages, once somebody has made it. */
  static connect(name: string, options: SpscByteConnectOptions): Promise<SpscByteProducer>;
  /** Joins a ring of bytes, once somebody has made it; RoleTakenError if it has a living producer. */
  static connect(
    name: string,
    options?: SpscConnectOptions<Uint8Array>,
  ): Promise<SpscProducer<Uint8Array>>;
  /** Joins a ring of values, once somebody has made it; RoleTakenError if it has a living producer. */
  static connect<T>(
    name: string,
    options: SpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<SpscProducer<T>>;
  static async connect<T>(
    name: string,
    options: SpscConnectOptions<T> | SpscByteConnectOptions = {},
  ): Promise<Either<T>> {
    return SpscProducer.#on(await SpscEnd.connect(name, "producer", options), options);
  }

  static #on<T>(end: SpscEnd, options: EndOptions): Either<T> {
    if (options.level === "bytes") return byteProducerOn(end);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return end.use(() => new SpscProducer(end, chosen));
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return unlinkRing(SPSC, name);
  }

  /** How many bytes lie in the ring, unread. */
  get available(): number {
    this.#end.checkOpen();
    return this.#lane.used;
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.available;
  }

  /** Sends a value if there is room; false if there is not. Never waits. */
  trySend(value: T): boolean {
    const message = this.#codec.encode(value);
    if (!this.#hasRoom(message.length)) return false;
    writeRecord(this.#lane, message);
    this.#lane.announce();
    return true;
  }

  /** Sends a value, and blocks the thread until there is room. */
  sendSync(value: T, options: SyncWaitOptions = {}): void {
    while (!this.trySend(value)) this.#waitSync(options);
  }

  /** Sends a value once there is room. Leave it unchanged until the promise resolves. */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    await begin(options);
    const next = parts(options);
    while (!this.trySend(value)) await this.#wait(next(), options);
  }

  /**
   * Sends as many of the values as there is room for, all visible at once; gives how many. If one of
   * them cannot be sent at all, those before it are sent, and it throws.
   */
  sendBatch(values: readonly T[]): number {
    let sent = 0;
    try {
      for (const value of values) {
        const message = this.#codec.encode(value);
        if (!this.#hasRoom(message.length)) break;
        writeRecord(this.#lane, message);
        sent++;
      }
    } finally {
      if (sent > 0 && !this.#end.closed) this.#lane.announce();
    }
    return sent;
  }

  /**
   * Space in the ring for a message of up to `length` bytes; undefined if there is no room. What was
   * claimed before and not published is given up, as it is by sending.
   */
  tryClaim(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#hasRoom(length)) return undefined;
    return this.#claim = claimView(this.#end.place.mapping, payloadOffset(this.#lane), length);
  }

  /** The same, and blocks the thread until there is room. */
  claimSync(length: number, options: SyncWaitOptions = {}): Uint8Array<ArrayBuffer> {
    for (;;) {
      const view = this.tryClaim(length);
      if (view !== undefined) return view;
      this.#waitSync(options);
    }
  }

  /** The same, once there is room. */
  async claim(length: number, options: WaitOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    await begin(options);
    const next = parts(options);
    for (;;) {
      const view = this.tryClaim(length);
      if (view !== undefined) return view;
      await this.#wait(next(), options);
    }
  }

  /** Sends the first `length` bytes of the claimed space as a message. */
  publish(length?: number): void {
    this.#end.checkOpen();
    const claim = this.#claim;
    if (claim === undefined) throw new VringError("Cannot publish: nothing is claimed");
    const published = length ?? claim.length;
    if (!Number.isInteger(published) || published < 0 || published > claim.length) {
      throw new RangeError(`Cannot publish ${published} bytes: ${claim.length} are claimed`);
    }
    const view = claim.subarray(0, published);
    commitView(this.#end.place.mapping, payloadOffset(this.#lane), view);
    finishRecord(this.#lane, published);
    this.#lane.announce();
    this.#claim = undefined;
  }

  /** Gives the claimed space up. */
  discard(): void {
    this.#claim = undefined;
  }

  /** A stream into the ring, which takes no more than fits; closing or aborting it closes this end. */
  toWritableStream(options: WaitOptions = {}): WritableStream<T> {
    return sinkStream(this, options);
  }

  /** Says that nothing more comes; the consumer drains what is there. */
  close(): void {
    this.#end.close(this.#end.place.dataBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether a message of this length fits now; a claim that was not published is given up. */
  #hasRoom(length: number): boolean {
    this.#end.checkOpen();
    if (!Number.isInteger(length) || length < 0 || length > this.maxMessage) {
      throw new RangeError(
        `Cannot send ${length} bytes through ring "${this.name}": of its ${this.capacity} bytes ` +
          `a message can have ${this.maxMessage}; make it larger`,
      );
    }
    this.#claim = undefined;
    this.#wanted = recordBytes(length);
    return this.#lane.hasRoom(this.#wanted);
  }

  #waitSync(options: SyncWaitOptions): void {
    this.#end.checkWait(waitSync(this.#awaited, options), options);
  }

  async #wait(part: WaitOptions, options: WaitOptions): Promise<void> {
    const wanted = this.#wanted; // the next call may want more or less
    const ready = () => this.#lane.hasRoom(wanted);
    const outcome = await wait({ ...this.#awaited, ready }, part);
    this.#end.checkWait(outcome, options);
  }
}
