/**
 * The definition of a ring from many producers to one consumer.
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import { type ConsumerOptions, RingDefinition } from "../lane/definition.ts";
import type { RingOptions } from "../lane/geometry.ts";
import type { AnyCodec } from "../lane/message.ts";
import { type Bytes, type Type, typeIn } from "../message.ts";
import { MpscConsumer } from "./consumer.ts";
import { MPSC_RING, type MpscProducerOptions, takeConsumer, takeSeat } from "./mpsc.ts";
import { MpscProducer } from "./producer.ts";

/** The options of a ring with many producers. */
export interface MpscOptions<K extends Type = Bytes> extends RingOptions<K> {
  /** The most producers at a time, up to 64; 8 by default. Each has a lane of `capacity` bytes. */
  producers?: number | undefined;
}

/**
 * Defines a ring that carries messages from many producers to one consumer.
 *
 * @example One definition for all programs
 * ```ts
 * import { mpsc, text } from "@vring/vring";
 *
 * const events = mpsc("example-events", { type: text(), producers: 4 });
 * using consumer = events.consumer();
 * using producer = events.producer(); // in another process, started before or after
 * producer.sendSync("started");
 * const message = consumer.receiveSync();
 * console.log(message?.producer, message?.value); // 0 started
 * ```
 */
export function mpsc<K extends Type>(
  name: string,
  options: MpscOptions<K> & { type: K },
): MpscDefinition<K>;
/** Defines a ring that carries messages of bytes from many producers to one consumer. */
export function mpsc(name: string, options?: MpscOptions): MpscDefinition;
export function mpsc<K extends Type = Bytes>(
  name: string,
  options?: MpscOptions<K>,
): MpscDefinition<K> {
  if (options === undefined) options = {};
  return new MpscDefinition<K>(name, options);
}

/** The definition of a ring that carries messages from many producers to one consumer. */
export class MpscDefinition<K extends Type = Bytes>
  extends RingDefinition<MpscProducer<K>, MpscConsumer<K>, MpscProducerOptions, ConsumerOptions> {
  readonly #codec: AnyCodec;

  /** @ignore */
  constructor(name: string, options: MpscOptions<K>) {
    const action = `define ring ${inWords(name)}`;
    const { type, ...own } = checkedOptions(
      options,
      action,
      definitionOptions("type", "capacity", "producers"),
    );
    const codec = typeIn(type, action);
    super(MPSC_RING, name, own, codec.type);
    this.#codec = codec;
  }

  /**
   * Opens the ring as one of its producers. Throws a RoleTakenError if every lane has a living
   * producer, or unread messages of an earlier one.
   */
  override producer(options?: MpscProducerOptions): MpscProducer<K> {
    if (options === undefined) options = {};
    const at = takeSeat(this.name, this.enter("producer", options));
    return at.end.use(() => new MpscProducer<K>(at, this.#codec));
  }

  /** Opens the ring as its consumer; throws a RoleTakenError if it has a living one. */
  override consumer(options?: ConsumerOptions): MpscConsumer<K> {
    if (options === undefined) options = {};
    const own = this.enter("consumer", options);
    const at = takeConsumer(this.name, own);
    return at.end.use(() => new MpscConsumer<K>(at, this.#codec, own.own));
  }
}
