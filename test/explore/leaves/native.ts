/**
 * Replaces src/native/load.ts. The leaves take constants and types from the real files, which would
 * load the native library; here nothing reaches the real machine, and none is needed.
 *
 * @module
 */

import type * as real from "../../../src/native/load.ts?real";

function refuse(): never {
  throw new Error("Explored code called the native library past the leaves");
}

export const native: typeof real.native = refuse;
export const directFutexes: typeof real.directFutexes = refuse;
export const directWide: typeof real.directWide = refuse;
export const directWords: typeof real.directWords = refuse;
