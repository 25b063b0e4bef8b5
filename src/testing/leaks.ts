/**
 * The check that a test closes what it opens.
 *
 * @module
 */

import { checkHandler } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { noteLines, type OpenHandle, openHandles } from "../region/registry.ts";

export { type OpenHandle, openHandles };

/**
 * Wraps a test function so that the test fails if it leaves a handle open. The error names each
 * handle and the line that opened it. Tests that run at the same time in one isolate report each
 * other's handles.
 *
 * If the test throws, the wrapper throws the error of the test, with the open handles as its
 * `cause`. It does so even if a namespace found them, and the engine made a SuppressedError of
 * both.
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
  checkHandler(test, "check", "a test for leaks");
  return async (...given) => {
    const before = new Set(openHandles());
    const notedLines = noteLines(true);
    const failures: unknown[] = []; // the test's own one last
    try {
      await test(...given);
    } catch (error) {
      let inner = error;
      for (; inner instanceof SuppressedError; inner = inner.suppressed) failures.push(inner.error);
      failures.push(inner);
    } finally {
      noteLines(notedLines);
    }
    const left = openHandles().filter((handle) => !before.has(handle));
    if (left.length > 0) {
      const leak = `Cannot pass the test: ${describeHandles(left)}; close what a test opens`;
      failures.unshift(new VringError(leak));
    }
    if (failures.length > 0) throw withCause(failures.at(-1), failures[0]);
  };
}

/** Returns an error, with another one as its cause unless it has a cause of its own. */
function withCause(error: unknown, cause: unknown): unknown {
  if (error !== cause && error instanceof Error) error.cause ??= cause;
  return error;
}

/** Describes open handles, such as `ring "demo" is open (opened at file:///test.ts:3:20)`. */
export function describeHandles(handles: readonly OpenHandle[]): string {
  return handles
    .map(({ what, line }) => `${what} is open${line === undefined ? "" : ` (opened at ${line})`}`)
    .join(", ");
}
