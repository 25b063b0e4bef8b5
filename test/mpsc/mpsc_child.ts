/**
 * The program of a {@linkcode Party} at a ring from many producers to one consumer.
 *
 * @module
 */

import { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { serve } from "../shared/serve_child.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";

/** The values that the functions can use. */
const TOOLS = {
  MpscConsumer,
  MpscProducer,
  payload,
  isPayload,
  lengthOf,
  /** The handles that stay open between two functions. */
  producers: [] as MpscProducer[],
  consumers: [] as MpscConsumer[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
