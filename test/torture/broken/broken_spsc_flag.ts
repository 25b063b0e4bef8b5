/**
 * Broken: a consumer that does not say of a message that it may have been seen before.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { type Consumer, HANDS, spscKind, type Take } from "../kinds/spsc.ts";

function show(consumer: Consumer, take: Take): boolean {
  return HANDS.show(consumer, (message, redelivered) => {
    take(message, redelivered);
    sleepSync(20); // long in hand, and so left behind when its consumer dies
  });
}

export default spscKind({ flag: () => false, receive: show, show });
