/**
 * What the kernel knows about the memory of this process, and about shared files.
 *
 * @module
 */

import { readAll, space } from "../src/os/files.ts";
import { wait } from "../src/os/futex.ts";

function textOf(path: string): string {
  const bytes = readAll(path);
  if (typeof bytes === "number") throw new Error(`Cannot read ${path}: errno ${-bytes}`);
  return new TextDecoder().decode(bytes);
}

function holds(line: string, address: number): boolean {
  const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
  if (range === null) return false;
  return parseInt(range[1]!, 16) <= address && address < parseInt(range[2]!, 16);
}

/** The line of /proc/self/maps that holds an address, as the kernel writes it. */
export function mapsLine(address: number): string | undefined {
  const line = textOf("/proc/self/maps").split("\n").find((line) => holds(line, address));
  return line?.replace(/ {2,}/g, "  ").trimEnd();
}

/**
 * How many bytes of real memory stand behind the mapping that holds an address: Rss, the resident
 * set size, of /proc/self/smaps.
 */
export function residentBytes(address: number): number {
  const lines = textOf("/proc/self/smaps").split("\n");
  const start = lines.findIndex((line) => holds(line, address));
  const found = lines.slice(start, start + 8).find((line) => line.startsWith("Rss:"));
  if (start === -1 || found === undefined) {
    throw new Error("Cannot count pages: /proc/self/smaps does not tell them");
  }
  return parseInt(found.slice("Rss:".length)) * 1024;
}

/** How many bytes /dev/shm may hold in all; none if it is not there or has no limit. */
export function limitOfSharedMemory(): number | undefined {
  const isThere = textOf("/proc/self/mounts").includes(" /dev/shm tmpfs ");
  const room = isThere ? space("/dev/shm") : -1;
  return typeof room === "number" || room.total === 0 ? undefined : room.total;
}

const EFAULT = 14;

/**
 * Whether the byte at an address can be read. A program that reads an address without access is
 * ended, but a system call on such an address fails. So make one: a futex wait whose time is over.
 */
export function canBeRead(address: number): boolean {
  return wait(address - address % 4, 0, 0) !== -EFAULT;
}
