/**
 * The receiving end of a ring from one producer to one consumer.
 *
 * @module
 */

import { checkHandler, checkLimit } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import { checkedRing } from "../lane/geometry.ts";
import type { EndOptions, LaneEnd } from "../lane/endpoint.ts";
import { LaneReceiver } from "../lane/lane.ts";
import type { Nothing, ReceivedValue } from "../lane/message.ts";
import { MessageReceiver } from "../lane/receiver.ts";
import { OneLane } from "../lane/source.ts";
import type { Region } from "../region/region.ts";
import {
  RINGS,
  type SpscByteConnectOptions,
  type SpscByteOptions,
  type SpscConnectOptions,
  type SpscOptions,
  takeEnd,
} from "./spsc.ts";
import { byteConsumerOn, type SpscByteConsumer } from "./bytes.ts";

/** The outcome of receiving a value. */
export type ReceiveOutcome<T> = ReceivedValue<T> | Nothing;

type Either<T> = SpscConsumer<T> | SpscByteConsumer;

/**
 * The one consumer of a ring.
 *
 * @example Every value, until the producer ends
 * ```ts
 * import { codec, SpscConsumer, SpscProducer } from "@vring/vring";
 *
 * const numbers = codec.json<number>();
 * using consumer = SpscConsumer.open("example-numbers", { codec: numbers });
 * using producer = SpscProducer.open("example-numbers", { codec: numbers }); // in another process
 * producer.trySendBatch([1, 2, 3]);
 * producer.end();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class SpscConsumer<T = Uint8Array> extends MessageReceiver<T> {
  private constructor({ end, place, bell }: LaneEnd, codec: Codec<T>) {
    super(end, new OneLane<T>(new LaneReceiver(place), bell), codec);
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
    return SpscConsumer.#on(name, RINGS.open(name, options), options);
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
    return SpscConsumer.#on(name, RINGS.create(name, options), options);
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
    return SpscConsumer.#on(name, await RINGS.connect(name, options), options);
  }

  static #on<T>(name: string, region: Region, options: EndOptions): Either<T> {
    const at = takeEnd(name, "consumer", region, options);
    if (options.level === "bytes") return byteConsumerOn(at);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return at.end.use(() => new SpscConsumer(at, chosen));
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
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
    handler: (message: Uint8Array<ArrayBuffer>, redelivered: boolean, sequence: number) => void,
    limit = Infinity,
  ): number {
    checkHandler(handler, "poll", this.endpoint.what);
    checkLimit(limit, 0, "poll", this.endpoint.what);
    return this.pollLane(handler, limit);
  }
}
