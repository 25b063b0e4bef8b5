/** Semaphore locks. @module */

import { SemaphoreLock } from "../../../src/shared/semaphore_lock.ts";
import type { Product } from "../product.ts";
import { lockRole, visit, waitForPermit } from "./rw_lock.ts";

const PARTY = lockRole("lock", (name, options) => {
  const lock = new SemaphoreLock(name, options);
  return {
    acts: { lock: visit(() => lock.acquireSync()) },
    waits: { lock: waitForPermit((o) => lock.acquireSync(o), (o) => lock.acquire(o)) },
    tryLock: () => lock.tryAcquire(),
    lock: (options) => lock.acquire(options),
    close: () => lock.close(),
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}, (name) => SemaphoreLock.unlink(name));

export const SEMAPHORE_LOCK: Product = {
  name: "semaphore lock",
  noun: "semaphore",
  file: (name) => `sem.${name}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {},
  types: [],
  locks: true,
  fleeting: true,
  semaphore: true,
};
