/**
 * Maps a ring so that its end is followed by its own beginning.
 *
 * ```
 *   one memory, capacity C        0 ........................ C
 *                                 |  ..gh ab|cd ef..         |
 *
 *   two addresses                 base        base + C       base + 2C
 *                                 |....first...|...second....|
 *                                  the same pages, mapped twice
 * ```
 *
 * The byte at `base + i` and the byte at `base + C + i` are one byte. So whatever begins in the
 * first window and is at most C long is contiguous, though in the ring it may wrap: no message is
 * ever split in two, no padding is needed, and the seam has no code of its own.
 *
 * @module
 */

import { check } from "../errors.ts";
import { map, MapFlag, Protection, unmap } from "../os/files.ts";
import { Mapping } from "./mapping.ts";

/** What to map twice. */
export interface MirrorRequest {
  /** How many bytes before the ring are mapped once; whole pages. */
  readonly header: number;
  /** How many bytes are mapped twice; whole pages. */
  readonly capacity: number;
  /** How many rings of this capacity there are, each followed by itself; 1 by default. */
  readonly rings?: number;
  /** Map for reading only. */
  readonly readOnly?: boolean;
  /** The alignment of the ring in memory and in the file, if more than a page. */
  readonly alignment?: number;
  /** What the memory is for, for the message if it fails. */
  readonly what: string;
}

/** Maps a file's header once and then each ring behind it twice, all in one range. */
export function mapMirrored(fd: number, request: MirrorRequest): Mapping {
  const { header, capacity, rings = 1, readOnly, what } = request;
  const length = header + 2 * capacity * rings;
  const protection = readOnly ? Protection.read : Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;

  // 1. Reserve addresses for everything, so that all that follows finds its place free.
  const base = reserve(length, request.alignment ?? 0, what);

  // 2. The header and the first ring; 3. that ring again, right behind itself; and so on.
  let mapped = map({ address: base, length: header + capacity, protection, flags, fd });
  for (let copy = 1; copy < 2 * rings && mapped >= 0; copy++) {
    const address = base + header + copy * capacity;
    const offset = header + (copy >> 1) * capacity;
    mapped = map({ address, length: capacity, protection, flags, fd, offset });
  }
  if (mapped < 0) unmap(base, length); // one call removes the reservation and what replaced it
  check(mapped, { syscall: "mmap", action: `map ${capacity} bytes twice for ${what}` });
  return new Mapping(base, length, what);
}

/** Addresses that nothing else uses; touching them is an error until something is mapped there. */
function reserve(length: number, alignment: number, what: string): number {
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const base = map({ length, alignment, protection: Protection.none, flags });
  return check(base, {
    syscall: "mmap",
    action: `reserve ${length} bytes of addresses for ${what}`,
  });
}
