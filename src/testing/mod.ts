/**
 * Help for the tests of programs that use shared memory: names of their own, and a check for leaks.
 *
 * @module
 */

export { type Namespace, namespace } from "./namespace.ts";
export { checkLeaks, type OpenHandle, openHandles } from "./leaks.ts";
