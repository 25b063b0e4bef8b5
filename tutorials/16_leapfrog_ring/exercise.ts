/**
 * Exercise: move the windows of a leapfrog ring.
 *
 * The memory of the ring has `capacity` bytes. It is shown in two windows, at `first` and right
 * behind it. All positions are addresses: `tail` of the next byte to read, `head` of the next byte
 * to write. A range from `start` to `end` is reserved.
 *
 * `reach` is called before `length` bytes are written. Those bytes, from `head` on, must then lie in
 * the windows. If they do already, nothing moves. Otherwise all bytes of the first window are
 * consumed, and it leaps over the second. `ring.show(address)` makes a window there, and
 * `ring.hide(address)` replaces one by zeros.
 *
 * If the range ends before the third window's place, the ring starts over: both windows appear at
 * `start`, and `tail` and `head` move back by a number of windows, so that they mean the same
 * bytes. The second window also stays where it was, because a reader may hold a view of unread
 * bytes there. Remember it in `left`, and hide it at the next leap; `left` is 0 if there is none.
 *
 * The code in the file knows no end. Run it with
 * `deno run --allow-ffi tutorials/16_leapfrog_ring/exercise.ts`.
 *
 * @module
 */

import { checkReach, type Ring } from "./check.ts";

/** Moves the windows, if `length` bytes from the head on need it. */
function reach(ring: Ring, length: number): void {
  const { capacity } = ring;
  if (ring.head + length <= ring.first + 2 * capacity) return;
  ring.hide(ring.first);
  ring.show(ring.first + 2 * capacity);
  ring.first += capacity;
}

checkReach(reach);
