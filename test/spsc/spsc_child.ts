/**
 * The program of a {@linkcode Party} at a ring from one producer to one consumer.
 *
 * @module
 */

import { spsc } from "../../src/spsc/definition.ts";
import type { SpscProducer } from "../../src/spsc/producer.ts";
import { serve } from "../shared/serve_child.ts";

/** The values that the functions can use. */
const TOOLS = {
  spsc,
  /** The handles that stay open between two functions. */
  producers: [] as SpscProducer[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
