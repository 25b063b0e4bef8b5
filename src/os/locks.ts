/**
 * Record locks of an open file description: a byte of a file, held until the kernel drops the
 * holder's file. Every function returns a value or -errno and adds no policy. A leaf: the explorer
 * swaps this file for one that a scheduler drives.
 *
 * Lock files belong to the isolate, whose sentinel closes them when it ends. They are never mapped:
 * a mapping would keep the lock alive past the close.
 *
 * @module
 */

import { native } from "../native/load.ts";
import { Open } from "./files.ts";

/** The kinds of lock: many may read, one may write. */
export const Lock = { read: 0, write: 1, none: 2 } as const;

/** Opens a file for locking only; gives an fd that belongs to this isolate. */
export function openLockFile(path: string, write: boolean): number {
  const flags = Open.follow | (write ? Open.write : 0);
  return native().sentinel_open(new TextEncoder().encode(`${path}\0`), flags, 0);
}

/** Drops every lock of the fd and closes it. */
export function closeLockFile(fd: number): number {
  return native().sentinel_close(fd);
}

/** Locks, changes or unlocks one byte without waiting; -EAGAIN if somebody is in the way. */
export function setLock(fd: number, kind: number, byte: number): number {
  return native().vring_lock(fd, kind, byte, 1);
}

/** The kind of lock that others hold on the byte and that `kind` would meet; `none` if free. */
export function testLock(fd: number, kind: number, byte: number): number {
  return native().vring_lock_test(fd, kind, byte, 1);
}

/** Where some other open file's lock within a range of bytes begins; -ENOENT if there is none. */
export function findLock(fd: number, byte: number, count: number): number {
  return native().vring_lock_find(fd, byte, count);
}
