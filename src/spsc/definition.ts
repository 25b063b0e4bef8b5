/**
 * The definitions of rings from one producer to one consumer, of messages or of bytes.
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import type { DefinitionOptions } from "../definition.ts";
import {
  type ConsumerOptions,
  RingDefinition,
  type RingHandleOptions,
} from "../lane/definition.ts";
import type { RingOptions } from "../lane/geometry.ts";
import type { AnyCodec } from "../lane/message.ts";
import { type Bytes, type Type, typeIn } from "../message.ts";
import { ByteConsumer, ByteProducer } from "./bytes.ts";
import { SpscConsumer } from "./consumer.ts";
import { SpscProducer } from "./producer.ts";
import { BYTE_LEVEL, SPSC_RING, takeEnd } from "./spsc.ts";

/**
 * Defines a ring that carries messages from one producer to one consumer.
 *
 * @example One definition for both programs
 * ```ts
 * import { spsc, text } from "@vring/vring";
 *
 * const lines = spsc("example-lines", { type: text(), capacity: 65536 });
 * using consumer = lines.consumer();
 * using producer = lines.producer(); // in another process, started before or after
 * producer.sendSync("hello");
 * console.log(consumer.receiveSync()?.value); // hello
 * ```
 */
export function spsc<K extends Type>(
  name: string,
  options: RingOptions<K> & { type: K },
): SpscDefinition<K>;
/** Defines a ring that carries messages of bytes from one producer to one consumer. */
export function spsc(name: string, options?: RingOptions): SpscDefinition;
export function spsc<K extends Type = Bytes>(
  name: string,
  options?: RingOptions<K>,
): SpscDefinition<K> {
  if (options === undefined) options = {};
  return new SpscDefinition<K>(name, options);
}

/** The definition of a ring that carries messages from one producer to one consumer. */
export class SpscDefinition<K extends Type = Bytes>
  extends RingDefinition<SpscProducer<K>, SpscConsumer<K>, RingHandleOptions, ConsumerOptions> {
  readonly #codec: AnyCodec;

  /** @ignore */
  constructor(name: string, options: RingOptions<K>) {
    const action = `define ring ${inWords(name)}`;
    const { type, ...own } = checkedOptions(options, action, definitionOptions("type", "capacity"));
    const codec = typeIn(type, action);
    super(SPSC_RING, name, own, codec.type);
    this.#codec = codec;
  }

  /** Opens the ring as its producer; throws a RoleTakenError if it has a living one. */
  override producer(options?: RingHandleOptions): SpscProducer<K> {
    if (options === undefined) options = {};
    const own = this.enter("producer", options);
    const at = takeEnd(this.name, "producer", own);
    return at.end.use(() => new SpscProducer<K>(at, this.#codec));
  }

  /** Opens the ring as its consumer; throws a RoleTakenError if it has a living one. */
  override consumer(options?: ConsumerOptions): SpscConsumer<K> {
    if (options === undefined) options = {};
    const own = this.enter("consumer", options);
    const at = takeEnd(this.name, "consumer", own);
    return at.end.use(() => new SpscConsumer<K>(at, this.#codec, own.own));
  }
}

/** The options of a ring of bytes. */
export type ByteRingOptions = DefinitionOptions & Pick<RingOptions, "capacity">;

/**
 * Defines a ring that carries bytes without messages from one producer to one consumer.
 *
 * @example A file, in parts of any length
 * ```ts
 * import { byteRing } from "@vring/vring";
 *
 * const ring = byteRing("example-file");
 * using producer = ring.producer();
 * using consumer = ring.consumer(); // in another process
 * producer.writeSync(new Uint8Array([1, 2, 3]));
 * producer.end(); // without end(), the consumer gets a PeerLostError: the file is incomplete
 * const target = new Uint8Array(8);
 * console.log(consumer.readSync(target), consumer.readSync(target)); // 3 0
 * ```
 */
export function byteRing(name: string, options?: ByteRingOptions): ByteRingDefinition {
  if (options === undefined) options = {};
  return new ByteRingDefinition(name, options);
}

/** The definition of a ring that carries bytes without messages. */
export class ByteRingDefinition extends RingDefinition<ByteProducer, ByteConsumer> {
  /** @ignore */
  constructor(name: string, options: ByteRingOptions) {
    const action = `define ring ${inWords(name)}`;
    const own = checkedOptions(options, action, definitionOptions("capacity"));
    super(SPSC_RING, name, own, BYTE_LEVEL);
  }

  /** Opens the ring as its producer; throws a RoleTakenError if it has a living one. */
  override producer(options?: RingHandleOptions): ByteProducer {
    if (options === undefined) options = {};
    const at = takeEnd(this.name, "producer", this.enter("producer", options));
    return at.end.use(() => new ByteProducer(at));
  }

  /** Opens the ring as its consumer; throws a RoleTakenError if it has a living one. */
  override consumer(options?: RingHandleOptions): ByteConsumer {
    if (options === undefined) options = {};
    const at = takeEnd(this.name, "consumer", this.enter("consumer", options));
    return at.end.use(() => new ByteConsumer(at));
  }
}
