/**
 * Exercise: a mirror ring with a header.
 *
 * A ring that processes share has a header in front, where its positions are kept. In the file:
 * first the header, then the ring. In memory: the header once, then the ring, then the ring again.
 *
 *     file       header | ring
 *     memory     header | ring | ring
 *
 * The given answer was written from this chapter in a hurry. It has a mistake, and it leaves a mess
 * when the kernel refuses. Run it with
 * `deno run --allow-ffi tutorials/05_mirror_ring/exercise.ts`.
 *
 * @module
 */

import { map, MapFlag, Protection } from "../../src/os/files.ts";
import { checkMapRing } from "./check.ts";

/** Returns the address of the header, or the kernel's error with nothing left mapped. */
function mapRing(fd: number, header: number, capacity: number): number {
  const base = map({
    length: header + 2 * capacity,
    protection: Protection.none,
    flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
  });
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;
  map({ address: base, length: header + capacity, protection, flags, fd });
  map({ address: base + header + capacity, length: capacity, protection, flags, fd });
  return base;
}

checkMapRing(mapRing);
