/** Stands in for src/os/futex.ts: the same, with a step before it sleeps or wakes. @module */

import * as real from "../../src/os/futex.ts?real";
import { spring, trapped } from "./trap.ts";

export * from "../../src/os/futex.ts?real";

export const wait: typeof real.wait = trapped("sleep", real.wait);
export const wake: typeof real.wake = trapped("wake some", real.wake);
export const addAndWake: typeof real.addAndWake = trapped("wake", real.addAndWake);

export class FutexVector extends real.FutexVector {
  override waitSync(deadline: number): number {
    spring("sleep on many");
    return super.waitSync(deadline);
  }

  override wait(deadline: number, slice?: number): Promise<number> {
    spring("sleep on many");
    return super.wait(deadline, slice);
  }
}
