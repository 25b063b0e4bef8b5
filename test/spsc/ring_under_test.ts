/**
 * Rings from one producer to one consumer as a kind of ring that the contract is held against.
 *
 * @module
 */

import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { laneKind } from "../lane/lane_ring.ts";
import { Inside } from "./scene.ts";

export const KIND = laneKind({
  name: "SPSC ring",
  file: "spsc",
  senders: "one",
  openProducer: (name, options) => SpscProducer.open(name, options),
  openConsumer: (name, options) => SpscConsumer.open(name, options),
  unlink: (name) => SpscConsumer.unlink(name),
  beginAt: (name, capacity, position) => new Inside(name, capacity).startAt(position),
});
