/**
 * An operation: what a leaf wants done on the machine. The scheduler decides when.
 *
 * @module
 */

import type { ASLEEP, Inode, Wakening, World } from "./world.ts";

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
  /**
   * For a load or a store that weak memory may reorder. An operation without it is ordered with all
   * that its thread does before and after.
   */
  readonly access?: Access | undefined;
}

/** A load or a store of bytes that are contiguous in each file, for the weak mode. */
export interface Access {
  readonly how: "plain load" | "acquire" | "last load" | "plain store" | "release";
  readonly cells: readonly Cells[];
}

/** Bytes of a file, from an offset up to another. */
export interface Cells {
  readonly inode: Inode;
  readonly from: number;
  readonly to: number;
}
