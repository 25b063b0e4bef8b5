/**
 * The program of a {@linkcode Party} at a topic.
 *
 * @module
 */

import { topic } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { Sample } from "../../src/vdds/sample.ts";
import type { Subscriber } from "../../src/vdds/subscriber.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";
import { dieAmid, stepsOf } from "../trap/trap.ts";

/** The values that the functions can use. */
const TOOLS = {
  topic,
  becomeUser,
  payload,
  isPayload,
  lengthOf,
  dieAmid,
  stepsOf,
  /** The handles that stay open between two functions. */
  publishers: [] as Publisher[],
  subscribers: [] as Subscriber[],
  held: [] as Sample[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
