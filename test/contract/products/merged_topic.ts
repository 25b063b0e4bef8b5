/**
 * A topic with many publishers. Its file counts how often sources come and go; each has a topic
 * below.
 *
 * @module
 */

import { definedRole, type Options, type Product } from "../product.ts";
import { define, receiverOf, senderOf, TYPES } from "./topic.ts";

const MANY = { publishers: "many" as const, history: 1, size: 64 };

export const MERGED_TOPIC: Product = {
  name: "topic with many publishers",
  noun: "sources of topic",
  file: (name) => `vring.sources.${name.replaceAll("/", "~")}`,
  sender: definedRole(
    { title: "publisher", most: 1, usual: MANY },
    {
      define,
      open: (definition, options) => definition.publisher({ source: "left", ...options }),
    },
    (publisher) => ({ ...senderOf(publisher), sizes: {}, waits: {} }), // its sizes are those of its source
  ),
  receiver: definedRole(
    { title: "subscriber", usual: MANY },
    { define, open: (definition, options) => definition.subscriber(options) },
    (subscriber) => ({ ...receiverOf(subscriber), sizes: {} }),
  ),
  sizes: {},
  policies: {
    depth: { usual: 8, other: 4 },
    size: { usual: 64, other: 128 },
    subscribers: { usual: 16, other: 3 },
    policy: { usual: "block", other: "dropNewest" },
    history: { usual: 1, other: 2 },
    quota: { usual: 0, other: 1 },
    reserve: { usual: true, other: false },
  },
  succession: { depth: 8, size: 4000, history: 5 } satisfies Options,
  broadcasts: true,
  types: TYPES,
  defines: true,
  slashes: true,
  longest: 195, // the name of the source follows
};
