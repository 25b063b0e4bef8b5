/**
 * The program of a {@linkcode Party} of a domain.
 *
 * @module
 */

import { Domain } from "../../src/babus/domain.ts";
import { Listener } from "../../src/babus/listener.ts";
import { now } from "../../src/os/clock.ts";
import type { Slot } from "../../src/babus/slot.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { serve } from "../shared/serve_child.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";
import { inHurry } from "../trap/trap.ts";
import { assaults, endure, everyChange, randomChanges, vandalise } from "./assault.ts";

/**
 * Runs the body of a trapped process with a clock so far ahead that no slice of a sleep ends: a
 * sleeper that is not woken sleeps until the test gives up.
 */
function withoutSlices<T>(body: () => T): T {
  return inHurry(() => {
    for (let i = 0; i < 600; i++) now(); // each look finds it a second further
    return body();
  });
}

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
  withoutSlices,
  /** What stays open between two functions. */
  domains: [] as Domain[],
  slots: [] as Slot[],
  listeners: [] as Listener[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
