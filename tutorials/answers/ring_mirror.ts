/**
 * My ring, first stage: a header and a mirror.
 *
 * @module
 */

import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { checkRing } from "../24_your_ring/check.ts";

/** Returns the address of the header, or the kernel's error with nothing left mapped. */
export function mapRing(fd: number, header: number, capacity: number): number {
  const length = header + 2 * capacity;
  const base = map({
    length,
    protection: Protection.none,
    flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
  });
  if (base < 0) return base;
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;
  const second = base + header + capacity;
  let mapped = map({ address: base, length: header + capacity, protection, flags, fd });
  if (mapped >= 0) {
    mapped = map({ address: second, length: capacity, protection, flags, fd, offset: header });
  }
  if (mapped >= 0) return base;
  unmap(base, length);
  return mapped;
}

if (import.meta.main) checkRing({ mapRing }, import.meta.url);
