/**
 * Broken: a sleeper that raises the bell and then does not look again. It sleeps through a publish
 * between its look and its raise; the end of the slice hides that from its callers.
 *
 * @module
 */

import { now, sleepSync } from "../../../src/os/clock.ts";
import { wait as futexWait } from "../../../src/os/futex.ts";
import { SLICE_NS } from "../../../src/wait/sleep.ts";
import { wait } from "../../wait/outcome.ts";
import { doorbellWorkload } from "../workloads/doorbell.ts";

export default doorbellWorkload({
  wait,
  waitSync({ bell, ready, beforeSleep }) {
    for (;;) {
      if (ready()) return "ready";
      if (beforeSleep?.() === "lost") return "lost";
      sleepSync(0.1); // a busy machine does the same
      futexWait(bell.word.address, bell.raise(), now() + SLICE_NS);
    }
  },
});
