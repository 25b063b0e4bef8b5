/** Rings from many producers to one consumer. @module */

import type { MpscConsumer } from "../../../src/mpsc/consumer.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import { Inside } from "../../mpsc/scene.ts";
import { definedRole, type Options, type Ring } from "../product.ts";
import { CAPACITY, receiverOf as laneReceiver, senderOf, TYPES, UNIT, WRAPS } from "./lane.ts";

const define = (name: string, options: Options) => mpsc(name, options);

function receiverOf(consumer: MpscConsumer) {
  return laneReceiver(consumer, { producers: consumer.producers });
}

export const MPSC: Ring = {
  name: "MPSC ring",
  noun: "ring",
  file: (name) => `vring.mpsc.${name}`,
  sender: definedRole(
    { title: "producer", most: 2 },
    { define, open: (ring, options) => ring.producer(options) },
    senderOf,
  ),
  receiver: definedRole(
    { title: "consumer", most: 1 },
    { define, open: (ring, options) => ring.consumer(options) },
    receiverOf,
  ),
  defines: true,
  sizes: {
    capacity: CAPACITY,
    producers: { is: 2, other: 3, usual: 8, never: [0, -1, 65, 1.5, NaN, Infinity] },
  },
  endsWithPeer: {},
  succession: { producers: 1, onPeerGone: "wait" },
  types: TYPES,
  whenFull: "refuses",
  wraps: WRAPS,
  beginBefore: (name, capacity, wrap, units) =>
    new Inside(name, { capacity, producers: 8 }).startAt(wrap - UNIT * units),
};
