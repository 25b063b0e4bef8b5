/** Rings of bytes without messages. @module */

import { CorruptRegionError } from "../../../src/errors.ts";
import type { ByteConsumer, ByteProducer } from "../../../src/spsc/bytes.ts";
import { byteRing, spsc } from "../../../src/spsc/definition.ts";
import {
  definedRole,
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  KILLED_LENGTH,
  MARK,
  type Options,
  type Product,
  waitOf,
} from "../product.ts";
import { SPSC } from "./spsc.ts";

/** How many bytes count as a message. */
const PIECE = KILLED_LENGTH;

/** A ring of bytes, or one of messages, where a test asks for another type. */
const define = (name: string, { messages, ...options }: Options) =>
  (messages ? spsc : byteRing)(name, options);

function senderOf(producer: ByteProducer): Handle {
  return {
    ...handleOf(producer, { capacity: producer.capacity }),
    close() {
      try {
        producer.end(); // its close() alone does not end the stream
      } catch (error) {
        if (!(error instanceof CorruptRegionError)) throw error;
      }
      producer.close();
    },
    mark() {
      producer.writeSync(MARK, { timeout: 0 });
    },
    acts: {
      publish(at, message) {
        const claim = producer.claimSync(message.length, { timeout: 0 });
        fillInHalves(claim.bytes, message, () => at("half filled"));
        claim.publish();
      },
    },
    waits: {
      write: waitOf("room", (o) => producer.writeSync(MARK, o), (o) => producer.write(MARK, o)),
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
      producer.claimSync(producer.free, { timeout: 0 }).publish();
    },
    trySend(message) {
      producer.writeSync(message, { timeout: 0 });
      return true;
    },
  };
}

function receiverOf(consumer: ByteConsumer): Handle {
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
          consumer.waitSync(1, { timeout: 1, spin: 0 });
        } catch (error) {
          if ((error as Error).name !== "TimeoutError") throw error;
        }
      },
    },
    waits: { wait: waitOf("message", (o) => consumer.waitSync(1, o), (o) => consumer.wait(1, o)) },
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
      if (!await consumer.wait(1, options)) return { state: "closed" };
      const message = consumer.peek().slice(0, PIECE);
      consumer.release(message.length);
      return { state: "ok", message };
    },
  };
}

export const SPSC_BYTES: Product = {
  ...SPSC,
  name: "SPSC ring of bytes",
  sender: definedRole(
    { title: "producer", most: 1 },
    { define, open: (ring, { messages: _, ...options }) => ring.producer(options) as ByteProducer },
    senderOf,
  ),
  receiver: definedRole(
    { title: "consumer", most: 1 },
    { define, open: (ring, { messages: _, ...options }) => ring.consumer(options) as ByteConsumer },
    receiverOf,
  ),
  types: [
    { options: {}, name: "bytes without messages" },
    { options: { messages: true }, name: "bytes" },
  ],
};
