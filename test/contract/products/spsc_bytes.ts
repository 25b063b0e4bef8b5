/** Rings of bytes without messages. @module */

import type { SpscByteConsumer, SpscByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import {
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  KILLED_LENGTH,
  MARK,
  type Opener,
  type Product,
  roleOf,
  waitOf,
} from "../product.ts";
import { SPSC } from "./spsc.ts";

/** How many bytes count as a message. */
const PIECE = KILLED_LENGTH;

function senderOf(producer: SpscByteProducer): Handle {
  return {
    ...handleOf(producer, { capacity: producer.capacity }),
    close: () => producer.end(), // its close() alone does not end the stream
    mark() {
      producer.claimSync(MARK.length, { timeout: 0 }).set(MARK);
      producer.publish();
    },
    acts: {
      publish(at, message) {
        const room = producer.claimSync(message.length, { timeout: 0 });
        fillInHalves(room, message, () => at("half filled"));
        producer.publish();
      },
    },
    waits: {
      claim: waitOf(
        "room",
        (o) => producer.claimSync(MARK.length, o),
        (o) => producer.claim(MARK.length, o),
      ),
      wait: waitOf(
        "room",
        (o) => producer.waitSync(MARK.length, o),
        (o) => producer.wait(MARK.length, o),
      ),
    },
    fill() {
      producer.claimSync(producer.capacity, { timeout: 0 });
      producer.publish();
    },
    trySend(message) {
      producer.claimSync(message.length, { timeout: 0 }).set(message);
      producer.publish();
      return true;
    },
  };
}

function receiverOf(consumer: SpscByteConsumer): Handle {
  return {
    ...handleOf(consumer, { capacity: consumer.capacity }),
    finds() {
      const found = consumer.peek();
      const marked = isMark(found);
      consumer.release(found.length);
      return marked;
    },
    acts: {
      release(at) {
        const { length } = consumer.peek();
        at("shown");
        consumer.release(length);
      },
      wait() {
        consumer.release(consumer.peek().length);
        try {
          consumer.waitSync({ timeout: 1, spin: 0 });
        } catch (error) {
          if ((error as Error).name !== "TimeoutError") throw error;
        }
      },
    },
    waits: { wait: waitOf("message", (o) => consumer.waitSync(o), (o) => consumer.wait(o)) },
    arrivals() {
      const arrivals = [];
      for (let { redelivered } = consumer; consumer.available > 0; redelivered -= PIECE) {
        const message = consumer.peek().slice(0, PIECE);
        arrivals.push({ message, redelivered: redelivered > 0 });
        consumer.release(message.length);
      }
      return arrivals;
    },
    async receive(options) {
      if (!await consumer.wait(options)) return { state: "closed" };
      const message = consumer.peek().slice(0, PIECE);
      consumer.release(message.length);
      return { state: "ok", message };
    },
  };
}

export const SPSC_BYTES: Product = {
  ...SPSC,
  name: "SPSC ring of bytes",
  sender: roleOf(
    { title: "producer", most: 1, usual: { level: "bytes" } },
    SpscProducer as unknown as Opener<SpscByteProducer>,
    senderOf,
  ),
  receiver: roleOf(
    { title: "consumer", most: 1, usual: { level: "bytes" } },
    SpscConsumer as unknown as Opener<SpscByteConsumer>,
    receiverOf,
  ),
  types: [
    { options: {}, name: "bytes without messages" },
    { options: { level: "messages" }, name: "bytes" },
  ],
};
