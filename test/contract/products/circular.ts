/** Circular buffers. @module */

import { circular, type CircularDefinition } from "../../../src/circular/definition.ts";
import type { CircularBufferReader } from "../../../src/circular/reader.ts";
import type { CircularReceiver } from "../../../src/circular/receiver.ts";
import type { CircularBufferWriter } from "../../../src/circular/writer.ts";
import type { Message } from "../../../src/message.ts";
import { Inside } from "../../circular/scene.ts";
import {
  type Arrival,
  CODECS,
  definedRole,
  fillInHalves,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Received,
  type Receiver,
  type Ring,
  type Sender,
  waitOf,
} from "../product.ts";
import { CAPACITY } from "./lane.ts";

/** Bytes for all that contracts send; the types of other messages matter only when opening. */
export const define = (name: string, options: Options): CircularDefinition =>
  circular(name, options);

function senderOf(writer: CircularBufferWriter): Sender {
  return {
    ...handleOf(writer, { capacity: writer.capacity }),
    maxMessage: writer.maxMessage,
    mark: () => void writer.trySend(MARK),
    acts: {
      trySend: (_, message) => void writer.trySend(message),
      publish(at, message) {
        const claim = writer.tryClaim(message.length);
        fillInHalves(claim.bytes, message, () => at("half filled"));
        claim.publish();
      },
      tryFill: (at, message) =>
        void writer.tryFill(
          ({ bytes }) => fillInHalves(bytes, message, () => at("half filled")),
          message.length,
        ),
    },
    trySend: (message) => writer.trySend(message),
    trySendInPlace(length, fill) {
      const claim = writer.tryClaim(length);
      fill(claim.bytes);
      claim.publish();
      return true;
    },
  };
}

/** What arrives until a wait finds nothing more. */
export function arrivalsOf(receiver: CircularReceiver): Arrival[] {
  const arrivals: Arrival[] = [];
  for (;;) {
    const message = nextOf(receiver);
    if (message === undefined) return arrivals;
    if (message.lost > 0) arrivals.push({ lost: message.lost });
    arrivals.push({ message: message.value });
  }
}

function nextOf(receiver: CircularReceiver): Message | undefined {
  try {
    return receiver.receiveSync({ timeout: 0 });
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return undefined;
    throw error;
  }
}

/** Outcomes as the contracts know them: a loss comes before the message after it. */
class Outcomes {
  readonly #reader: CircularBufferReader;
  #next: Received | undefined;

  constructor(reader: CircularBufferReader) {
    this.#reader = reader;
  }

  of(receive: () => Message | undefined): Received {
    return this.#waiting() ?? this.#outcome(receive());
  }

  async ofAsync(receive: () => Promise<Message | undefined>): Promise<Received> {
    return this.#waiting() ?? this.#outcome(await receive());
  }

  #waiting(): Received | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  #outcome(message: Message | undefined): Received {
    if (message === undefined) return { state: this.#reader.ended ? "closed" : "empty" };
    const received: Received = { state: "ok", message: message.value };
    if (message.lost === 0) return received;
    this.#next = received;
    return { state: "lost", messages: message.lost };
  }
}

function receiverOf(reader: CircularBufferReader): Receiver {
  const outcomes = new Outcomes(reader);
  return {
    ...handleOf(reader, { capacity: reader.capacity }),
    finds: () => isMark(reader.tryReceive()?.value),
    acts: {
      wait: () => void arrivalsOf(reader),
    },
    waits: {
      receive: waitOf("message", (o) => reader.receiveSync(o), (o) => reader.receive(o)),
      wait: waitOf("message", (o) => reader.waitSync(o), (o) => reader.wait(o)),
    },
    arrivals: () => arrivalsOf(reader),
    tryReceive: () => outcomes.of(() => reader.tryReceive()),
    receiveSync: (options) => outcomes.of(() => reader.receiveSync(options)),
    receive: (options) => outcomes.ofAsync(() => reader.receive(options)),
    poll: (handler, limit) => reader.poll(({ bytes }) => handler(bytes, false), limit),
    tryReceiveInto: (target) => reader.tryReceiveInto(target),
  };
}

export const CIRCULAR: Ring = {
  name: "circular buffer",
  noun: "circular buffer",
  file: (name) => `vring.circular.${name}`,
  sender: definedRole(
    { title: "writer", most: 1 },
    { define, open: (buffer, options) => buffer.writer(options) },
    senderOf,
  ),
  receiver: definedRole(
    { title: "reader" },
    { define, open: (buffer, options) => buffer.reader(options) },
    receiverOf,
  ),
  sizes: { capacity: CAPACITY },
  defines: true,
  endsWithPeer: {},
  succession: { onPeerGone: "wait" },
  broadcasts: true,
  fits: 4,
  types: CODECS.map(({ options: { codec: type, ...options }, name }) => ({
    options: { ...options, ...type !== undefined && { type } },
    name,
  })),
  whenFull: "overwrites",
  wraps: { "2^31 units": 2 ** 31, "2^32 units": 2 ** 32, "2^52 units": 2 ** 52 },
  beginBefore(name, capacity, wrap, units) {
    const inside = new Inside(name, capacity);
    inside.startAt(wrap - units);
    return inside;
  },
};
