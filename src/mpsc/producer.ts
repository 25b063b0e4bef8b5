/**
 * One of the sending ends of a ring from many producers to one consumer.
 *
 * @module
 */

import type { AnyCodec } from "../lane/message.ts";
import { MessageSender } from "../lane/sender.ts";
import type { Bytes, Type } from "../message.ts";
import type { ProducerEnd } from "./mpsc.ts";

/**
 * One of the producers of a ring; `mpsc(name).producer()` opens it. It has its own lane: other
 * producers never block it, and its messages arrive in order.
 *
 * @example Two producers
 * ```ts
 * import { mpsc, text } from "@vring/vring";
 *
 * const log = mpsc("example-log", { producers: 4, type: text() });
 * using consumer = log.consumer();
 * using first = log.producer(); // in another process
 * using second = log.producer(); // in a third
 * first.trySend("hello");
 * second.trySend("hello, too");
 * for (let i = 0; i < 2; i++) {
 *   const message = consumer.receiveSync();
 *   console.log(message?.producer, message?.value); // 0 hello and 1 hello, too, in any order
 * }
 * ```
 */
export class MpscProducer<K extends Type = Bytes> extends MessageSender<K> {
  /** The number of this producer's lane. */
  readonly id: number;
  /** The number of producers that have had this lane, including this one. */
  readonly generation: number;

  /** @ignore */
  constructor(at: ProducerEnd, codec: AnyCodec) {
    super(at, codec);
    this.id = at.id;
    this.generation = at.generation;
  }
}
