/**
 * What the processes of this tutorial share: two purses.
 *
 * @module
 */

import { struct } from "../../mod.ts";

/** Two purses in shared memory. */
export const Purses = struct("purses", {
  ann: { type: "f64", doc: "Ann's coins" },
  ben: { type: "f64", doc: "Ben's coins" },
});
