/**
 * The check that a test closes what it opens.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { noteLines, type OpenHandle, openHandles } from "../region/registry.ts";

export { type OpenHandle, openHandles };

/**
 * Wraps a test function, and fails the test if it leaves a handle open: a mapping, an open file and
 * its locks. Tests that run at the same time in one isolate report each other's handles.
 *
 * @example Fail a test that forgets a handle
 * ```ts
 * import { sharedMemory } from "@vring/vring";
 * import { checkLeaks, namespace } from "@vring/vring/testing";
 *
 * Deno.test(
 *   "the last handle removes the memory",
 *   checkLeaks(() => {
 *     using _names = namespace();
 *     using memory = sharedMemory("state", { size: 64 }).open(); // without `using` the test fails
 *     memory.bytes[0] = 1;
 *   }),
 * );
 * ```
 *
 * @param test The test function.
 * @returns A function that runs it and checks.
 */
export function checkLeaks<A extends unknown[]>(
  test: (...given: A) => void | Promise<void>,
): (...given: A) => Promise<void> {
  return async (...given) => {
    const before = new Set(openHandles());
    const notedLines = noteLines(true);
    try {
      await test(...given);
    } finally {
      noteLines(notedLines);
    }
    const left = openHandles().filter((handle) => !before.has(handle));
    if (left.length === 0) return;
    throw new VringError(`Cannot pass the test: ${describeHandles(left)}; close what a test opens`);
  };
}

/** Describes open handles, such as `ring "demo" is open (opened at file:///test.ts:3:20)`. */
export function describeHandles(handles: readonly OpenHandle[]): string {
  return handles
    .map(({ what, line }) => `${what} is open${line === undefined ? "" : ` (opened at ${line})`}`)
    .join(", ");
}
