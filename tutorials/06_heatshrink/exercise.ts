/**
 * Exercise: a repeat that overlaps itself, with few calls.
 *
 * `ring.copy(to, from, length)` copies bytes within a mirror ring. Its memory is mapped twice in a
 * row, so places 0 to 2 * capacity are valid. Like `memcpy` in C it is fast, and its two ranges must
 * not overlap.
 *
 * Append `length` bytes that begin `distance` bytes back, as a decoder does: byte by byte, they
 * would continue into what was just written. `head` is the position behind the last byte. It counts
 * all bytes ever written, and its place in the ring is its remainder by the capacity, which is a
 * power of two. Return the new head.
 *
 * `distance + length` is at most the capacity. A repeat may need several calls, but far fewer than
 * `length / distance`: once a piece was copied, there is twice as much to copy from.
 *
 * The code in the file is right as long as nothing overlaps. Run it with
 * `deno run --allow-ffi tutorials/06_heatshrink/exercise.ts`.
 *
 * @module
 */

import { checkRepeat, type Ring } from "./check.ts";

/** Appends bytes again that begin `distance` bytes back; returns the new head. */
function repeat(ring: Ring, head: number, distance: number, length: number): number {
  const from = (head - distance) & (ring.capacity - 1);
  ring.copy(from + distance, from, length);
  return head + length;
}

checkRepeat(repeat);
