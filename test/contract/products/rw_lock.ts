/** Reader/writer locks. @module */

import { RwLock } from "../../../src/shared/rw_lock.ts";
import type { Permit } from "../../../src/shared/semaphore_lock.ts";
import { handleOf, type Options, type Product, type Role, roleOf } from "../product.ts";

/** A lock that only one can have. */
interface Exclusive {
  tryLock(): Permit | undefined;
  close(): void;
}

/** A role of locks: what is marked is held, what others hold is found. */
export function lockRole(
  title: string,
  open: (name: string, options?: Options) => Exclusive,
  unlink: (name: string) => boolean,
): Role {
  return roleOf({ title }, { open, unlink }, (lock) => ({
    ...handleOf(lock),
    mark: () => void lock.tryLock(),
    finds() {
      const permit = lock.tryLock();
      permit?.release();
      return permit === undefined;
    },
  }));
}

const PARTY = lockRole("lock", (name, options) => {
  const lock = RwLock.open(name, options);
  return { tryLock: () => lock.tryWrite(), close: () => lock.close() };
}, (name) => RwLock.unlink(name));

export const RW_LOCK: Product = {
  name: "reader/writer lock",
  noun: "lock",
  file: (name) => `vring.rwlock.${name}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {},
  types: [],
  locks: true,
};
