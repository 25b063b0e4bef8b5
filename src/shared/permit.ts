/**
 * The right to hold a lock.
 *
 * @module
 */

import { VringError } from "../errors.ts";

/**
 * Holds a lock until it is released or disposed. A permit that the program forgets holds the lock
 * until its process or Worker ends: the garbage collector never releases a lock.
 */
export interface Permit extends Disposable {
  /** Whether the last owner died while holding the lock: the protected data may be half changed. */
  readonly recovered: boolean;
  /** Releases the lock; throws if the permit was already released. */
  release(): void;
}

/**
 * Makes a permit. `give` releases the lock; it returns false if the permit was already released, or
 * the handle was closed.
 */
export function makePermit(recovered: boolean, what: string, give: () => boolean): Permit {
  return {
    recovered,
    release: () => {
      if (give()) return;
      throw new VringError(`Cannot release ${what}: this permit was already released`);
    },
    [Symbol.dispose]: () => void give(),
  };
}
