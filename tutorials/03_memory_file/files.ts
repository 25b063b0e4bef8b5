/**
 * The kernel's calls for the exercise. They are the real ones, and the check can watch them: it makes
 * one of them fail, and looks at the file before its fd is closed.
 *
 * @module
 */

import * as real from "../../src/os/files.ts";

export { bufferAt, MapFlag, Protection, unmap } from "../../src/os/files.ts";

/** The calls that can fail, and how the kernel would refuse each. */
export const REFUSALS = { memfd: -24, truncate: -28, allocate: -28, map: -12 } as const;

/** One of the calls that can fail. */
export type Call = keyof typeof REFUSALS;

/** What the check sees of the calls. */
export interface Watch {
  /** Fails this call. */
  readonly refuse?: Call;
  /** The calls, in order. */
  readonly calls: Call[];
  /** How many bytes of memory each file had when its fd was closed. */
  readonly allocated: number[];
}

let watch: Watch | undefined;

/** Watches the calls of a function. */
export function watching<T>(by: Watch, act: () => T): T {
  watch = by;
  try {
    return act();
  } finally {
    watch = undefined;
  }
}

function call(name: Call, act: () => number): number {
  watch?.calls.push(name);
  return watch?.refuse === name ? REFUSALS[name] : act();
}

/** Creates a file in memory; returns an fd. */
export function memfd(name: string): number {
  return call("memfd", () => real.memfd(name));
}

/** Sets a file's length; an added part is a hole. */
export function truncate(fd: number, sizeBytes: number): number {
  return call("truncate", () => real.truncate(fd, sizeBytes));
}

/** Allocates memory for a range of a file, and extends the file if the range ends beyond it. */
export function allocate(fd: number, offset: number, sizeBytes: number): number {
  return call("allocate", () => real.allocate(fd, offset, sizeBytes));
}

/** Maps memory; returns its address. */
export function map(request: Parameters<typeof real.map>[0]): number {
  return call("map", () => real.map(request));
}

/** Closes an fd. */
export function close(fd: number): number {
  const status = real.stat(fd);
  if (typeof status !== "number") watch?.allocated.push(status.allocated);
  return real.close(fd);
}
