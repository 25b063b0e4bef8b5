/**
 * Counts what an operation does to shared memory and asks of the native library.
 *
 * @module
 */

/** The kinds of work that are counted, each with its numbers by name. */
export interface Counts {
  /** Operations of `Word32` and `Word64`, by the names of their methods. */
  words: Record<string, number>;
  /** Plain accesses: copies, numbers and views. */
  plain: Record<string, number>;
  /** Calls of the native library, by the names of its functions without `vring_`. */
  native: Record<string, number>;
}

let counts: Counts = { words: {}, plain: {}, native: {} };

/** Counts one more operation, or several. */
export function count(kind: keyof Counts, name: string, times = 1): void {
  counts[kind][name] = (counts[kind][name] ?? 0) + times;
}

/** Returns the counts since the last call. */
export function takeCounts(): Counts {
  const taken = counts;
  counts = { words: {}, plain: {}, native: {} };
  return taken;
}
