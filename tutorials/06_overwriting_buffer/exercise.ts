/**
 * Exercise 6: read from a ring that is overwritten.
 *
 * Write the reading end. To keep it short, messages are numbered, and the ring is asked by number:
 *
 *     ring.published()    how many messages were written: the next one will have this number
 *     ring.oldest()       the number of the oldest message that is intact
 *     ring.copy(number)   copies the message of this number, or whatever is in its place by now
 *
 * `next` is the number of the message that the reader wants. Give the message, or `empty` if it is
 * not written yet, or `lost` with how many are gone; and with each the number that the reader wants
 * then. The check is the writer, and it may write at any moment: between any two of your calls, and
 * in the middle of a copy. Run it with `deno run --allow-ffi
 * tutorials/06_overwriting_buffer/exercise.ts`.
 *
 * @module
 */

import { checkRead, type NumberedRing, type Outcome } from "./check.ts";

/** Reads the message with the number `next`, if it can be had. */
function read(ring: NumberedRing, next: number): Outcome {
  if (next === ring.published()) return { state: "empty", next };
  const oldest = ring.oldest();
  if (next < oldest) return { state: "lost", messages: oldest - next, next: oldest };
  return { state: "ok", message: ring.copy(next), next: next + 1 };
}

checkRead(read);
