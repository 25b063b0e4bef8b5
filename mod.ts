/**
 * Shared memory between processes: rings, publish/subscribe and the pieces they stand on.
 *
 * @module
 */

export * from "./src/errors.ts";
export { type LibraryFiles, useLibrary } from "./src/native/load.ts";
export * from "./src/layout/layout.ts";
export { MirrorRing, type MirrorRingOptions } from "./src/memory/mirror.ts";
export { type RegionDetails, type RegionInfo, regions } from "./src/memory/region_list.ts";
export type { SyncWaitOptions, WaitOptions } from "./src/sync/waiter.ts";
