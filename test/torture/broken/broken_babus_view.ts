/**
 * Broken: a reader that takes what it sees in place for whole without asking. Writers do not wait
 * for it, and write the next message into what is still being read.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { babusKind } from "../kinds/babus.ts";

export default babusKind(() => ({
  pause: () => sleepSync(1), // a busy machine does the same
  isValid: () => true,
}));
