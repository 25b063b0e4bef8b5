/** Rings from one producer to one consumer. @module */

import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import { Inside } from "../../spsc/scene.ts";
import { CODECS, type Ring } from "../product.ts";
import { CAPACITY, receiverOf, senderOf, UNIT, WRAPS } from "./lane.ts";

export const SPSC: Ring = {
  name: "SPSC ring",
  noun: "ring",
  file: (name) => `vring.spsc.${name}`,
  sender: {
    title: "producer",
    most: 1,
    open: (name, options) => senderOf(SpscProducer.open(name, options)),
    create: (name, options) => senderOf(SpscProducer.create(name, options)),
    connect: async (name, options) => senderOf(await SpscProducer.connect(name, options)),
    unlink: (name) => SpscProducer.unlink(name),
  },
  receiver: {
    title: "consumer",
    most: 1,
    open: (name, options) => receiverOf(SpscConsumer.open(name, options)),
    create: (name, options) => receiverOf(SpscConsumer.create(name, options)),
    connect: async (name, options) => receiverOf(await SpscConsumer.connect(name, options)),
    unlink: (name) => SpscConsumer.unlink(name),
  },
  sizes: { capacity: CAPACITY },
  types: [...CODECS, { options: { level: "bytes" }, name: "bytes without messages" }],
  whenFull: "refuses",
  wraps: WRAPS,
  beginBefore: (name, capacity, wrap, units) =>
    new Inside(name, capacity).startAt(wrap - UNIT * units),
};
