/** Stands in for src/os/locks.ts: the same, with a trap before every call. @module */

import * as real from "../../src/os/locks.ts?real";
import { trapped } from "./region_trap.ts";

export { Lock } from "../../src/os/locks.ts?real";

export const openLockFile: typeof real.openLockFile = trapped("openLockFile", real.openLockFile);
export const closeLockFile: typeof real.closeLockFile = trapped(
  "closeLockFile",
  real.closeLockFile,
);
export const setLock: typeof real.setLock = trapped("setLock", real.setLock);
export const testLock: typeof real.testLock = trapped("testLock", real.testLock);
export const findLock: typeof real.findLock = trapped("findLock", real.findLock);
