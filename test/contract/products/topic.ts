/** Topics, whose publisher keeps its last sample for later subscribers. @module */

import { topic, type TopicDefinition } from "../../../src/vdds/definition.ts";
import type { Publisher } from "../../../src/vdds/publisher.ts";
import type { TopicMessage } from "../../../src/vdds/sample.ts";
import type { Subscriber } from "../../../src/vdds/subscriber.ts";
import type { TopicOptions } from "../../../src/vdds/topic_options.ts";
import {
  allArrivals,
  CODECS,
  definedRole,
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type MessageType,
  type Options,
  type Product,
  type Received,
  waitOf,
} from "../product.ts";

const HISTORY = { history: 1 };

/** The end of a publisher. */
export function senderOf(publisher: Publisher): Handle {
  return {
    ...handleOf(publisher, { depth: publisher.depth, size: publisher.maxSample }),
    mark: () => void publisher.trySend(MARK),
    acts: {
      send: (_, message) => void publisher.trySend(message),
      publish(at, message) {
        const loan = publisher.tryLoan({ length: message.length })!;
        fillInHalves(loan.bytes, message, () => at("half filled"));
        loan.publish();
      },
    },
    waits: {
      send: waitOf("room", (o) => publisher.sendSync(MARK, o), (o) => publisher.send(MARK, o)),
      loan: waitOf(
        "room",
        (o) => publisher.loanSync({ ...o, length: MARK.length }),
        (o) => publisher.loan({ ...o, length: MARK.length }),
      ),
    },
    fill() {
      while (publisher.trySend(MARK));
    },
    trySend: (message) => publisher.trySend(message),
  };
}

/** The end of a subscriber, to one publisher or to many. */
export function receiverOf(subscriber: Subscriber): Handle {
  return {
    ...handleOf(subscriber, { depth: subscriber.depth, size: subscriber.maxSample }),
    finds: () => isMark(subscriber.tryReceive()?.value),
    acts: {
      receive: () => void subscriber.tryReceive(),
      take(at) {
        using sample = subscriber.tryTake();
        if (sample === undefined) throw new Error("Nothing was there to take");
        at("shown");
      },
      wait: () => void allArrivals(() => received(subscriber.receiveSync({ timeout: 1, spin: 0 }))),
    },
    waits: {
      receive: waitOf("message", (o) => subscriber.receiveSync(o), (o) => subscriber.receive(o)),
      take: waitOf("message", (o) => subscriber.takeSync(o), (o) => subscriber.take(o)),
    },
    arrivals: () => allArrivals(() => received(subscriber.receiveSync({ timeout: 0 }))),
    receive: async (options) => received(await subscriber.receive(options)),
  };
}

function received(message: TopicMessage | undefined): Received {
  return message === undefined ? { state: "closed" } : { state: "ok", message: message.value };
}

/** Defines a topic of bytes, whatever the options say of its type. */
export function define(name: string, options: Options): TopicDefinition {
  return topic(name, options as TopicOptions);
}

/** The types of topics; that of a struct decides the size. */
export const TYPES: readonly MessageType[] = CODECS.map(({ options: { codec: type }, name }) => {
  const isFixed = typeof Object(type).sizeBytes === "number";
  return {
    options: { ...type !== undefined && { type }, ...isFixed && { size: undefined } },
    name,
  };
});

export const TOPIC: Product = {
  name: "topic",
  noun: "topic",
  file: (name) => `vring.topic.${name.replaceAll("/", "~")}`,
  sender: definedRole(
    { title: "publisher", most: 1, usual: HISTORY },
    { define, open: (definition, options) => definition.publisher(options) },
    senderOf,
  ),
  receiver: definedRole(
    { title: "subscriber", most: 2, usual: HISTORY },
    { define, open: (definition, options) => definition.subscriber(options) },
    receiverOf,
  ),
  sizes: {
    depth: { is: 3, other: 4, usual: 8, never: [0, -1, 1025, 1.5, NaN, Infinity] },
    size: { is: 100, other: 128, usual: 65_536, never: [0, -1, 2 ** 31 + 1, 1.5, NaN, Infinity] },
    subscribers: { is: 2, other: 3, usual: 16, never: [0, -1, 65, 1.5, NaN, Infinity] },
  },
  policies: {
    policy: { usual: "block", other: "dropOldest" },
    history: { usual: 1, other: 2 },
    quota: { usual: 0, other: 1 },
    reserve: { usual: true, other: false },
    publishers: { usual: "one", other: "many" },
  },
  endsWithPeer: { onPeerGone: "end" },
  succession: { depth: 4, size: 4000, subscribers: 3, history: 0 },
  broadcasts: true,
  neverTogether: { depth: 1024, size: 2 ** 30 },
  types: TYPES,
  defines: true,
  slashes: true,
};
