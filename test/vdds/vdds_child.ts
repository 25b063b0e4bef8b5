/**
 * The program of a {@linkcode Party} at a topic.
 *
 * @module
 */

import { Publisher } from "../../src/vdds/publisher.ts";
import type { Sample } from "../../src/vdds/sample.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { TopicObserver } from "../../src/vdds/topic_observer.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";
import { dieAmid, stepsOf } from "../trap/trap.ts";

/** The values that the functions can use. */
const TOOLS = {
  Publisher,
  Subscriber,
  TopicObserver,
  becomeUser,
  payload,
  isPayload,
  lengthOf,
  dieAmid,
  stepsOf,
  /** The handles that stay open between two functions. */
  publishers: [] as Publisher[],
  subscribers: [] as Subscriber<Uint8Array<ArrayBuffer>>[],
  held: [] as Sample<Uint8Array<ArrayBuffer>>[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
