/**
 * POSIX named semaphores, as the C library of this process has them: every function returns a
 * value or -errno and adds no policy. -ENOSYS where the C library has none. A leaf: the explorer
 * swaps this file for one that a scheduler drives.
 *
 * @module
 */

import { native } from "../native/load.ts";
import { mappedRanges } from "./proc_maps.ts";

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The file that the C library keeps a semaphore in. */
export function semaphoreFile(name: string): string {
  return `/dev/shm/sem.${name}`;
}

/** Opens a semaphore, or makes it with the value 1; gives its address. */
export function openSemaphore(name: string, mode: number): number {
  return native().vring_semaphore_open(cString(`/${name}`), mode);
}

/** The inode of the file that an open semaphore is in. */
export function inodeOf(semaphore: number): number {
  const range = mappedRanges().find(({ start, end }) => start <= semaphore && semaphore < end);
  return range?.inode ?? 0;
}

/** Gives back what `openSemaphore` gave. */
export function closeSemaphore(semaphore: number): number {
  return native().vring_semaphore_close(semaphore);
}

/** Removes the name. */
export function unlinkSemaphore(name: string): number {
  return native().vring_semaphore_unlink(cString(`/${name}`));
}

/** Takes one permit if there is one; -EAGAIN if not. */
export function tryWait(semaphore: number): number {
  return native().vring_semaphore_try(semaphore);
}

/** Gives one permit back. */
export function post(semaphore: number): number {
  return native().vring_semaphore_post(semaphore);
}
