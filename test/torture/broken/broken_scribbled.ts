/**
 * The workload `scribbled` with a receiver that believes the position of its sender, whatever it is.
 *
 * @module
 */

import { LaneReceiver } from "../../../src/lane/lane.ts";
import { defineWorkload } from "../workload.ts";
import { SCRIBBLED } from "../workloads/scribbled.ts";

const { party } = SCRIBBLED.parts;

/** What `distance` checks and this does not: that a position is one that a correct peer stores. */
function believe(tail: number, head: number): number {
  return (head - tail) >>> 0;
}

export default defineWorkload({
  ...SCRIBBLED,
  parts: {
    ...SCRIBBLED.parts,
    party: {
      ...party!,
      run(actor) {
        Object.defineProperty(LaneReceiver.prototype, "distance", { value: believe });
        return party!.run(actor);
      },
    },
  },
});
