/** A topic with sources. Its file counts how often sources come and go; each has a topic below. @module */

import { MergedSubscriber } from "../../../src/vdds/merged_subscriber.ts";
import { Publisher } from "../../../src/vdds/publisher.ts";
import { handleOf, type Product, roleOf } from "../product.ts";
import { receiving, senderOf } from "./topic.ts";

export const MERGED_TOPIC: Product = {
  name: "merged topic",
  noun: "sources of topic",
  file: (name) => `vring.sources.${name.replaceAll("/", "~")}`,
  sender: roleOf(
    { title: "publisher", most: 1, usual: { source: "left", history: 1, size: 64 } },
    { open: (name, options) => Publisher.open(name, options) },
    (publisher) => ({ ...senderOf(publisher), sizes: {}, waits: {} }), // its sizes are those of its source
  ),
  receiver: roleOf(
    { title: "merged subscriber", usual: { history: 1 } },
    { open: (name, options) => MergedSubscriber.open(name, options) },
    (subscriber) => ({ ...handleOf(subscriber), ...receiving(subscriber) }),
  ),
  sizes: {},
  succession: { depth: 8, size: 4000, history: 5 },
  broadcasts: true,
  types: [],
  slashes: true,
  longest: 195, // the name of the source follows
  fleeting: true,
};
