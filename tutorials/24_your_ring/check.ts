/**
 * The checks of your ring, stage by stage. The ring runs on real memory, in the
 * library's explorer, and at last in processes that are killed.
 *
 * @module
 */

import { type Check, runChecks } from "../check.ts";
import { mirror, order, positions } from "./check_positions.ts";
import { deaths, kills, manyProducers, sleeping } from "./check_waiting.ts";
import type { RingWork } from "./memory.ts";

/** Checks your work and prints the results. `file` is its `import.meta.url`, for other processes. */
export function checkRing(work: RingWork, file?: string): void {
  runChecks(import.meta.url, checksOf(work, file));
}

/** The checks, stage by stage. */
export function checksOf(work: RingWork, file?: string): Check[] {
  return [
    ...mirror(work),
    ...positions(work),
    ...order(work),
    ...sleeping(work),
    ...manyProducers(work),
    ...deaths(work),
    ...file === undefined ? [] : kills(work, file),
  ];
}
