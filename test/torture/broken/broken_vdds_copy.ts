/**
 * Broken: a subscriber that gives a sample back and then looks at it. The publisher writes the next
 * one into what is still being read.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { vddsWorkload } from "../workloads/vdds.ts";
import { HANDS } from "../pieces/vdds_subscription.ts";

export default vddsWorkload({
  ...HANDS,
  look(sample, check) {
    const { bytes } = sample;
    sample[Symbol.dispose]();
    sleepSync(1); // a busy machine does the same
    check(bytes);
  },
});
