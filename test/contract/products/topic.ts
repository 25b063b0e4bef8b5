/** Topics, whose publisher keeps its last sample so that one who comes later finds it. @module */

import { Publisher } from "../../../src/vdds/publisher.ts";
import { Subscriber } from "../../../src/vdds/subscriber.ts";
import {
  CODECS,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Product,
  roleOf,
} from "../product.ts";

const HISTORY = { history: 1 };

/** The end of a publisher. */
export function senderOf(publisher: Publisher): Handle {
  return {
    ...handleOf(publisher, { depth: publisher.depth, size: publisher.maxSample }),
    mark: () => void publisher.trySend(MARK),
  };
}

function receiverOf(subscriber: Subscriber<Uint8Array<ArrayBuffer>>): Handle {
  return {
    ...handleOf(subscriber, { depth: subscriber.depth, size: subscriber.maxSample }),
    finds() {
      const outcome = subscriber.tryReceive();
      return outcome.state === "ok" && isMark(outcome.value);
    },
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
  neverTogether: { depth: 1024, size: 2 ** 30 },
  types: CODECS,
  slashes: true,
};
