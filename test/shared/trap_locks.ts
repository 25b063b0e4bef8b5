/** Stands in for src/os/locks.ts: the same, with a step before it locks or unlocks. @module */

import * as real from "../../src/os/locks.ts?real";
import { spring, trapped } from "./trap.ts";

export * from "../../src/os/locks.ts?real";

export const closeLockFile: typeof real.closeLockFile = trapped(
  "close lock file",
  real.closeLockFile,
);

export function setLock(fd: number, kind: number, byte: number): number {
  spring(kind === real.Lock.none ? "unlock" : "lock");
  return real.setLock(fd, kind, byte);
}
