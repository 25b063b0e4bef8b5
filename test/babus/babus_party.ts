/**
 * The program of a {@linkcode Party} of a domain.
 *
 * @module
 */

import { Domain } from "../../src/babus/domain.ts";
import { Listener } from "../../src/babus/listener.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { isPayload, lengthOf, payload } from "../ring/circular_scene.ts";
import { serve } from "../shared/serve.ts";
import { dieBefore } from "../trap/trap.ts";

/** What the functions can use. */
const TOOLS = {
  Domain,
  Listener,
  payload,
  isPayload,
  lengthOf,
  dieBefore,
  /** What stays open between two functions. */
  domains: [] as Domain[],
  slots: [] as Slot[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
