/** Stands in for src/os/clock.ts: the same, with a clock that runs ahead when told to. @module */

import * as real from "../../src/os/clock.ts?real";
import { clockLead, trapped } from "./region_trap.ts";

export * from "../../src/os/clock.ts?real";

export const randomId: typeof real.randomId = trapped("randomId", real.randomId);

/** Nobody else acts during the sleep, so there is nothing to wait for. */
export const sleepSync: typeof real.sleepSync = trapped("sleepSync", () => {});

export function now(): number {
  return real.now() + clockLead();
}
