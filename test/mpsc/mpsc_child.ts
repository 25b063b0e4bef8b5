/**
 * The program of a {@linkcode Party} at a ring from many producers to one consumer.
 *
 * @module
 */

import { mpsc } from "../../src/mpsc/definition.ts";
import type { MpscProducer } from "../../src/mpsc/producer.ts";
import { serve } from "../shared/serve_child.ts";
import { payload } from "../circular/scene.ts";

/** The values that the functions can use. */
const TOOLS = {
  mpsc,
  payload,
  /** The handles that stay open between two functions. */
  producers: [] as MpscProducer[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
