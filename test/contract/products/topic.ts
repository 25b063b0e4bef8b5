/** Topics, whose publisher keeps its last sample for later subscribers. @module */

import { Publisher } from "../../../src/vdds/publisher.ts";
import { Subscriber } from "../../../src/vdds/subscriber.ts";
import {
  allArrivals,
  CODECS,
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Product,
  type Received,
  roleOf,
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
        const loan = publisher.tryLoan(message.length)!;
        fillInHalves(loan.bytes, message, () => at("half filled"));
        loan.publish();
      },
    },
    waits: {
      send: waitOf("room", (o) => publisher.sendSync(MARK, o), (o) => publisher.send(MARK, o)),
      loan: waitOf(
        "room",
        (o) => void publisher.loanSync(MARK.length, o)?.[Symbol.dispose](),
        async (o) => void (await publisher.loan(MARK.length, o))?.[Symbol.dispose](),
      ),
    },
    fill() {
      while (publisher.trySend(MARK));
    },
    trySend: (message) => publisher.trySend(message),
  };
}

/** The common part of subscribers to one topic and to all topics below it. */
export function receiving(
  subscriber: Pick<
    Subscriber<Uint8Array<ArrayBuffer>>,
    "receive" | "receiveSync" | "take" | "takeSync" | "tryReceive" | "tryTake"
  >,
): Pick<Handle, "acts" | "arrivals" | "finds" | "receive" | "waits"> {
  return {
    finds() {
      const outcome = subscriber.tryReceive();
      return outcome.state === "ok" && isMark(outcome.value);
    },
    acts: {
      receive: () => void subscriber.tryReceive(),
      take(at) {
        const outcome = subscriber.tryTake();
        if (outcome.state !== "ok") throw new Error("Nothing was there to take");
        using _sample = outcome.sample;
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

type Outcome = ReturnType<Subscriber<Uint8Array<ArrayBuffer>>["tryReceive"]>;

function received(outcome: Outcome): Received {
  return outcome.state === "ok" ? { state: "ok", message: outcome.value } : outcome;
}

function receiverOf(subscriber: Subscriber<Uint8Array<ArrayBuffer>>): Handle {
  return {
    ...handleOf(subscriber, { depth: subscriber.depth, size: subscriber.maxSample }),
    ...receiving(subscriber),
  };
}

export const TOPIC: Product = {
  name: "topic",
  noun: "topic",
  file: (name) => `vring.topic.${name.replaceAll("/", "~")}`,
  sender: roleOf({ title: "publisher", most: 1, usual: HISTORY }, Publisher<Uint8Array>, senderOf),
  receiver: {
    ...roleOf(
      { title: "subscriber", most: 2, usual: HISTORY },
      Subscriber<Uint8Array<ArrayBuffer>>,
      receiverOf,
    ),
    joins: {
      tryConnect: (name: string, options?: Options) => {
        const subscriber = Subscriber.tryConnect(name, { ...HISTORY, ...options });
        return subscriber && receiverOf(subscriber);
      },
    },
  },
  sizes: {
    depth: { is: 3, other: 4, usual: 8, never: [0, -1, 1025, 1.5, NaN, Infinity] },
    size: { is: 100, other: 128, usual: 65_536, never: [0, -1, 2 ** 31 + 1, 1.5, NaN, Infinity] },
    maxSubscribers: { is: 2, other: 3, usual: 16, never: [0, -1, 65, 1.5, NaN, Infinity] },
  },
  endsWithPeer: { keepOpen: false },
  succession: { depth: 4, size: 4000, maxSubscribers: 3, history: 0 },
  broadcasts: true,
  neverTogether: { depth: 1024, size: 2 ** 30 },
  types: CODECS,
  slashes: true,
};
