/**
 * Broken: a subscriber that does not say how many samples it has lost.
 *
 * @module
 */

import { vddsWorkload } from "../workloads/vdds.ts";
import { HANDS } from "../pieces/vdds_subscription.ts";

export default vddsWorkload({ ...HANDS, lost: () => 0 });
