/** Reader/writer locks. @module */

import { rwLock } from "../../../src/shared/rw_lock.ts";
import type { DefinitionOptions } from "../../../src/definition.ts";
import type { Permit } from "../../../src/shared/permit.ts";
import type { SyncWaitOptions, WaitOptions } from "../../../src/wait/until.ts";
import {
  type Act,
  definedRole,
  type Handle,
  handleOf,
  type Product,
  type Wait,
  waitOf,
} from "../product.ts";

/** A lock that only one can have. */
interface Exclusive extends Disposable {
  readonly acts: Readonly<Record<string, Act>>;
  readonly waits: Readonly<Record<string, Wait>>;
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

function turnsOf(lock: Exclusive): Pick<Handle, "giveTurn" | "takeTurn"> {
  let permit: Permit | undefined;
  return { takeTurn: () => void (permit = lock.tryLock()), giveTurn: () => permit!.release() };
}

/** The wait for a permit, which is released at once. */
export function waitForPermit(
  sync: (options?: SyncWaitOptions) => Permit,
  async: (options?: WaitOptions) => Promise<Permit>,
): Wait {
  return waitOf("turn", (o) => sync(o).release(), async (o) => (await async(o)).release());
}

/** The handle of a lock: what is marked is held, what others hold is found. */
export function lockHandle(lock: Exclusive): Handle {
  return {
    ...handleOf(lock),
    ...turnsOf(lock),
    acts: lock.acts,
    waits: lock.waits,
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
  };
}

const PARTY = definedRole({ title: "lock" }, {
  define: (name, options) => rwLock(name, options as DefinitionOptions),
  open: (definition, options) => definition.open(options),
}, (lock) =>
  lockHandle({
    acts: { lock: visit(() => lock.writeSync()), "lock to read": visit(() => lock.readSync()) },
    waits: {
      lock: waitForPermit((o) => lock.writeSync(o), (o) => lock.write(o)),
      "lock to read": waitForPermit((o) => lock.readSync(o), (o) => lock.read(o)),
    },
    tryLock: () => lock.tryWrite(),
    lock: (options) => lock.write(options),
    close: () => lock.close(),
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  }));

export const RW_LOCK: Product = {
  name: "reader/writer lock",
  noun: "lock",
  file: (name) => `vring.rwlock.${name}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {},
  types: [],
  locks: true,
  defines: true,
};
