/**
 * Broken: a subscriber that does not say how many samples it has lost.
 *
 * @module
 */

import { vddsKind } from "../kinds/vdds.ts";
import { HANDS } from "../vdds_subscription.ts";

export default vddsKind({ ...HANDS, lost: () => 0 });
