/**
 * The sending end of a ring from one producer to one consumer.
 *
 * @module
 */

import { type Codec, codec } from "../codec.ts";
import { checkedRing } from "../lane/geometry.ts";
import type { EndOptions, LaneEnd } from "../lane/endpoint.ts";
import { MessageSender } from "../lane/sender.ts";
import type { Region } from "../region/region.ts";
import {
  RINGS,
  type SpscByteConnectOptions,
  type SpscByteOptions,
  type SpscConnectOptions,
  type SpscOptions,
  takeEnd,
} from "./spsc.ts";
import { byteProducerOn, type SpscByteProducer } from "./bytes.ts";

type Either<T> = SpscProducer<T> | SpscByteProducer;

/**
 * The one producer of a ring.
 *
 * @example Values to another process
 * ```ts
 * import { codec, SpscConsumer, SpscProducer } from "@vring/vring";
 *
 * using producer = SpscProducer.open("example-ring", { codec: codec.text });
 * using consumer = SpscConsumer.open("example-ring", { codec: codec.text }); // in another process
 * producer.trySend("hello");
 * for await (const text of consumer) {
 *   console.log(text); // hello
 *   break;
 * }
 * ```
 */
export class SpscProducer<T = Uint8Array> extends MessageSender<T> {
  private constructor(at: LaneEnd, codec: Codec<T>) {
    super(at, codec);
  }

  /** Opens or creates a ring of bytes without messages as its producer. */
  static open(name: string, options: SpscByteOptions): SpscByteProducer;
  /** Opens or creates a ring of bytes as its producer; throws RoleTakenError if one is alive. */
  static open(name: string, options?: SpscOptions<Uint8Array>): SpscProducer<Uint8Array>;
  /** Opens or creates a ring of values as its producer; throws RoleTakenError if one is alive. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscProducer<T>;
  static open<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    options = checkedRing(name, options);
    return SpscProducer.#on(name, RINGS.open(name, options), options);
  }

  /** Creates a ring of bytes without messages; throws OsError (EEXIST) if the name is in use. */
  static create(name: string, options: SpscByteOptions): SpscByteProducer;
  /** Creates a ring of bytes; throws OsError (EEXIST) if the name is in use. */
  static create(name: string, options?: SpscOptions<Uint8Array>): SpscProducer<Uint8Array>;
  /** Creates a ring of values; throws OsError (EEXIST) if the name is in use. */
  static create<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscProducer<T>;
  static create<T>(name: string, options: SpscOptions<T> | SpscByteOptions = {}): Either<T> {
    options = checkedRing(name, options);
    return SpscProducer.#on(name, RINGS.create(name, options), options);
  }

  /** Joins a ring of bytes without messages once it exists. */
  static connect(name: string, options: SpscByteConnectOptions): Promise<SpscByteProducer>;
  /** Joins a ring of bytes once it exists; RoleTakenError if it has a living producer. */
  static connect(
    name: string,
    options?: SpscConnectOptions<Uint8Array>,
  ): Promise<SpscProducer<Uint8Array>>;
  /** Joins a ring of values once it exists; RoleTakenError if it has a living producer. */
  static connect<T>(
    name: string,
    options: SpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<SpscProducer<T>>;
  static async connect<T>(
    name: string,
    options: SpscConnectOptions<T> | SpscByteConnectOptions = {},
  ): Promise<Either<T>> {
    options = checkedRing(name, options);
    return SpscProducer.#on(name, await RINGS.connect(name, options), options);
  }

  static #on<T>(name: string, region: Region, options: EndOptions): Either<T> {
    const at = takeEnd(name, "producer", region, options);
    if (options.level === "bytes") return byteProducerOn(at);
    const chosen = (options.codec ?? codec.bytes) as unknown as Codec<T>;
    return at.end.use(() => new SpscProducer(at, chosen));
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }
}
