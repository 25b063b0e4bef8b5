/**
 * Broken: a consumer that releases a message before it is done with it. If it dies then, its
 * successor does not receive the message again.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscWorkload } from "../workloads/spsc.ts";

export default spscWorkload({
  ...HANDS,
  show(consumer, take) {
    const outcome = consumer.tryReceive();
    if (outcome.state !== "ok") return false;
    sleepSync(1); // handling it takes time
    take(outcome.value, outcome);
    return true;
  },
});
