/** Stands in for src/os/semaphore.ts: the same, with a step before what others notice. @module */

import * as real from "../../../src/os/semaphore.ts?real";
import { stepped } from "../steps.ts";

export * from "../../../src/os/semaphore.ts?real";

export const openSemaphore: typeof real.openSemaphore = stepped(
  "open semaphore",
  real.openSemaphore,
);
export const closeSemaphore: typeof real.closeSemaphore = stepped(
  "close semaphore",
  real.closeSemaphore,
);
export const unlinkSemaphore: typeof real.unlinkSemaphore = stepped(
  "unlink semaphore",
  real.unlinkSemaphore,
);
export const tryWait: typeof real.tryWait = stepped("semaphore wait", real.tryWait);
export const post: typeof real.post = stepped("semaphore post", real.post);
