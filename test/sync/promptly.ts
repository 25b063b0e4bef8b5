/**
 * Telling a wake-up from the end of a slice, at which every sleeper looks again anyway.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import { SLICE_NS } from "../../src/sync/waiter.ts";
import { until } from "../os/until.ts";

const ATTEMPTS = 8;

/**
 * Runs the attempt up to eight times, each at the beginning of a slice, until one took less than
 * half a slice. Fails if none did: then it was always the slice that ended the sleep.
 */
export async function promptly(attempt: () => Promise<void> | void): Promise<void> {
  const taken: number[] = [];
  while (taken.length < ATTEMPTS) {
    await until("a slice begins", () => now() % SLICE_NS < SLICE_NS / 10);
    const start = now();
    await attempt();
    taken.push(Math.round((now() - start) / 1e6));
    if (taken.at(-1)! < SLICE_NS / 2e6) return;
  }
  throw new Error(`Only the end of a slice ended the sleep: ${taken} ms`);
}
