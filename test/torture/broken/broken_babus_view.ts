/**
 * Broken: a reader that takes what it sees in place for whole without asking. Writers do not wait
 * for it, and write the next message into what is still being read.
 *
 * @module
 */

import { sleepSync } from "../../../src/os/clock.ts";
import { babusWorkload } from "../workloads/babus.ts";

export default babusWorkload(() => ({
  pause: () => sleepSync(1), // a busy machine does the same
  isValid: () => true,
}));
