/** Semaphore locks. @module */

import { lock as defineLock } from "../../../src/shared/semaphore_lock.ts";
import { type Product, roleOf } from "../product.ts";
import { lockHandle, visit, waitForPermit } from "./rw_lock.ts";

const PARTY = roleOf({ title: "lock" }, {
  open: (name, options) => defineLock(name, options).open(),
  unlink: (name) => defineLock(name).unlink(),
}, (lock) =>
  lockHandle({
    acts: { lock: visit(() => lock.lockSync()) },
    waits: { lock: waitForPermit((o) => lock.lockSync(o), (o) => lock.lock(o)) },
    tryLock: () => lock.tryLock(),
    lock: (options) => lock.lock(options),
    close: () => lock.close(),
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  }));

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
