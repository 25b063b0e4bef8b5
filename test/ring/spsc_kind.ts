/**
 * Rings from one producer to one consumer as a kind of ring that the contract is held against.
 *
 * @module
 */

import { SpscConsumer } from "../../src/ring/spsc_consumer.ts";
import { SpscProducer } from "../../src/ring/spsc_producer.ts";
import { laneKind } from "./lane_kind.ts";
import { Inside } from "./spsc_scene.ts";

export const KIND = laneKind({
  name: "SPSC ring",
  file: "spsc",
  senders: "one",
  openProducer: (name, options) => SpscProducer.open(name, options),
  openConsumer: (name, options) => SpscConsumer.open(name, options),
  unlink: (name) => SpscConsumer.unlink(name),
  beginAt: (name, capacity, position) => new Inside(name, capacity).startAt(position),
});
