/**
 * An operation: what a leaf wants done on the machine. The scheduler decides when.
 *
 * @module
 */

import type { ASLEEP, Wakening, World } from "./world.ts";

/** An operation on shared state. */
export interface Operation<T = unknown> {
  /** Describes it in traces, such as `bell or 1`. */
  readonly label: () => string;
  /**
   * Performs it and returns the result, or {@linkcode ASLEEP} if the thread now sleeps. It may read
   * and change nothing but the machine that it is given. `choice` is below `choices`.
   */
  readonly perform: (world: World, thread: number, choice: number) => T | typeof ASLEEP;
  /** Returns in how many ways it can go now; 1 by default. The search tries each. */
  readonly choices?: (world: World) => number;
  /** Returns the result of a sleep that has ended. */
  readonly wakeResult?: (why: Wakening) => T;
}
