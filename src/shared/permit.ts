/**
 * The right to hold a lock.
 *
 * @module
 */

import { VringError } from "../errors.ts";

/**
 * The right to hold a lock, until it is released or disposed. A forgotten permit is held until its
 * process or Worker ends: the garbage collector never releases a lock.
 */
export interface Permit extends Disposable {
  /** Whether the last owner died while holding the lock: the protected data may be half changed. */
  readonly recovered: boolean;
  /** Releases the lock; throws if the permit was already released. */
  release(): void;
}

/**
 * Makes a permit. `give` releases the lock, or returns false if that was done before, by the permit
 * or by closing the handle.
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
