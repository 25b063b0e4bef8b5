/**
 * Loops over the number of peers, as they come and go.
 *
 * @module
 */

import type { Condition } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import type { WaitOptions } from "../wait/until.ts";
import type { VRing } from "./vring.ts";

/**
 * Yields the number of peers now and after every change, never the same one twice in a row. A peer
 * that joins or leaves rings; a death is noticed within a slice.
 */
export function matches(
  ring: VRing,
  count: () => number,
  options: WaitOptions,
): AsyncGenerator<number, void, void> {
  let last = NaN;
  let found = NaN; // as found when the wait ended: a second count may be `last` again
  const look = () => (found = count()) !== last;
  const change = {
    bell: ring.membersBell,
    watch: ring.members,
    ready: () => ring.region.closed || look(),
  };
  const attempt = (ended?: Condition): Step<number> | undefined => {
    if (ring.region.closed) return DONE;
    return ended !== undefined || look() ? { done: false, value: last = found } : undefined;
  };
  const waiter = {
    action: `see peers of ${ring.what} change`,
    conditions: () => [change],
    checkOpen: () => ring.region.checkOpen(),
  };
  return iterate({ attempt, waiter }, options);
}
