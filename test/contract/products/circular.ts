/** Circular buffers. @module */

import { CircularBufferReader } from "../../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../../src/circular/writer.ts";
import { Inside } from "../../circular/scene.ts";
import {
  allArrivals,
  fillInHalves,
  handleOf,
  isMark,
  MARK,
  type Receiver,
  type Ring,
  roleOf,
  type Sender,
  waitOf,
} from "../product.ts";
import { CAPACITY } from "./lane.ts";

function senderOf(writer: CircularBufferWriter): Sender {
  return {
    ...handleOf(writer, { capacity: writer.capacity }),
    maxMessage: writer.maxMessage,
    mark: () => writer.write(MARK),
    acts: {
      write: (_, message) => writer.write(message),
      publish(at, message) {
        fillInHalves(writer.claim(message.length), message, () => at("half filled"));
        writer.publish();
      },
    },
    trySend(message) {
      writer.write(message);
      return true;
    },
    trySendInPlace(length, fill) {
      fill(writer.claim(length));
      writer.publish();
      return true;
    },
  };
}

function receiverOf(reader: CircularBufferReader): Receiver {
  return {
    ...handleOf(reader, { capacity: reader.capacity }),
    finds() {
      const outcome = reader.tryRead();
      return outcome.state === "ok" && isMark(outcome.message);
    },
    acts: {
      wait: () => void allArrivals(() => reader.readSync({ timeout: 1, spin: 0 })),
    },
    waits: { read: waitOf("message", (o) => reader.readSync(o), (o) => reader.read(o)) },
    arrivals: () => allArrivals(() => reader.readSync({ timeout: 0 })),
    tryReceive: () => reader.tryRead(),
    receiveSync: (options) => reader.readSync(options),
    receive: (options) => reader.read(options),
    poll: (handler, limit) => reader.poll((bytes) => handler(bytes, false), limit).handled,
  };
}

export const CIRCULAR: Ring = {
  name: "circular buffer",
  noun: "circular buffer",
  file: (name) => `vring.circular.${name}`,
  sender: roleOf({ title: "writer", most: 1 }, CircularBufferWriter, senderOf),
  receiver: roleOf({ title: "reader" }, CircularBufferReader, receiverOf),
  sizes: { capacity: CAPACITY },
  endsWithPeer: {},
  succession: { keepOpen: true },
  broadcasts: true,
  fits: 4,
  types: [],
  whenFull: "overwrites",
  wraps: { "2^31 units": 2 ** 31, "2^32 units": 2 ** 32, "2^52 units": 2 ** 52 },
  beginBefore(name, capacity, wrap, units) {
    const inside = new Inside(name, capacity);
    inside.startAt(wrap - units);
    return inside;
  },
};
