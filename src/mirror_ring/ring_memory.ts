/**
 * The memory of a ring within one process: a file without a name, of which the ring maps the same
 * pages at several addresses.
 *
 * @module
 */

import { check, Errno, OsError } from "../errors.ts";
import { allocate, close, memfd, MemfdFlag, truncate } from "../os/files.ts";
import { availableMemory } from "../os/page.ts";

/** Creates the memory and reserves all its pages; returns the fd, which the caller closes. */
export function makeMemory(capacity: number, what: string, flags: number): number {
  // The system already counts reserved huge pages as used.
  const available = flags & MemfdFlag.hugePages ? Infinity : availableMemory();
  if (capacity > available) {
    const state = `${capacity} bytes are needed and ${available} are available`;
    throw new OsError(Errno.ENOMEM, { syscall: "memfd_create", action: `make ${what}`, state });
  }
  const fd = memfd("vring", flags);
  check(fd, { syscall: "memfd_create", action: `make memory for ${what}` });
  try {
    check(truncate(fd, capacity), { syscall: "ftruncate", action: `size ${what}` });
    check(allocate(fd, 0, capacity), {
      syscall: "fallocate",
      action: `reserve ${capacity} bytes of memory for ${what}`,
    });
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
