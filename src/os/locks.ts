/**
 * Record locks of an open file description: a byte of a file, held until the kernel drops the
 * holder's file. Every function returns a value or -errno, without policy. A leaf: the explorer
 * swaps this file for one that a scheduler drives.
 *
 * Lock files belong to the isolate, whose sentinel closes them when it ends. They are never mapped:
 * a mapping would keep the lock alive past the close.
 *
 * @module
 */

import { native } from "../native/load.ts";
import { Open } from "./files.ts";

/** The types of lock: read locks are shared, a write lock is exclusive. */
export const Lock = { read: 0, write: 1, none: 2 } as const;

/** Opens a file for locking only; returns an fd that belongs to this isolate. */
export function openLockFile(path: string, write: boolean): number {
  const flags = Open.follow | (write ? Open.write : 0);
  return native().sentinel_open(new TextEncoder().encode(`${path}\0`), flags, 0);
}

/** Drops every lock of the fd and closes it. */
export function closeLockFile(fd: number): number {
  return native().sentinel_close(fd);
}

/** Locks bytes, or changes or drops their lock, without waiting; returns -EAGAIN on a conflict. */
export function setLock(fd: number, type: number, byte: number, count = 1): number {
  return native().vring_lock(fd, type, byte, count);
}

/**
 * Returns the type of lock of others that conflicts with `type` on the byte; `none` if it is free.
 */
export function testLock(fd: number, type: number, byte: number): number {
  return native().vring_lock_test(fd, type, byte, 1);
}

/**
 * Returns the first byte of a lock that another open file holds within a range; -ENOENT without
 * one.
 */
export function findLock(fd: number, byte: number, count: number): number {
  return native().vring_lock_find(fd, byte, count);
}
