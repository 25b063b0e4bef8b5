/**
 * POSIX named semaphores, as the C library of this process has them: every function returns a
 * value or -errno and adds no policy. -ENOSYS where the C library has none. A leaf: the explorer
 * swaps this file for one that a scheduler drives.
 *
 * @module
 */

import { native } from "../native/load.ts";

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

/** How many permits there are. */
export function valueOf(semaphore: number): number {
  return native().vring_semaphore_value(semaphore);
}
