/**
 * The program of a {@linkcode Party} that calls, or is called.
 *
 * @module
 */

import { serve } from "../shared/serve_child.ts";
import { dieAmid, stepsOf } from "../trap/trap.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { assault, endure } from "./assault.ts";
import { answerTo, bytesCalls, type Client, isAnswer, type Server } from "./scene.ts";

/** The values that the functions can use. */
const TOOLS = {
  bytesCalls,
  payload,
  isPayload,
  lengthOf,
  answerTo,
  isAnswer,
  dieAmid,
  stepsOf,
  assault,
  endure,
  /** The handles that stay open between two functions. */
  servers: [] as Server[],
  clients: [] as Client[],
  /** Calls that span several functions. */
  underWay: [] as Promise<unknown>[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
