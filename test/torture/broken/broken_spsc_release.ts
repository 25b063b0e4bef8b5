/**
 * Broken: a consumer that releases a message before it is done with it. If it dies then, nobody is
 * given the message again.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscKind } from "../kinds/spsc.ts";

export default spscKind({
  ...HANDS,
  show(consumer, take) {
    const outcome = consumer.tryReceive();
    if (outcome.state !== "ok") return false;
    sleepSync(1); // what is done with it takes its time
    take(outcome.value, outcome.redelivered);
    return true;
  },
});
