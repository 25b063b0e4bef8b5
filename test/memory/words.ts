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
