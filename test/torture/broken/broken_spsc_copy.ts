/**
 * Broken: a consumer that releases a message and then copies it. The producer overwrites the bytes
 * while they are read.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscWorkload } from "../workloads/spsc.ts";

export default spscWorkload({
  ...HANDS,
  receive(consumer, take) {
    const message = consumer.tryTake();
    if (message === undefined) return false;
    const { bytes, redelivered, sequence } = message;
    message.ack();
    sleepSync(0.1); // a busy machine does the same
    take(bytes.slice(), { redelivered, sequence });
    return true;
  },
});
