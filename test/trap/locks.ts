/** Stands in for src/os/locks.ts: the same, with a step before every call. @module */

import * as real from "../../src/os/locks.ts?real";
import { spring, trapped } from "./trap.ts";

export * from "../../src/os/locks.ts?real";

/** As in src/region/liveness.ts: bytes are counted from here. */
const FIRST_BYTE = 2 ** 52;

export const openLockFile: typeof real.openLockFile = trapped("open lock file", real.openLockFile);
export const closeLockFile: typeof real.closeLockFile = trapped(
  "close lock file",
  real.closeLockFile,
);
export const findLock: typeof real.findLock = trapped("find lock", real.findLock);

export function setLock(fd: number, type: number, byte: number, count = 1): number {
  const at = `byte ${byte - FIRST_BYTE}`;
  if (type === real.Lock.none) spring("unlock", at);
  else spring("lock", type === real.Lock.read ? `to read ${at}` : `to write ${at}`);
  return real.setLock(fd, type, byte, count);
}

export function testLock(fd: number, type: number, byte: number): number {
  spring("test lock", `byte ${byte - FIRST_BYTE}`);
  return real.testLock(fd, type, byte);
}
