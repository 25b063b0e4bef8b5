/**
 * The program of a {@linkcode Party} at a ring of the kind whose adapter it is told.
 *
 * @module
 */

import { givenArgument, serve } from "../shared/serve.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import type { Receiver, RingKind, Sender } from "./contract.ts";

const { KIND } = await import(givenArgument()) as { KIND: RingKind };

/** What the functions can use. */
const TOOLS = {
  kind: KIND,
  payload,
  isPayload,
  lengthOf,
  /** What stays open between two functions. */
  senders: [] as Sender[],
  receivers: [] as Receiver[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
