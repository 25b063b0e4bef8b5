/**
 * The page: the unit in which the kernel allocates and shares memory.
 *
 * @module
 */

import { check } from "../errors.ts";
import { readAll } from "./files.ts";

/** The page size's entry in the auxiliary vector, the kernel's note to a new process. */
const AT_PAGESZ = 6;

/** The smallest size of a page that a Linux system can have. */
export const SMALLEST_PAGE = 4096;

let size: number | undefined;

/** Returns the size of a page in bytes: 4096 on x86_64, up to 65536 on aarch64. */
export function pageSize(): number {
  return size ??= readPageSize();
}

function readPageSize(): number {
  const bytes = readAll("/proc/self/auxv");
  if (typeof bytes === "number") {
    check(bytes, { syscall: "read", action: "learn the page size from /proc/self/auxv" });
    throw new Error("unreachable");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (view.getBigUint64(at, true) !== BigInt(AT_PAGESZ)) continue;
    return Number(view.getBigUint64(at + 8, true));
  }
  throw new Error("Cannot learn the page size: /proc/self/auxv does not contain it");
}

/** Rounds up to whole pages. */
export function wholePages(sizeBytes: number, page: number = pageSize()): number {
  return Math.ceil(sizeBytes / page) * page;
}

/**
 * Returns the bytes that the system can still allocate without killing processes; Infinity if
 * unknown. The kernel allocates memory for files until none is left, and then kills processes. So
 * check this first.
 */
export function availableMemory(): number {
  const bytes = readAll("/proc/meminfo");
  const text = typeof bytes === "number" ? "" : new TextDecoder().decode(bytes);
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(text);
  return match === null ? Infinity : 1024 * Number(match[1]);
}
