/** Rings from one producer to one consumer. @module */

import { spsc } from "../../../src/spsc/definition.ts";
import { Inside } from "../../spsc/scene.ts";
import { definedRole, type Options, type Ring } from "../product.ts";
import { CAPACITY, receiverOf, senderOf, TYPES, UNIT, WRAPS } from "./lane.ts";

const define = (name: string, options: Options) => spsc(name, options);

export const SPSC: Ring = {
  name: "SPSC ring",
  noun: "ring",
  file: (name) => `vring.spsc.${name}`,
  sender: definedRole(
    { title: "producer", most: 1 },
    { define, open: (ring, options) => ring.producer(options) },
    senderOf,
  ),
  receiver: definedRole(
    { title: "consumer", most: 1 },
    { define, open: (ring, options) => ring.consumer(options) },
    receiverOf,
  ),
  defines: true,
  sizes: { capacity: CAPACITY },
  endsWithPeer: {},
  succession: { onPeerGone: "wait" },
  types: TYPES,
  whenFull: "refuses",
  wraps: WRAPS,
  beginBefore: (name, capacity, wrap, units) =>
    new Inside(name, capacity).startAt(wrap - UNIT * units),
};
