/**
 * What this process has of the kernel: open files, mapped ranges. Tests compare before and after.
 *
 * @module
 */

import { type MappedRange, mappedRanges } from "../../src/os/proc_maps.ts";

/**
 * Whether an error of reading a file under /proc says that its process, or thread, is gone. One that
 * ends between the opening and the reading is ESRCH, for which Deno has neither a class nor a code.
 */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Error && /os error 3\b/.test(error.message);
}

/** The target of each open fd of this process. */
export function openFiles(): string[] {
  const targets: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      targets.push(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the fd that listed the others
    }
  }
  return targets;
}

/** How many open fds lead to something whose name contains the text; all of them by default. */
export function countFiles(text = ""): number {
  return openFiles().filter((target) => target.includes(text)).length;
}

/** The mapped ranges whose name contains the text. */
export function rangesOf(text: string): MappedRange[] {
  return mappedRanges().filter((range) => range.path.includes(text));
}

/** Whether shared memory is mapped at the address. Private memory may come there at any time. */
export function isMapped(address: number): boolean {
  return mappedRanges().some(({ start, end, permissions }) =>
    start <= address && address < end && permissions.endsWith("s")
  );
}

/** How many pages of addresses this process has taken, whether or not there is memory behind them. */
export function addressSpace(): number {
  return Number(Deno.readTextFileSync("/proc/self/statm").split(" ")[0]);
}
