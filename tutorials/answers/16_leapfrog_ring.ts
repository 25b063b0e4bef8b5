/**
 * An answer. When the ring starts over, the first window was empty, so the second one
 * becomes the first, at `start`: positions move back by where it was.
 *
 * @module
 */

import { checkReach, type Ring } from "../16_leapfrog_ring/check.ts";

function reach(ring: Ring, length: number): void {
  const { start, end, capacity, first } = ring;
  if (ring.head + length <= first + 2 * capacity) return;
  ring.hide(first);
  if (ring.left !== 0) ring.hide(ring.left);
  if (first + 3 * capacity <= end) {
    ring.show(first + 2 * capacity);
    ring.first = first + capacity;
    ring.left = 0;
    return;
  }
  ring.left = first + capacity;
  ring.show(start);
  ring.show(start + capacity);
  ring.tail -= ring.left - start;
  ring.head -= ring.left - start;
  ring.first = start;
}

checkReach(reach);
