/**
 * Help for the tests of programs that use shared memory: names of their own, a check for leaks, and
 * views that are detached when their messages are released.
 *
 * @module
 */

export { type Namespace, namespace } from "./namespace.ts";
export { checkLeaks, type OpenHandle, openHandles } from "./leaks.ts";
export { detachViews } from "../memory/word.ts";
