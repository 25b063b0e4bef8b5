/** Stands in for src/os/futex.ts: the same, with a step before it sleeps or wakes. @module */

import * as real from "../../src/os/futex.ts?real";
import { now } from "../../src/os/clock.ts?real";
import { spring, trapped } from "./trap.ts";

export * from "../../src/os/futex.ts?real";

let endless = false;
let silent = false;

/**
 * From now on, slices of sleeps do not end: where nobody dies, a sleeper needs none, and one that
 * misses a wake-up sleeps on.
 */
export function sleepWithoutSlices(): void {
  endless = true;
}

/** From now on, this process wakes nobody, to see that this is found. */
export function wakeNobody(): void {
  silent = true;
}

/** Shorter sleeps poll memory of a peer that does not ring. */
const SHORTEST_SLICE_NS = 200e6;

function endOf(deadline: number): number {
  return endless && deadline - now() > SHORTEST_SLICE_NS ? Infinity : deadline;
}

export const wait: typeof real.wait = trapped(
  "sleep",
  (address, expected, deadline, bits) => real.wait(address, expected, endOf(deadline), bits),
);
export const wake: typeof real.wake = trapped("wake some", real.wake);
export const addAndWake: typeof real.addAndWake = trapped(
  "wake",
  (address) => silent ? 0 : real.addAndWake(address),
);

export class FutexVector extends real.FutexVector {
  override waitSync(deadline: number, ...slices: [slice?: number, interrupts?: number]): number {
    spring("sleep on many");
    return endless ? super.waitSync(endOf(deadline)) : super.waitSync(deadline, ...slices);
  }

  override wait(deadline: number, slice?: number): Promise<number> {
    spring("sleep on many");
    return super.wait(deadline, slice);
  }
}
