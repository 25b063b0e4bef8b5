/**
 * Your ring: one work that grows through the course.
 *
 *     mirror      mapRing: a header, the ring, and the ring again, as in the exercise of
 *                 the chapter "The mirror ring"
 *     positions   after "A ring in four stages": a class Ring with trySend and tryReceive,
 *                 for messages of memory.size bytes; positions in bytes, and the
 *                 announcement last; plain stores and loads will do
 *     order       after "Memory order": each store and load in the order that it needs
 *     bell        after "Sleeping without losing a wake-up": trySend rings a bell, and
 *                 receive sleeps until there is a message
 *     lanes       after "Many producers, one doorbell": a class Many, which receives from
 *                 several rings, whose producers ring one bell
 *
 * At last the explorer and real kills try it, and you measure it beside the library's ring.
 * memory.ts says what you build on; check_positions.ts and check_waiting.ts have the tests. A
 * solution of each stage is in answers/: ring_mirror.ts, ring_positions.ts, ring_order.ts,
 * ring_bell.ts and 24_your_ring.ts. To begin in the middle, copy one of them over this file. Run it
 * with `deno run --allow-ffi --allow-run=deno tutorials/24_your_ring/exercise.ts`.
 *
 * @module
 */

import { map, MapFlag, Protection } from "../../src/os/files.ts";
import { checkRing } from "./check.ts";

/** Returns the address of the header, or the kernel's error with nothing left mapped. */
export function mapRing(fd: number, header: number, capacity: number): number {
  const base = map({
    length: header + 2 * capacity,
    protection: Protection.none,
    flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
  });
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;
  map({ address: base, length: header + capacity, protection, flags, fd });
  return base; // where is the second window, and what if the kernel refuses?
}

// A class Ring, and later a class Many, come here. Pass them to checkRing.

if (import.meta.main) checkRing({ mapRing }, import.meta.url);
