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
 * The byte at `base + i` and the byte at `base + C + i` are one byte. So a message that begins in
 * the first window and has at most C bytes is contiguous, even if it wraps in the ring. No message
 * is ever split in two, no padding is needed, and the seam needs no code.
 *
 * @module
 */

import { check } from "../errors.ts";
import { map, MapFlag, Protection, unmap } from "../os/files.ts";
import { Mapping } from "./mapping.ts";

/** A request to map a ring twice. */
export interface MirrorRequest {
  /** The number of bytes before the ring, mapped once; whole pages. */
  readonly header: number;
  /** The number of bytes mapped twice; whole pages. */
  readonly capacity: number;
  /** The number of rings of this capacity, each mapped twice; 1 by default. */
  readonly rings?: number | undefined;
  /** Maps for reading only. */
  readonly readOnly?: boolean | undefined;
  /** The alignment of the ring in memory and in the file, if more than a page. */
  readonly alignment?: number | undefined;
  /** The purpose of the memory, for error messages. */
  readonly what: string;
}

/** Maps a file's header once and each ring behind it twice, all in one range. */
export function mapMirrored(fd: number, request: MirrorRequest): Mapping {
  const { header, capacity, rings = 1, readOnly, what } = request;
  const length = header + 2 * capacity * rings;
  const protection = readOnly ? Protection.read : Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.fixed;

  // 1. Reserve addresses for everything, so that each later mapping finds its place free.
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
  return new Mapping(base, { length, what, readOnly });
}

/**
 * Reserves addresses that nothing else uses; touching them is an error until something is mapped
 * there.
 */
function reserve(length: number, alignment: number, what: string): number {
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const base = map({ length, alignment, protection: Protection.none, flags });
  return check(base, {
    syscall: "mmap",
    action: `reserve ${length} bytes of addresses for ${what}`,
  });
}
