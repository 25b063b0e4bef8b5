/**
 * Telling a wake-up from the end of a slice, at which every sleeper looks again anyway.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import { SLICE_NS } from "../../src/wait/sleep.ts";
import { until } from "../os/until.ts";

/** Many, as others may keep the processors busy; one that succeeds is enough. */
const ATTEMPTS = 30;

/**
 * Runs the attempt again and again, each time at the beginning of a slice, until one was over
 * within that slice. Fails if none was: then it was always the end of a slice that woke the sleeper.
 */
export async function promptly(attempt: () => Promise<void> | void): Promise<void> {
  for (let i = 0; i < ATTEMPTS; i++) {
    let slice = NaN;
    await until("a slice begins", () => {
      const time = now();
      slice = Math.floor(time / SLICE_NS);
      return time % SLICE_NS < 0.1 * SLICE_NS;
    });
    await attempt();
    if (Math.floor(now() / SLICE_NS) === slice) return;
  }
  throw new Error(`Only the end of a slice ended the sleep, ${ATTEMPTS} times`);
}
