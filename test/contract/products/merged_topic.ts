/** A topic with sources. Its file only tells that sources come and go; each has a topic below. @module */

import { MergedSubscriber } from "../../../src/vdds/merged_subscriber.ts";
import { Publisher } from "../../../src/vdds/publisher.ts";
import { handleOf, isMark, type Product } from "../product.ts";
import { senderOf } from "./topic.ts";

export const MERGED_TOPIC: Product = {
  name: "merged topic",
  noun: "sources of topic",
  file: (name) => `vring.sources.${name.replaceAll("/", "~")}`,
  sender: {
    title: "publisher",
    most: 1, // of each source
    open: (name, options) => ({
      ...senderOf(Publisher.open(name, { source: "left", history: 1, size: 64, ...options })),
      sizes: {}, // which are those of a source
    }),
  },
  receiver: {
    title: "merged subscriber",
    most: Infinity,
    open(name, options) {
      const subscriber = MergedSubscriber.open(name, { history: 1, ...options });
      return {
        ...handleOf(subscriber),
        finds() {
          const outcome = subscriber.tryReceive();
          return outcome.state === "ok" && isMark(outcome.value);
        },
      };
    },
  },
  sizes: {},
  types: [],
  slashes: true,
  longest: 195, // the names of sources are behind it
  fleeting: true,
};
