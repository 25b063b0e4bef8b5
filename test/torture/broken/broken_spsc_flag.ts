/**
 * Broken: a consumer that does not say of any message that it may have been seen before.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { HANDS, spscKind } from "../kinds/spsc.ts";

export default spscKind({
  receive: (consumer, take) => HANDS.receive(consumer, (message) => take(message, false)),
  show: (consumer, take) =>
    HANDS.show(consumer, (message) => {
      take(message, false);
      sleepSync(2); // it is in hand for a while
    }),
});
