/**
 * Rings on lanes: the common part of the adapters of their ends.
 *
 * @module
 */

import type { MpscConsumer } from "../../../src/mpsc/consumer.ts";
import type { MpscProducer } from "../../../src/mpsc/producer.ts";
import type { SpscConsumer } from "../../../src/spsc/consumer.ts";
import type { SpscProducer } from "../../../src/spsc/producer.ts";
import { pageSize } from "../../../src/os/page.ts";
import {
  allArrivals,
  fillInHalves,
  handleOf,
  isMark,
  MARK,
  type Received,
  type Receiver,
  type Sender,
  type Size,
  waitOf,
} from "../product.ts";

type Consumer = SpscConsumer<Uint8Array<ArrayBuffer>> | MpscConsumer<Uint8Array<ArrayBuffer>>;

const PAGE = pageSize();

/** The capacity of rings whose positions are masked. */
export const CAPACITY: Size = {
  is: 2 * PAGE,
  rounded: [PAGE + 1, 2 * PAGE - 1],
  other: 4 * PAGE,
  usual: 2 ** 20,
  never: [0, -1, 4096.5, NaN, Infinity, 2 ** 30 + 1, 2 ** 53],
};

/** The bytes in a unit of positions. */
export const UNIT = 8;

/** Where the positions of lanes wrap. */
export const WRAPS = { "2^31 bytes": 2 ** 31, "2^32 bytes": 2 ** 32 };

/** The end of a producer. */
export function senderOf(producer: SpscProducer | MpscProducer): Sender {
  return {
    ...handleOf(producer, { capacity: producer.capacity }),
    maxMessage: producer.maxMessage,
    mark: () => void producer.trySend(MARK),
    acts: {
      send: (_, message) => void producer.trySend(message),
      publish(at, message) {
        const room = producer.tryClaim(message.length)!;
        fillInHalves(room, message, () => at("half filled"));
        producer.publish();
      },
    },
    waits: {
      send: waitOf("room", (o) => producer.sendSync(MARK, o), (o) => producer.send(MARK, o)),
      claim: waitOf(
        "room",
        (o) => producer.claimSync(MARK.length, o),
        (o) => producer.claim(MARK.length, o),
      ),
    },
    fill() {
      while (producer.trySend(MARK));
    },
    trySend: (message) => producer.trySend(message),
    trySendInPlace(length, fill) {
      const space = producer.tryClaim(length);
      if (space === undefined) return false;
      fill(space);
      producer.publish();
      return true;
    },
  };
}

/** The end of a consumer. */
export function receiverOf(consumer: Consumer, sizes: Receiver["sizes"] = {}): Receiver {
  return {
    ...handleOf(consumer, { capacity: consumer.capacity, ...sizes }),
    finds() {
      const outcome = consumer.tryReceive();
      return outcome.state === "ok" && isMark(outcome.value);
    },
    acts: {
      receive: () => void consumer.tryReceive(),
      take(at) {
        const outcome = consumer.tryTake();
        if (outcome.state !== "ok") throw new Error("Nothing was there to take");
        using _sample = outcome.sample;
        at("shown");
      },
      poll: (at) => void consumer.poll(() => at("shown"), 1),
      "take a batch"(at) {
        using batch = consumer.tryTakeBatch({ limit: 1 })!;
        at("shown");
        batch.ack();
      },
      wait: () => void allArrivals(() => received(consumer.receiveSync({ timeout: 1, spin: 0 }))),
    },
    waits: {
      receive: waitOf("message", (o) => consumer.receiveSync(o), (o) => consumer.receive(o)),
      take: waitOf("message", (o) => consumer.takeSync(o), (o) => consumer.take(o)),
      "take a batch": waitOf(
        "message",
        (o) => giveBack(consumer.takeBatchSync(o)),
        async (o) => giveBack(await consumer.takeBatch(o)),
      ),
      wait: waitOf("message", (o) => consumer.waitSync(o), (o) => consumer.wait(o)),
    },
    arrivals: () =>
      allArrivals(() => {
        const outcome = consumer.receiveSync({ timeout: 0 });
        return { ...received(outcome), redelivered: outcome.state === "ok" && outcome.redelivered };
      }),
    tryReceive: () => received(consumer.tryReceive()),
    receiveSync: (options) => received(consumer.receiveSync(options)),
    receive: async (options) => received(await consumer.receive(options)),
    poll: (handler, limit) =>
      consumer.poll(
        (bytes: Uint8Array, ...told: unknown[]) => handler(bytes, told.includes(true)),
        limit,
      ),
    tryTakeBatch: (limit) => consumer.tryTakeBatch(limit === undefined ? {} : { limit }),
    batchSync: (options) => consumer.takeBatchSync(options),
    batch: (options) => consumer.takeBatch(options),
    tryReceiveInto: (target) => consumer.tryReceiveInto(target),
    tryHold() {
      const outcome = consumer.tryTake();
      if (outcome.state === "ok") return outcome.sample;
      throw new Error("Cannot hold a message: nothing is unread");
    },
  };
}

/** Disposes a batch; returns whether there was one. */
function giveBack(batch: Disposable | undefined): boolean {
  batch?.[Symbol.dispose]();
  return batch !== undefined;
}

function received(outcome: ReturnType<Consumer["tryReceive"]>): Received {
  return outcome.state === "ok" ? { state: "ok", message: outcome.value } : outcome;
}
