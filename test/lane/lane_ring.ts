/**
 * Rings on lanes as kinds of rings that the contract is held against: what their ends have in common.
 *
 * @module
 */

import type { MpscConsumer } from "../../src/mpsc/consumer.ts";
import type { MpscProducer } from "../../src/mpsc/producer.ts";
import type { SpscConsumer } from "../../src/spsc/consumer.ts";
import type { SpscProducer } from "../../src/spsc/producer.ts";
import type { Received, RingKind } from "./contract.ts";

const UNIT = 8;

/** One of these rings. */
interface LaneRing {
  readonly name: string;
  readonly file: string;
  readonly senders: "one" | "many";
  openProducer(name: string, options: { capacity?: number }): SpscProducer | MpscProducer;
  openConsumer(name: string, options: { capacity?: number }): Consumer;
  unlink(name: string): boolean;
  /** Makes the ring, with positions that begin there. */
  beginAt(name: string, capacity: number, position: number): Disposable;
}

type Consumer = SpscConsumer<Uint8Array<ArrayBuffer>> | MpscConsumer<Uint8Array<ArrayBuffer>>;

/** A ring as a kind. */
export function laneKind(ring: LaneRing): RingKind {
  const { name, file, senders, unlink } = ring;
  return {
    name,
    file,
    whenFull: "refuses",
    senders,
    receivers: "one",

    openSender(name, capacity) {
      const producer = ring.openProducer(name, { ...capacity && { capacity } });
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
      const consumer = ring.openConsumer(name, { ...capacity && { capacity } });
      return {
        tryReceive: () => received(consumer.tryReceive()),
        receiveSync: (options) => received(consumer.receiveSync(options)),
        receive: async (options) => received(await consumer.receive(options)),
        poll: (handler) => consumer.poll(handler),
        close: () => consumer.close(),
        [Symbol.dispose]: () => consumer.close(),
      };
    },

    unlink,

    wraps: { "2^31 bytes": 2 ** 31, "2^32 bytes": 2 ** 32 },

    beginBefore: (name, capacity, wrap, units) => ring.beginAt(name, capacity, wrap - UNIT * units),
  };
}

function received(outcome: ReturnType<Consumer["tryReceive"]>): Received {
  return outcome.state === "ok" ? { state: "ok", message: outcome.value } : outcome;
}
