/**
 * How long those who are tortured do the same, and wait for others, who may be dead or stopped.
 *
 * @module
 */

import { now, sleepSync } from "../../src/os/clock.ts";
import type { Stage } from "./kind.ts";

/** How long anybody waits for others, who may be dead, stopped or elsewhere. */
export const WAIT = { timeout: 30 };

/** How long something is done by who is not killed: rather short. */
export function tenure<C extends string>(stage: Stage<C>, mostMs: number): () => boolean {
  const end = now() + stage.random.skewed(1, mostMs) * 1e6;
  return () => stage.over || now() > end;
}

/** What came of a wait; undefined if nothing came in time, or it was called off. */
export async function inTime<T>(wait: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await wait();
  } catch (error) {
    const { name } = error as Error;
    if (name === "TimeoutError" || name === "AbortError") return undefined;
    throw error;
  }
}

/** How long the kernel may take to drop the locks of those who were killed. */
const DROPPED_WITHIN_NS = 10e9;

/** What the function gives, if need be once the kernel has dropped the locks of the dead. */
export function soon<T>(attempt: () => T | undefined): T | undefined {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    const result = attempt();
    if (result !== undefined || now() > deadline) return result;
    sleepSync(1);
  }
}
