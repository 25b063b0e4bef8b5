/**
 * Broken: a consumer that releases a message and then copies it. The producer overwrites what is
 * still being read.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscKind } from "../kinds/spsc.ts";

export default spscKind({
  ...HANDS,
  receive(consumer, take) {
    const outcome = consumer.tryTake();
    if (outcome.state !== "ok") return false;
    const { sample } = outcome;
    const { bytes, redelivered } = sample;
    sample[Symbol.dispose]();
    sleepSync(0.1); // a busy machine does the same
    take(bytes.slice(), redelivered);
    return true;
  },
});
