/**
 * One of the sending ends of a ring from many producers to one consumer.
 *
 * @module
 */

import { type Codec, codec } from "../codec.ts";
import { checkedRing } from "../lane/geometry.ts";
import {
  awaitSeat,
  type MpscConnectOptions,
  type MpscOptions,
  type MpscSeatOptions,
  type ProducerEnd,
  RINGS,
  takeSeat,
} from "./mpsc.ts";
import { left } from "../wait/cancellation.ts";
import { deadlineOf } from "../wait/until.ts";
import { MessageSender } from "../lane/sender.ts";

/**
 * One of the producers of a ring. It has its own lane: other producers never block it, and its
 * messages arrive in order.
 *
 * @example Two producers
 * ```ts
 * import { codec, MpscConsumer, MpscProducer } from "@vring/vring";
 *
 * using consumer = MpscConsumer.open("example-log", { producers: 4, codec: codec.text });
 * using first = MpscProducer.open("example-log", { codec: codec.text }); // in another process
 * using second = MpscProducer.open("example-log", { codec: codec.text }); // in a third
 * first.trySend("hello");
 * second.trySend("hello, too");
 * for (let i = 0; i < 2; i++) {
 *   const outcome = consumer.receiveSync();
 *   if (outcome.state === "ok") console.log(outcome.producer, outcome.value); // 0 hello, 1 hello, too
 * }
 * ```
 */
export class MpscProducer<T = Uint8Array> extends MessageSender<T> {
  /** The number of this producer's lane. */
  readonly id: number;
  /** The number of producers that have had this lane, including this one. */
  readonly generation: number;

  private constructor(at: ProducerEnd, codec: Codec<T>) {
    super(at, codec);
    this.id = at.id;
    this.generation = at.generation;
  }

  /** Opens or creates a ring of bytes as one of its producers. */
  static open(
    name: string,
    options?: MpscOptions<Uint8Array> & MpscSeatOptions,
  ): MpscProducer<Uint8Array>;
  /**
   * Opens or creates a ring of values as one of its producers. Throws RoleTakenError if every lane
   * has a living producer or unread messages of a dead one.
   */
  static open<T>(
    name: string,
    options: MpscOptions<T> & MpscSeatOptions & { codec: Codec<T> },
  ): MpscProducer<T>;
  static open<T>(name: string, options: MpscOptions<T> & MpscSeatOptions = {}): MpscProducer<T> {
    options = checkedRing(name, options);
    const region = RINGS.open(name, options);
    return MpscProducer.#on(takeSeat(name, region, options), options);
  }

  /** Creates a ring of bytes; throws OsError (EEXIST) if the name is in use. */
  static create(
    name: string,
    options?: MpscOptions<Uint8Array> & MpscSeatOptions,
  ): MpscProducer<Uint8Array>;
  /** Creates a ring of values; throws OsError (EEXIST) if the name is in use. */
  static create<T>(
    name: string,
    options: MpscOptions<T> & MpscSeatOptions & { codec: Codec<T> },
  ): MpscProducer<T>;
  static create<T>(name: string, options: MpscOptions<T> & MpscSeatOptions = {}): MpscProducer<T> {
    options = checkedRing(name, options);
    const region = RINGS.create(name, options);
    return MpscProducer.#on(takeSeat(name, region, options), options);
  }

  /** Joins a ring of bytes once it exists. */
  static connect(
    name: string,
    options?: MpscConnectOptions<Uint8Array> & MpscSeatOptions,
  ): Promise<MpscProducer<Uint8Array>>;
  /**
   * Joins a ring of values once it exists, and waits until the consumer has drained a dead
   * producer's lane. Rejects with RoleTakenError if all producers are alive.
   */
  static connect<T>(
    name: string,
    options: MpscConnectOptions<T> & MpscSeatOptions & { codec: Codec<T> },
  ): Promise<MpscProducer<T>>;
  static async connect<T>(
    name: string,
    options: MpscConnectOptions<T> & MpscSeatOptions = {},
  ): Promise<MpscProducer<T>> {
    options = checkedRing(name, options);
    const deadline = deadlineOf(options);
    const region = await RINGS.connect(name, options);
    const rest = { ...options, timeout: left(deadline) };
    return MpscProducer.#on(await awaitSeat(name, region, rest, options), options);
  }

  static #on<T>(at: ProducerEnd, options: MpscOptions<T>): MpscProducer<T> {
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    return at.end.use(() => new MpscProducer(at, chosen));
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }
}
