/** Stands in for src/os/semaphore.ts: the same, with a step before what others notice. @module */

import * as real from "../../src/os/semaphore.ts?real";
import { trapped } from "./trap.ts";

export * from "../../src/os/semaphore.ts?real";

export const openSemaphore: typeof real.openSemaphore = trapped("sem_open", real.openSemaphore);
export const closeSemaphore: typeof real.closeSemaphore = trapped("sem_close", real.closeSemaphore);
export const unlinkSemaphore: typeof real.unlinkSemaphore = trapped(
  "sem_unlink",
  real.unlinkSemaphore,
);
export const tryWait: typeof real.tryWait = trapped("sem_trywait", real.tryWait);
export const post: typeof real.post = trapped("sem_post", real.post);
