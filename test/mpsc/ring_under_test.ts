/**
 * Rings from many producers to one consumer as a kind of ring that the contract is held against.
 *
 * @module
 */

import { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { laneKind } from "../lane/lane_ring.ts";
import { Inside } from "./scene.ts";

export const KIND = laneKind({
  name: "MPSC ring",
  file: "mpsc",
  senders: "many",
  openProducer: (name, options) => MpscProducer.open(name, options),
  openConsumer: (name, options) => MpscConsumer.open(name, options),
  unlink: (name) => MpscConsumer.unlink(name),
  beginAt: (name, capacity, position) => new Inside(name, { capacity }).startAt(position),
});
