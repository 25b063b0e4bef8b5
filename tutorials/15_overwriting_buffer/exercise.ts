/**
 * Exercise: read from a ring that is overwritten.
 *
 * Write the reading end. To keep it short, messages have numbers, and you ask the ring by number:
 *
 *     ring.published()    how many messages were written, which is the next number
 *     ring.oldest()       the number of the oldest message that is intact
 *     ring.copy(number)   copies the message of this number, or the bytes that replaced it
 *
 * `next` is the number of the message that the reader wants. Return the message; or, if it is
 * overwritten, how many are `lost`; or neither, if it is not written yet. In each case, also return
 * the number that the reader wants then. The check is the writer, and it may write at any moment:
 * between any two of your calls, and in the middle of a copy. Run it with
 * `deno run --allow-ffi tutorials/15_overwriting_buffer/exercise.ts`.
 *
 * @module
 */

import { checkRead, type NumberedRing, type Outcome } from "./check.ts";

/** Reads the message with the number `next`, if it is there. */
function read(ring: NumberedRing, next: number): Outcome {
  if (next === ring.published()) return { next };
  const oldest = ring.oldest();
  if (next < oldest) return { lost: oldest - next, next: oldest };
  return { message: ring.copy(next), next: next + 1 };
}

checkRead(read);
