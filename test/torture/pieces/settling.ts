/**
 * What the harness does while no process of a workload lives.
 *
 * @module
 */

import { CorruptRegionError } from "../../../src/errors.ts";

/** Examines a structure; a corrupt region is a complaint. */
export function settle(about: { complain(text: string): void }, examine: () => void): void {
  try {
    examine();
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    about.complain(error.message);
  }
}
