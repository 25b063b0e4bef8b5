/**
 * Rings from one producer to one consumer as a kind of ring that the contract is held against.
 *
 * @module
 */

import { SpscConsumer } from "../../src/ring/spsc_consumer.ts";
import { SpscProducer } from "../../src/ring/spsc_producer.ts";
import type { Received, RingKind } from "./contract.ts";
import { Inside } from "./spsc_scene.ts";

const UNIT = 8;

export const KIND: RingKind = {
  name: "SPSC ring",
  file: "spsc",
  whenFull: "refuses",
  senders: "one",
  receivers: "one",

  openSender(name, capacity) {
    const producer = SpscProducer.open(name, { ...capacity && { capacity } });
    return {
      maxMessage: producer.maxMessage,
      trySend: (message) => producer.trySend(message),
      trySendInPlace(length, fill) {
        const space = producer.tryClaim(length);
        if (space === undefined) return false;
        fill(space);
        producer.publish();
        return true;
      },
      close: () => producer.close(),
      [Symbol.dispose]: () => producer.close(),
    };
  },

  openReceiver(name, capacity) {
    const consumer = SpscConsumer.open(name, { ...capacity && { capacity } });
    return {
      tryReceive: () => received(consumer.tryReceive()),
      receiveSync: (options) => received(consumer.receiveSync(options)),
      receive: async (options) => received(await consumer.receive(options)),
      poll: (handler) => consumer.poll(handler),
      close: () => consumer.close(),
      [Symbol.dispose]: () => consumer.close(),
    };
  },

  unlink: (name) => SpscConsumer.unlink(name),

  wraps: { "2^31 bytes": 2 ** 31, "2^32 bytes": 2 ** 32 },

  beginBefore(name, capacity, wrap, units) {
    return new Inside(name, capacity).startAt(wrap - UNIT * units);
  },
};

function received(outcome: ReturnType<SpscConsumer["tryReceive"]>): Received {
  return outcome.state === "ok" ? { state: "ok", message: outcome.value } : outcome;
}
