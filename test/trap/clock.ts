/** Stands in for src/os/clock.ts: the same, with a clock that runs ahead when told to. @module */

import * as real from "../../src/os/clock.ts?real";
import { clockLead, isStill, spring, trapped } from "./trap.ts";

export * from "../../src/os/clock.ts?real";

export const randomId: typeof real.randomId = trapped("randomId", real.randomId);

export function sleepSync(ms: number): void {
  spring("pause");
  if (!isStill()) real.sleepSync(ms);
}

export function now(): number {
  return real.now() + clockLead();
}
