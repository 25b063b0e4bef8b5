/**
 * An answer. All pieces are copied from the same place: there, the pattern begins, and
 * each piece doubles what follows it.
 *
 * @module
 */

import { checkRepeat, type Ring } from "../06_heatshrink/check.ts";

function repeat(ring: Ring, head: number, distance: number, length: number): number {
  const from = (head - distance) & (ring.capacity - 1);
  let done = 0;
  while (done < length) {
    const piece = Math.min(distance + done, length - done);
    ring.copy(from + distance + done, from, piece);
    done += piece;
  }
  return head + length;
}

checkRepeat(repeat);
