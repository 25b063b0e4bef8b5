/**
 * The program of a {@linkcode Party} at a circular buffer.
 *
 * @module
 */

import { circular } from "../../src/circular/definition.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";
import { actBefore } from "../trap/trap.ts";
import { assaults, endure, vandalise } from "./assault.ts";
import { Inside, payload } from "./scene.ts";

/** The values that the functions can use. */
const TOOLS = {
  circular,
  sharedMemory,
  Inside,
  payload,
  assaults,
  endure,
  vandalise,
  actBefore,
  becomeUser,
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
