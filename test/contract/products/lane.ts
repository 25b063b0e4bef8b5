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
  CODECS,
  fillInHalves,
  handleOf,
  isMark,
  MARK,
  type MessageType,
  type Received,
  type Receiver,
  type Sender,
  type Size,
  waitOf,
} from "../product.ts";

type Consumer = SpscConsumer | MpscConsumer;

/** The types of messages. */
export const TYPES: readonly MessageType[] = CODECS.map((
  { name, options: { codec, ...options } },
) => ({
  name,
  options: { ...options, ...codec !== undefined && { type: codec } },
}));

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
        const claim = producer.tryClaim(message.length)!;
        fillInHalves(claim.bytes, message, () => at("half filled"));
        claim.publish();
      },
      "publish by tryFill"(at, message) {
        producer.tryFill(({ bytes }) => {
          fillInHalves(bytes, message, () => at("half filled"));
        }, message.length);
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
      const claim = producer.tryClaim(length);
      if (claim === undefined) return false;
      fill(claim.bytes);
      claim.publish();
      return true;
    },
  };
}

/** The end of a consumer. */
export function receiverOf(consumer: Consumer, sizes: Receiver["sizes"] = {}): Receiver {
  return {
    ...handleOf(consumer, { capacity: consumer.capacity, ...sizes }),
    finds() {
      return isMark(consumer.tryReceive()?.value);
    },
    acts: {
      receive: () => void consumer.tryReceive(),
      take(at) {
        using message = consumer.tryTake()!;
        at("shown");
        message.ack();
      },
      poll: (at) => void consumer.poll(() => at("shown"), 1),
      "take a batch"(at) {
        using batch = consumer.tryTakeBatch({ limit: 1 })!;
        at("shown");
        batch.ack();
      },
      wait: () =>
        void allArrivals(() => received(consumer, consumer.receiveSync({ timeout: 1, spin: 0 }))),
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
        const message = consumer.receiveSync({ timeout: 0 });
        return { ...received(consumer, message), redelivered: message?.redelivered === true };
      }),
    tryReceive: () => received(consumer, consumer.tryReceive()),
    receiveSync: (options) => received(consumer, consumer.receiveSync(options)),
    receive: async (options) => received(consumer, await consumer.receive(options)),
    poll: (handler, limit) =>
      consumer.poll(({ bytes, redelivered }) => handler(bytes, redelivered), limit),
    tryTakeBatch: (limit) => consumer.tryTakeBatch(limit === undefined ? {} : { limit }),
    batchSync: (options) => consumer.takeBatchSync(options),
    batch: (options) => consumer.takeBatch(options),
    tryReceiveInto: (target) => consumer.tryReceiveInto(target),
    tryHold() {
      const message = consumer.tryTake();
      if (message !== undefined) return message;
      throw new Error("Cannot hold a message: nothing is unread");
    },
  };
}

/** Disposes a batch; returns whether there was one. */
function giveBack(batch: Disposable | undefined): boolean {
  batch?.[Symbol.dispose]();
  return batch !== undefined;
}

function received(consumer: Consumer, message: ReturnType<Consumer["tryReceive"]>): Received {
  if (message !== undefined) return { state: "ok", message: message.value };
  return { state: consumer.ended ? "closed" : "empty" };
}
