/**
 * Exercise: whose turn is it?
 *
 * Write the consumer's choice. There are up to 32 lanes, and a hint bit for each. Each call of
 * `choose` returns a lane that has a message, and the check reads one message from it. You may
 * remember two numbers: `mind.bits`, which is 0 at first, and `mind.last`, which is -1. You can ask
 * the ring:
 *
 *     ring.lanes           how many lanes there are
 *     ring.loadHints()     returns the bits: 1 << lane is set if that lane may have a message
 *     ring.clearHints()    sets all bits to 0
 *     ring.takeHints()     does both in one operation: returns the bits, and sets them to 0
 *     ring.has(lane)       looks into a lane: does it have a message?
 *
 * Producers may write between any two of these calls: a message, and then its hint. Run it with
 * `deno run --allow-ffi tutorials/17_many_producers/exercise.ts`.
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
