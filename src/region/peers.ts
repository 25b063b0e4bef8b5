/**
 * Waiting for peers. Most products have no event for a peer that opens or closes, so the wait
 * polls.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { withNamesakes } from "./list.ts";
import { type PollOptions, pollUntil } from "./poll.ts";

/** A handle that counts its peers. */
export interface Counted {
  /** The number of living peers. */
  readonly peers: number;
}

/**
 * Resolves once a handle has at least `count` peers. `noun` is the word for one, such as
 * `subscriber`, and `what` names the region, such as `topic "imu"`.
 */
export async function waitForPeers(
  handle: Counted & { readonly name: string },
  count: number,
  { noun, what }: { noun: string; what: string },
  options: PollOptions | undefined,
): Promise<void> {
  const action = `wait for ${inWords(count)} ${noun}${count === 1 ? "" : "s"} of ${what}`;
  const own = checkedOptions(options, action);
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`Cannot ${action}: pass a whole number, 0 or more`);
  }
  let found = 0;
  await pollUntil({
    look: () => (found = handle.peers) >= count || undefined,
    action,
    state: () => {
      const state = `it has ${found}`;
      return found > 0 ? state : withNamesakes(state, handle.name);
    },
  }, own);
}
