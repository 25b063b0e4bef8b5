/**
 * An answer. The second window shows the file from the beginning of the ring, behind
 * the header. One unmap removes the reservation and every mapping over it.
 *
 * @module
 */

import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { checkMapRing } from "../05_mirror_ring/check.ts";

function mapRing(fd: number, header: number, capacity: number): number {
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

checkMapRing(mapRing);
