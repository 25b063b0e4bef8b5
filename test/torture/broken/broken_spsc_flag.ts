/**
 * Broken: a consumer that hides that a message may have been seen before.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, type SpscHands, spscWorkload } from "../workloads/spsc.ts";

const show: SpscHands["show"] = (consumer, take) =>
  HANDS.show(consumer, (message, about) => {
    take(message, about);
    sleepSync(20); // holds it for long, so that its death leaves it behind
  });

export default spscWorkload({ ...HANDS, flag: () => false, receive: show, show });
