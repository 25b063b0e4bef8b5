/**
 * The receiving end of a ring from one producer to one consumer.
 *
 * @module
 */

import { checkHandler, checkLimit } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import type { Condition } from "../wait/condition.ts";
import { checkedRing } from "../lane/geometry.ts";
import type { EndOptions, LaneEnd } from "../lane/endpoint.ts";
import { LaneReceiver, type Ringable } from "../lane/lane.ts";
import {
  MessageReceiver,
  type Nothing,
  type ReceivedValue,
  Sample,
  type TakenMessage,
} from "../lane/receiver.ts";
import { RECORD_HEADER } from "../lane/record.ts";
import {
  connectEnd,
  createEnd,
  openEnd,
  RINGS,
  type SpscByteConnectOptions,
  type SpscByteOptions,
  type SpscConnectOptions,
  type SpscOptions,
} from "./spsc.ts";
import { byteConsumerOn, type SpscByteConsumer } from "./bytes.ts";

/** The outcome of receiving a value. */
export type ReceiveOutcome<T> = ReceivedValue<T> | Nothing;

type Either<T> = SpscConsumer<T> | SpscByteConsumer;

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
 * producer.trySendBatch([1, 2, 3]);
 * producer.close();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class SpscConsumer<T = Uint8Array> extends MessageReceiver<T> {
  readonly #lane: LaneReceiver;
  readonly #spaceBell: Ringable;
  readonly #condition: Condition;

  private constructor({ end, place, bell }: LaneEnd, codec: Codec<T>) {
    super(end, place.capacity, codec);
    const lane = this.#lane = new LaneReceiver(place);
    this.#spaceBell = place.spaceBell;
    this.#condition = {
      bell,
      watch: lane.head,
      ready: () => lane.look() > 0 || end.peerHasClosed(),
      // Only once the last messages of the dead producer are read.
      beforeSleep: () => end.peerIsLost() && lane.look() === 0 ? "lost" : undefined,
    };
  }

  /** Opens or creates a ring of bytes without messages as its consumer. */
  static open(name: string, options: SpscByteOptions): SpscByteConsumer;
  /** Opens or creates a ring of bytes as its consumer; throws RoleTakenError if one is alive. */
  static open(
    name: string,
    options?: SpscOptions<Uint8Array<ArrayBuffer>>,
  ): SpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Opens or creates a ring of values as its consumer; throws RoleTakenError if one is alive. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscConsumer<T>;
  static open<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    options = checkedRing(name, options);
    return SpscConsumer.#on(openEnd(name, "consumer", options), options);
  }

  /** Creates a ring of bytes without messages; throws OsError (EEXIST) if the name is in use. */
  static create(name: string, options: SpscByteOptions): SpscByteConsumer;
  /** Creates a ring of bytes; throws OsError (EEXIST) if the name is in use. */
  static create(
    name: string,
    options?: SpscOptions<Uint8Array<ArrayBuffer>>,
  ): SpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Creates a ring of values; throws OsError (EEXIST) if the name is in use. */
  static create<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscConsumer<T>;
  static create<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    options = checkedRing(name, options);
    return SpscConsumer.#on(createEnd(name, "consumer", options), options);
  }

  /** Joins a ring of bytes without messages once it exists. */
  static connect(name: string, options: SpscByteConnectOptions): Promise<SpscByteConsumer>;
  /** Joins a ring of bytes once it exists; RoleTakenError if it has a living consumer. */
  static connect(
    name: string,
    options?: SpscConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Promise<SpscConsumer<Uint8Array<ArrayBuffer>>>;
  /** Joins a ring of values once it exists; RoleTakenError if it has a living consumer. */
  static connect<T>(
    name: string,
    options: SpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<SpscConsumer<T>>;
  static async connect<T>(
    name: string,
    options: SpscConnectOptions<T> | SpscByteConnectOptions = {},
  ): Promise<Either<T>> {
    options = checkedRing(name, options);
    return SpscConsumer.#on(await connectEnd(name, "consumer", options), options);
  }

  static #on<T>(at: LaneEnd, options: EndOptions): Either<T> {
    if (options.level === "bytes") return byteConsumerOn(at);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return at.end.use(() => new SpscConsumer(at, chosen));
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** The number of unread bytes in the ring. */
  override get available(): number {
    this.end.checkOpen();
    return this.#lane.look();
  }

  /** The number of free bytes in the ring. */
  get free(): number {
    return this.capacity - this.available;
  }

  /**
   * Shows up to `limit` messages in place, without a copy, and returns their number. A view is
   * valid until the handler returns. All messages are released together at the end, even if the
   * handler throws or closes this end. To handle all: `while (c.waitSync()) c.poll(handler)`.
   */
  poll(
    handler: (message: Uint8Array<ArrayBuffer>, redelivered: boolean) => void,
    limit = Infinity,
  ): number {
    checkHandler(handler, "poll", this.end.what);
    checkLimit(limit, 0, "poll", this.end.what);
    return this.pollLane(handler, limit);
  }

  /** @ignore */
  protected override next(): LaneReceiver | undefined {
    return this.#lane.available(RECORD_HEADER) > 0 ? this.#lane : undefined;
  }

  /** @ignore */
  protected override received(
    _lane: LaneReceiver,
    value: T,
    redelivered: boolean,
  ): ReceivedValue<T> {
    return { state: "ok", value, redelivered };
  }

  /** @ignore */
  protected override taken(
    _lane: LaneReceiver,
    bytes: Uint8Array<ArrayBuffer>,
    redelivered: boolean,
    release: () => void,
  ): TakenMessage {
    return new Sample(bytes, redelivered, release);
  }

  /** @ignore */
  protected override condition(): Condition {
    return this.#condition;
  }

  /** @ignore */
  protected override hasMessage(): boolean {
    return this.#lane.available(RECORD_HEADER) > 0;
  }

  /** @ignore */
  protected override closeEnd(): void {
    this.end.close(this.#spaceBell);
  }
}
