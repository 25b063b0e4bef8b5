/** Rings of bytes without messages. @module */

import type { SpscByteConsumer, SpscByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import {
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Opener,
  type Product,
  roleOf,
} from "../product.ts";
import { SPSC } from "./spsc.ts";

function senderOf(producer: SpscByteProducer): Handle {
  return {
    ...handleOf(producer, { capacity: producer.capacity }),
    mark() {
      producer.claimSync(MARK.length, { timeout: 0 }).set(MARK);
      producer.publish();
    },
  };
}

function receiverOf(consumer: SpscByteConsumer): Handle {
  return {
    ...handleOf(consumer, { capacity: consumer.capacity }),
    finds() {
      const found = consumer.peek();
      const marked = isMark(found);
      consumer.release(found.length);
      return marked;
    },
  };
}

export const SPSC_BYTES: Product = {
  ...SPSC,
  name: "SPSC ring of bytes",
  sender: roleOf(
    { title: "producer", most: 1, usual: { level: "bytes" } },
    SpscProducer as unknown as Opener<SpscByteProducer>,
    senderOf,
  ),
  receiver: roleOf(
    { title: "consumer", most: 1, usual: { level: "bytes" } },
    SpscConsumer as unknown as Opener<SpscByteConsumer>,
    receiverOf,
  ),
  types: [
    { options: {}, name: "bytes without messages" },
    { options: { level: "messages" }, name: "bytes" },
  ],
};
