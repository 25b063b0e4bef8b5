/**
 * Makes the error for memory in a state that no correct peer stores.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";

/** Makes the error for `what`, such as `ring "demo"`, in a state that no correct peer stores. */
export function corrupt(what: string, state: string): CorruptRegionError {
  return new CorruptRegionError(
    `Cannot use ${what}: ${state}, which no correct peer stores; unlink it and make a new one`,
  );
}
