/**
 * The sending end of a ring from one producer to one consumer.
 *
 * @module
 */

import type { LaneEnd } from "../lane/endpoint.ts";
import type { AnyCodec } from "../lane/message.ts";
import { MessageSender } from "../lane/sender.ts";
import type { Bytes, Type } from "../message.ts";

/**
 * The one producer of a ring; `spsc(name).producer()` opens it.
 *
 * @example Values to another process
 * ```ts
 * import { spsc, text } from "@vring/vring";
 *
 * const lines = spsc("example-ring", { type: text() }); // imported by both programs
 * using producer = lines.producer();
 * using consumer = lines.consumer(); // in another process
 * producer.trySend("hello");
 * for await (const line of consumer) {
 *   console.log(line); // hello
 *   break;
 * }
 * ```
 */
export class SpscProducer<K extends Type = Bytes> extends MessageSender<K> {
  /** @ignore */
  constructor(at: LaneEnd, codec: AnyCodec) {
    super(at, codec);
  }
}
