/**
 * Tools for testing programs that use shared memory: separate names for each test, a check for open
 * handles, and views that are detached when their messages are released.
 *
 * @module
 */

export { type Namespace, namespace, type NamespaceOptions } from "./namespace.ts";
export { checkLeaks, type OpenHandle, openHandles } from "./leaks.ts";
export { detachViews } from "../memory/views.ts";
