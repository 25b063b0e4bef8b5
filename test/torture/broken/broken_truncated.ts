/**
 * The workload `truncated` with a peer that also makes those files zeros without a fault which it was
 * only to truncate. Nobody can tell, so messages have other bytes than were sent.
 *
 * @module
 */

import { defineWorkload } from "../workload.ts";
import { takeAway, TRUNCATED } from "../workloads/truncated.ts";

export default defineWorkload({
  ...TRUNCATED,
  parts: { ...TRUNCATED.parts, taker: { seats: 1, run: (actor) => takeAway(actor, false) } },
});
