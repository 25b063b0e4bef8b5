/**
 * The receiving end of a ring from one producer to one consumer.
 *
 * @module
 */

import type { LaneEnd } from "../lane/endpoint.ts";
import { LaneReceiver } from "../lane/lane.ts";
import type { AnyCodec } from "../lane/message.ts";
import { MessageReceiver } from "../lane/receiver.ts";
import { OneLane } from "../lane/source.ts";
import type { Bytes, Type } from "../message.ts";

/**
 * The one consumer of a ring; `spsc(name).consumer()` opens it.
 *
 * @example Every value, until the producer ends
 * ```ts
 * import { json, spsc } from "@vring/vring";
 *
 * const numbers = spsc("example-numbers", { type: json<number>() });
 * using consumer = numbers.consumer();
 * using producer = numbers.producer(); // in another process
 * producer.trySendBatch([1, 2, 3]);
 * producer.end();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class SpscConsumer<K extends Type = Bytes> extends MessageReceiver<K> {
  /** @ignore */
  constructor({ end, place, bell }: LaneEnd, codec: AnyCodec, own?: boolean) {
    super({ end, source: new OneLane<K>(new LaneReceiver(place), bell), codec, own });
  }

  /** The number of free bytes in the ring. */
  get free(): number {
    return this.capacity - this.available;
  }
}
