/**
 * Exercise 9: whose turn is it?
 *
 * Write the consumer's choice. There are up to 32 lanes, and a bit of hint for each. It is asked
 * again and again for a lane in which there is a message, and one message is read from that lane
 * then. It may keep two numbers in mind: `mind.bits`, which is 0 at first, and `mind.last`, -1. What
 * it can ask of the ring:
 *
 *     ring.lanes           how many lanes there are
 *     ring.loadHints()     the bits: 1 << lane is set if something may be in that lane
 *     ring.clearHints()    makes them all 0
 *     ring.takeHints()     does both in one operation: gives the bits, and makes them 0
 *     ring.has(lane)       looks into a lane: is there a message?
 *
 * Producers write whenever they like: between any two of these, a message, and then its hint. Run it
 * with `deno run --allow-ffi tutorials/09_many_producers/exercise.ts`.
 *
 * @module
 */

import { checkChoice, type Mind, type Ring } from "./check.ts";

/** Returns a lane that has a message; undefined if all are empty. */
function choose(ring: Ring, mind: Mind): number | undefined {
  mind.bits = ring.loadHints();
  for (let lane = 0; lane < ring.lanes; lane++) {
    if ((mind.bits & 1 << lane) === 0) continue;
    if (ring.has(lane)) return mind.last = lane;
  }
  ring.clearHints();
  return undefined;
}

checkChoice(choose);
