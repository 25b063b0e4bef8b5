/** Rings from many producers to one consumer. @module */

import { MpscConsumer } from "../../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../../src/mpsc/producer.ts";
import { Inside } from "../../mpsc/scene.ts";
import { CODECS, type Ring, roleOf } from "../product.ts";
import { CAPACITY, receiverOf as laneReceiver, senderOf, UNIT, WRAPS } from "./lane.ts";

function receiverOf(consumer: MpscConsumer<Uint8Array<ArrayBuffer>>) {
  return laneReceiver(consumer, { producers: consumer.producers });
}

export const MPSC: Ring = {
  name: "MPSC ring",
  noun: "ring",
  file: (name) => `vring.mpsc.${name}`,
  sender: roleOf({ title: "producer", most: 2 }, MpscProducer<Uint8Array>, senderOf),
  receiver: roleOf(
    { title: "consumer", most: 1 },
    MpscConsumer<Uint8Array<ArrayBuffer>>,
    receiverOf,
  ),
  sizes: {
    capacity: CAPACITY,
    producers: { is: 2, other: 3, usual: 8, never: [0, -1, 65, 1.5, NaN, Infinity] },
  },
  endsWithPeer: {},
  succession: { producers: 1, keepOpen: true },
  types: CODECS,
  whenFull: "refuses",
  wraps: WRAPS,
  beginBefore: (name, capacity, wrap, units) =>
    new Inside(name, { capacity }).startAt(wrap - UNIT * units),
};
