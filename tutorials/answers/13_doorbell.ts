/**
 * An answer: the bell of the library. It is even if nobody waits; ringing gives it a
 * new number and wakes all sleepers in one operation.
 *
 * @module
 */

import { checkBell, type Shared } from "../13_doorbell/check.ts";

function sleep({ bell }: Shared, ready: () => boolean): void {
  const raised = bell.or(1) | 1;
  if (!ready()) bell.sleepWhile(raised);
}

function ring({ bell }: Shared): void {
  if ((bell.load() & 1) === 1) bell.addAndWake();
}

checkBell({ sleep, ring });
