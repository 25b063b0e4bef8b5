/**
 * The program of a {@linkcode Party} at a ring from one producer to one consumer.
 *
 * @module
 */

import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { serve } from "../shared/serve_child.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";

/** What the functions can use. */
const TOOLS = {
  SpscConsumer,
  SpscProducer,
  payload,
  isPayload,
  lengthOf,
  /** What stays open between two functions. */
  producers: [] as SpscProducer[],
  consumers: [] as SpscConsumer[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
