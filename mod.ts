/**
 * Shared memory between processes: rings, publish/subscribe and the pieces they stand on.
 *
 * @module
 */

export * from "./src/errors.ts";
export { type LibraryFiles, useLibrary } from "./src/native/load.ts";
export { MirrorRing, type MirrorRingOptions } from "./src/memory/mirror.ts";
