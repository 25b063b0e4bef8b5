/** Reader/writer locks. @module */

import { RwLock } from "../../../src/shared/rw_lock.ts";
import type { Permit } from "../../../src/shared/semaphore_lock.ts";
import type { WaitOptions } from "../../../src/wait/until.ts";
import { type Act, handleOf, type Options, type Product, type Role, roleOf } from "../product.ts";

/** A lock that only one can have. */
interface Exclusive {
  readonly acts: Readonly<Record<string, Act>>;
  tryLock(): Permit | undefined;
  lock(options: WaitOptions): Promise<Permit>;
  close(): void;
}

/** The act of acquiring and releasing a lock. */
export function visit(acquire: () => Permit): Act {
  return (at) => {
    using _permit = acquire();
    at("inside");
  };
}

/** A role of locks: what is marked is held, what others hold is found. */
export function lockRole(
  title: string,
  open: (name: string, options?: Options) => Exclusive,
  unlink: (name: string) => boolean,
): Role {
  return roleOf({ title }, { open, unlink }, (lock) => ({
    ...handleOf(lock),
    acts: lock.acts,
    async recovers(options) {
      using permit = await lock.lock(options);
      return permit.recovered;
    },
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
  return {
    acts: { lock: visit(() => lock.writeSync()), "lock to read": visit(() => lock.readSync()) },
    tryLock: () => lock.tryWrite(),
    lock: (options) => lock.write(options),
    close: () => lock.close(),
  };
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
