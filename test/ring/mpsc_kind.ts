/**
 * Rings from many producers to one consumer as a kind of ring that the contract is held against.
 *
 * @module
 */

import { MpscConsumer } from "../../src/ring/mpsc_consumer.ts";
import { MpscProducer } from "../../src/ring/mpsc_producer.ts";
import type { Received, RingKind } from "./contract.ts";
import { Inside } from "./mpsc_scene.ts";

const UNIT = 8;

export const KIND: RingKind = {
  name: "MPSC ring",
  file: "mpsc",
  whenFull: "refuses",
  senders: "many",
  receivers: "one",

  openSender(name, capacity) {
    const producer = MpscProducer.open(name, { ...capacity && { capacity } });
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
    const consumer = MpscConsumer.open(name, { ...capacity && { capacity } });
    return {
      tryReceive: () => received(consumer.tryReceive()),
      receiveSync: (options) => received(consumer.receiveSync(options)),
      receive: async (options) => received(await consumer.receive(options)),
      poll: (handler) => consumer.poll(handler),
      close: () => consumer.close(),
      [Symbol.dispose]: () => consumer.close(),
    };
  },

  unlink: (name) => MpscConsumer.unlink(name),

  wraps: { "2^31 bytes": 2 ** 31, "2^32 bytes": 2 ** 32 },

  beginBefore(name, capacity, wrap, units) {
    return new Inside(name, { capacity }).startAt(wrap - UNIT * units);
  },
};

function received(outcome: ReturnType<MpscConsumer["tryReceive"]>): Received {
  return outcome.state === "ok" ? { state: "ok", message: outcome.value } : outcome;
}
