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

/** What receiving a value gives. */
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
      // Drained, also of the last words.
      beforeSleep: () => end.peerIsLost() && lane.look() === 0 ? "lost" : undefined,
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
    options = checkedRing(name, options);
    return SpscConsumer.#on(openEnd(name, "consumer", options), options);
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
    options = checkedRing(name, options);
    return SpscConsumer.#on(createEnd(name, "consumer", options), options);
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
    options = checkedRing(name, options);
    return SpscConsumer.#on(await connectEnd(name, "consumer", options), options);
  }

  static #on<T>(at: LaneEnd, options: EndOptions): Either<T> {
    if (options.level === "bytes") return byteConsumerOn(at);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return at.end.use(() => new SpscConsumer(at, chosen));
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** How many bytes lie in the ring, unread. */
  override get available(): number {
    this.end.checkOpen();
    return this.#lane.look();
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.available;
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
