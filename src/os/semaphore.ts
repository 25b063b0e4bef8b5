/**
 * POSIX named semaphores of the C library in this process. Every function returns a value or
 * -errno, without policy; -ENOSYS means that the C library has none. A leaf: the explorer swaps
 * this file for one that a scheduler drives.
 *
 * @module
 */

import { cString } from "../native/c_string.ts";
import { native } from "../native/load.ts";
import { mappedRanges } from "./proc_maps.ts";

/** Returns the path of the file that the C library keeps a semaphore in. */
export function semaphoreFile(name: string): string {
  return `/dev/shm/sem.${name}`;
}

/** Opens a semaphore, or creates it with the value 1; returns its address. */
export function openSemaphore(name: string, mode: number): number {
  return native().vring_semaphore_open(cString(`/${name}`), mode);
}

/** Returns the inode of an open semaphore's file. */
export function inodeOf(semaphore: number): number {
  const range = mappedRanges().find(({ start, end }) => start <= semaphore && semaphore < end);
  return range?.inode ?? 0;
}

/** Closes a semaphore from `openSemaphore`. */
export function closeSemaphore(semaphore: number): number {
  return native().vring_semaphore_close(semaphore);
}

/** Removes the name. */
export function unlinkSemaphore(name: string): number {
  return native().vring_semaphore_unlink(cString(`/${name}`));
}

/** Acquires one permit; returns -EAGAIN if none is free. */
export function tryWait(semaphore: number): number {
  return native().vring_semaphore_try(semaphore);
}

/** Releases one permit. */
export function post(semaphore: number): number {
  return native().vring_semaphore_post(semaphore);
}
