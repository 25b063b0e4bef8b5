/**
 * The mapped ranges of this process, read from `/proc/self/maps`: for tests and tutorials.
 *
 * @module
 */

import { check } from "../errors.ts";
import { readAll } from "./files.ts";

/** One mapped range. */
export interface MappedRange {
  /** The first address. */
  readonly start: number;
  /** The address after the last. */
  readonly end: number;
  /** The permissions, such as `rw-s`: readable, writable, not executable, shared. */
  readonly permissions: string;
  /** The offset in the file where the range begins. */
  readonly offset: number;
  /** The inode of the file, 0 for anonymous memory. */
  readonly inode: number;
  /** The name of the file, or the kernel's name for the range; empty for anonymous memory. */
  readonly path: string;
}

/** Lists every mapped range of this process, by address. */
export function mappedRanges(): MappedRange[] {
  const bytes = readAll("/proc/self/maps");
  if (typeof bytes === "number") {
    check(bytes, { syscall: "read", action: "read /proc/self/maps" });
    return [];
  }
  return new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "").map(parseRange);
}

/** Parses a line such as `7f00-7f10 rw-s 00001000 00:05 1234 /memfd:ring (deleted)`. */
function parseRange(line: string): MappedRange {
  const [range, permissions, offset, _device, inode, ...path] = line.split(/ +/);
  const [start, end] = range!.split("-");
  return {
    start: parseInt(start!, 16),
    end: parseInt(end!, 16),
    permissions: permissions!,
    offset: parseInt(offset!, 16),
    inode: Number(inode),
    path: path.join(" "),
  };
}
