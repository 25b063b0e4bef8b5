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
import { SharedMemory } from "../../src/shared/shared_memory.ts";
import { dieBefore, inHurry, spring, stepsOf } from "../trap/trap.ts";
import { assaults, endure, everyChange, randomChanges, vandalise } from "./babus_assault.ts";

/** What the functions can use. */
const TOOLS = {
  Domain,
  Listener,
  SharedMemory,
  assaults,
  everyChange,
  randomChanges,
  vandalise,
  endure,
  payload,
  isPayload,
  lengthOf,
  dieBefore,
  stepsOf,
  inHurry,
  spring,
  /** What stays open between two functions. */
  domains: [] as Domain[],
  slots: [] as Slot[],
  listeners: [] as Listener[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
