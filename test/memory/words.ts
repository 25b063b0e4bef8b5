/**
 * Where the words stand that the tests of words share between threads and processes.
 *
 * @module
 */

/** Turns 1 when everyone may begin. */
export const GATE = { path: "gate", offset: 0 };

/** The word of 32 bits. */
export const WORD32 = { path: "word32", offset: 64 };

/** The word of 64 bits. */
export const WORD64 = { path: "word64", offset: 128 };

/** How the test of order accesses its words. */
export const ACCESSES = [
  "plain",
  "Word32",
  "Word32 in one call",
  "bell of Word32",
  "bell of Word64",
  "bell without orderOthers()",
] as const;

/** One way to access them. */
export type Access = (typeof ACCESSES)[number];

/** Rounds of the test of order in one file. */
export const ORDER_ROUNDS = 200;

/** Bytes of that file, whole pages of any size. */
export const ORDER_BYTES = 2 ** 16;
