/** Stands in for src/os/futex.ts: the same, with a step before sleeping and waking. @module */

import * as real from "../../../src/os/futex.ts?real";
import { step, stepped } from "../steps.ts";

export * from "../../../src/os/futex.ts?real";

export const wait: typeof real.wait = stepped("futex wait", real.wait);
export const wake: typeof real.wake = stepped("futex wake", real.wake);
export const addAndWake: typeof real.addAndWake = stepped("futex add and wake", real.addAndWake);

export class FutexVector extends real.FutexVector {
  override waitSync(deadline: number): number {
    step("futex wait for many");
    return super.waitSync(deadline);
  }

  override wait(deadline: number): Promise<number> {
    step("futex wait for many");
    return super.wait(deadline);
  }
}
