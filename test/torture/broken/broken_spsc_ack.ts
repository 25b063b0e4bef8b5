/**
 * Broken: a consumer that acknowledges a batch and then handles it. If it dies in between, nobody
 * handles those messages.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscWorkload } from "../workloads/spsc.ts";

export default spscWorkload({
  ...HANDS,
  acknowledge(batch, count, handle) {
    batch.ack(count);
    sleepSync(5); // handling them takes time
    handle();
  },
});
