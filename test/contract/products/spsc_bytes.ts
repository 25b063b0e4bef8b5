/** Rings of bytes without messages. @module */

import type { SpscByteConsumer, SpscByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import { type Handle, handleOf, isMark, MARK, type Options, type Product } from "../product.ts";
import { SPSC } from "./spsc.ts";

const bytes = (options?: Options) => ({ level: "bytes", ...options }) as { level: "bytes" };

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
  sender: {
    ...SPSC.sender,
    open: (name, options) => senderOf(SpscProducer.open(name, bytes(options))),
    create: (name, options) => senderOf(SpscProducer.create(name, bytes(options))),
    connect: async (name, options) => senderOf(await SpscProducer.connect(name, bytes(options))),
  },
  receiver: {
    ...SPSC.receiver,
    open: (name, options) => receiverOf(SpscConsumer.open(name, bytes(options))),
    create: (name, options) => receiverOf(SpscConsumer.create(name, bytes(options))),
    connect: async (name, options) => receiverOf(await SpscConsumer.connect(name, bytes(options))),
  },
  types: [
    { options: {}, name: "bytes without messages" },
    { options: { level: "messages" }, name: "bytes" },
  ],
};
