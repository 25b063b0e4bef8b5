/**
 * Sizes and counts: the cache line, alignment, and the numbers that can be a count.
 *
 * @module
 */

/** The bytes of a cache line. Words that different parties write are on different lines. */
export const LINE_BYTES = 64;

/** Rounds up to a multiple of `unit`. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Whether a number from a caller or a peer is a whole number from 0 to `limit`. */
export function isCount(value: number, limit: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isInteger(value) && value >= 0 && value <= limit;
}
