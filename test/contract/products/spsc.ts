/** Rings from one producer to one consumer. @module */

import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import { Inside } from "../../spsc/scene.ts";
import { CODECS, type Ring, roleOf } from "../product.ts";
import { CAPACITY, receiverOf, senderOf, UNIT, WRAPS } from "./lane.ts";

export const SPSC: Ring = {
  name: "SPSC ring",
  noun: "ring",
  file: (name) => `vring.spsc.${name}`,
  sender: roleOf({ title: "producer", most: 1 }, SpscProducer<Uint8Array>, senderOf),
  receiver: roleOf(
    { title: "consumer", most: 1 },
    SpscConsumer<Uint8Array<ArrayBuffer>>,
    receiverOf,
  ),
  sizes: { capacity: CAPACITY },
  endsWithPeer: {},
  succession: { keepOpen: true },
  types: [...CODECS, { options: { level: "bytes" }, name: "bytes without messages" }],
  whenFull: "refuses",
  wraps: WRAPS,
  beginBefore: (name, capacity, wrap, units) =>
    new Inside(name, capacity).startAt(wrap - UNIT * units),
};
