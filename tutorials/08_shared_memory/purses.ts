/**
 * What the processes of this tutorial share: two purses, and a look into the semaphore.
 *
 * @module
 */

import { struct } from "../../mod.ts";
import { readAll } from "../../src/os/files.ts";
import { hexdump } from "../picture.ts";

/** Two purses in shared memory. */
export const Purses = struct("purses", {
  ann: { type: "f64", doc: "Ann's coins" },
  ben: { type: "f64", doc: "Ben's coins" },
});

/** The first bytes of the file that a semaphore is in; the very first is the number. */
export function semaphoreBytes(name: string): string {
  const bytes = readAll(`/dev/shm/sem.${name}`);
  return typeof bytes === "number" ? "it has no file" : hexdump(bytes, { address: 0 });
}
