/**
 * The program of a {@linkcode Party} of a domain.
 *
 * @module
 */

import { domain } from "../../src/babus/definition.ts";
import type { Domain } from "../../src/babus/domain.ts";
import { Listener } from "../../src/babus/listener.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { serve } from "../shared/serve_child.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { assaults, endure, vandalise } from "./assault.ts";

/** The values that the functions can use. */
const TOOLS = {
  domain,
  Listener,
  sharedMemory,
  assaults,
  vandalise,
  endure,
  payload,
  isPayload,
  /** The handles that stay open between two functions. */
  domains: [] as Domain[],
  slots: [] as Slot[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
