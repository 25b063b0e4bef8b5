/** Stands in for src/os/locks.ts: the same, with a step before every call. @module */

import * as real from "../../../src/os/locks.ts?real";
import { step, stepped } from "../steps.ts";

export * from "../../../src/os/locks.ts?real";

/** As in src/memory/liveness.ts: bytes are counted from here. */
const FIRST_BYTE = 2 ** 52;

const KINDS = ["read", "write", "none"];

export const openLockFile: typeof real.openLockFile = stepped("open to lock", real.openLockFile);
export const closeLockFile: typeof real.closeLockFile = stepped("close locks", real.closeLockFile);

export function setLock(fd: number, kind: number, byte: number): number {
  step(`lock ${KINDS[kind]} byte ${byte - FIRST_BYTE}`);
  return real.setLock(fd, kind, byte);
}

export function testLock(fd: number, kind: number, byte: number): number {
  step(`test byte ${byte - FIRST_BYTE}`);
  return real.testLock(fd, kind, byte);
}
