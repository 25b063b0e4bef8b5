/**
 * Broken: a subscriber of all sources that now and then says that a sample is of another one.
 *
 * @module
 */

import { vddsSourcesKind } from "../kinds/vdds_sources.ts";
import { MERGED_HANDS } from "../vdds_merged.ts";

let samples = 0;

export default vddsSourcesKind({
  ...MERGED_HANDS,
  source: (told, sources) => ++samples % 10 === 0 ? sources.find((each) => each !== told)! : told,
});
