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
    const message = consumer.tryReceive();
    if (message === undefined) return false;
    sleepSync(10); // handling it takes time
    take(message.value, message);
    return true;
  },
});
