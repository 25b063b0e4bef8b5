/**
 * Broken: a subscriber of all sources that now and then says that a sample is of another one.
 *
 * @module
 */

import { vddsSourcesWorkload } from "../workloads/vdds_sources.ts";
import { MERGED_HANDS } from "../pieces/vdds_merged.ts";

let samples = 0;

export default vddsSourcesWorkload({
  ...MERGED_HANDS,
  source: (told, sources) => ++samples % 10 === 0 ? sources.find((each) => each !== told)! : told,
});
