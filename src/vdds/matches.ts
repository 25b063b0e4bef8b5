/**
 * Peers that join and leave, as a stream of their number.
 *
 * @module
 */

import { ClosedError, timeoutError } from "../errors.ts";
import { begin } from "../wait/fairness.ts";
import { wait, type WaitOptions } from "../wait/until.ts";
import type { VRing } from "./vring.ts";

/**
 * Yields the number of peers now and after every change, never the same one twice in a row. A peer
 * that joins or leaves rings; a death is noticed within a slice.
 */
export async function* matches(
  ring: VRing,
  count: () => number,
  options: WaitOptions,
): AsyncGenerator<number, void, void> {
  let last = NaN;
  let found = NaN; // as found when the wait ended: a second count may be `last` again
  const awaited = {
    bell: ring.membersBell,
    watch: ring.members,
    ready: () => ring.region.closed || (found = count()) !== last,
  };
  try {
    while (!ring.region.closed) {
      await begin(options);
      const outcome = await wait(awaited, options);
      const { timeout = Infinity } = options;
      if (outcome === "timeout") throw timeoutError(`see peers of ${ring.what} change`, timeout);
      if (ring.region.closed) return;
      yield last = found;
    }
  } catch (error) {
    if (!(error instanceof ClosedError && ring.region.closed)) throw error;
  }
}
