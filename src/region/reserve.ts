/**
 * Allocates the memory of regions' files before its first use. Touching a page that the system
 * cannot allocate is a SIGBUS.
 *
 * @module
 */

import { check, Errno, OsError } from "../errors.ts";
import * as files from "../os/files.ts";
import { availableMemory } from "../os/page.ts";
import { directoryOf } from "./names.ts";
import type { OpenFile } from "./opened.ts";

/** An open file, and the path that it has or will have. */
interface Named {
  readonly fd: number;
  readonly path: string;
}

/** How much to reserve, if not all bytes of a new file. */
interface Reservation {
  /** The number of bytes without memory, if only some are. */
  readonly missing?: number;
  /** Whether others may have the file open: it must not become longer, if it was truncated. */
  readonly isShared?: boolean;
}

/**
 * Allocates memory for a part of a file now: a page that is missing later is a SIGBUS.
 */
export function reserve(
  { fd, path }: Named,
  offset: number,
  sizeBytes: number,
  action: string,
  { missing = sizeBytes, isShared = false }: Reservation = {},
): void {
  const allocate = isShared ? files.fill : files.allocate;
  // Without this check the kernel would fill the memory of the machine before it refuses.
  const directory = directoryOf(path);
  const result = missing > freeBytes(directory) ? -Errno.ENOSPC : allocate(fd, offset, sizeBytes);
  if (result !== -Errno.ENOSPC) {
    check(result, { syscall: "fallocate", action, state: `${missing} bytes cannot be reserved` });
    return;
  }
  const [free, needed] = inWords(freeBytes(directory), missing);
  throw new OsError(Errno.ENOSPC, {
    syscall: "fallocate",
    action,
    state: `${directory} has ${free} free and ${needed} are needed`,
    remedy: `${
      missing < sizeBytes ? "remove files there" : "ask for less"
    } or enlarge ${directory}`,
  });
}

/** The bytes that the file system, and the memory behind it, can still give. */
function freeBytes(directory: string): number {
  const space = files.space(directory);
  return Math.min(typeof space === "number" ? Infinity : space.free, availableMemory());
}

/** Writes sizes in MB, or in bytes if they would look equal. */
function inWords(...sizes: number[]): string[] {
  const rounded = sizes.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`);
  return new Set(rounded).size === sizes.length ? rounded : sizes.map((bytes) => `${bytes} B`);
}

/**
 * Allocates memory for the holes of a file that was created without any. A copy or a restored
 * backup can have holes, and touching one is a SIGBUS when the file system is full.
 */
export function fillHoles(
  { fd, status }: OpenFile,
  path: string,
  what: string,
  readOnly: boolean,
): void {
  const { size, allocated } = status;
  if (allocated >= size) return;
  const action = `open ${what}`;
  const missing = size - allocated;
  if (!readOnly) return reserve({ fd, path }, 0, size, action, { missing, isShared: true });
  throw new OsError(Errno.ENOSPC, {
    syscall: "fstat",
    action,
    state: `${size - allocated} of the ${size} bytes of its file have no memory`,
    remedy: "open it once with the right to write, which reserves them",
  });
}
