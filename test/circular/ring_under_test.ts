/**
 * Circular buffers as a kind of ring that the contract is held against.
 *
 * @module
 */

import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Inside } from "./scene.ts";
import type { RingKind } from "../lane/contract.ts";

export const KIND: RingKind = {
  name: "circular buffer",
  file: "circular",
  whenFull: "overwrites",
  senders: "one",
  receivers: "many",

  openSender(name, capacity) {
    const writer = CircularBufferWriter.open(name, { ...capacity && { capacity } });
    return {
      maxMessage: writer.maxMessage,
      trySend(message) {
        writer.write(message);
        return true;
      },
      trySendInPlace(length, fill) {
        fill(writer.claim(length));
        writer.publish();
        return true;
      },
      close: () => writer.close(),
      [Symbol.dispose]: () => writer.close(),
    };
  },

  openReceiver(name, capacity) {
    const reader = CircularBufferReader.open(name, { ...capacity && { capacity } });
    return {
      tryReceive: () => reader.tryRead(),
      receiveSync: (options) => reader.readSync(options),
      receive: (options) => reader.read(options),
      poll: (handler) => reader.poll(handler).handled,
      close: () => reader.close(),
      [Symbol.dispose]: () => reader.close(),
    };
  },

  unlink: (name) => CircularBufferReader.unlink(name),

  wraps: { "2^31 units": 2 ** 31, "2^32 units": 2 ** 32, "2^52 units": 2 ** 52 },

  beginBefore(name, capacity, wrap, units) {
    const inside = new Inside(name, capacity);
    inside.startAt(wrap - units);
    return inside;
  },
};
