/**
 * Replaces src/native/load.ts. The leaves take constants and types from the real files, which would
 * load the native library; here nothing reaches the real machine, and none is needed.
 *
 * @module
 */

export function native(): never {
  throw new Error("Explored code called the native library past the leaves");
}

export { native as directFutexes, native as directWide, native as directWords };
