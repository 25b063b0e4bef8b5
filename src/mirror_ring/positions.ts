/**
 * What a caller may ask of a byte ring within one process, checked before anything happens.
 *
 * @module
 */

import { inWords } from "../arguments.ts";

const CAPACITY_LIMIT = 2 ** 36;

/** Throws unless a ring can have this capacity. */
export function checkCapacity(minCapacity: number): void {
  if (Number.isSafeInteger(minCapacity) && minCapacity >= 1 && minCapacity <= CAPACITY_LIMIT) {
    return;
  }
  throw new RangeError(
    `Cannot make a ring of ${
      inWords(minCapacity)
    } bytes: the capacity is a whole number of bytes ` +
      `from 1 to ${CAPACITY_LIMIT}`,
  );
}

/** Throws unless so much space is free. */
export function checkClaim(length: number, free: number, capacity: number): void {
  if (isWithin(length, free)) return;
  throw new RangeError(
    `Cannot claim ${inWords(length)} bytes of the ring: ${free} of ${capacity} are free`,
  );
}

/** Throws unless so many bytes are claimed. */
export function checkCommit(length: number, claimed: number): void {
  if (isWithin(length, claimed)) return;
  throw new RangeError(
    `Cannot commit ${inWords(length)} bytes to the ring: ${claimed} are claimed`,
  );
}

/** Throws unless so many bytes are readable. */
export function checkPeek(length: number, available: number): void {
  if (isWithin(length, available)) return;
  throw new RangeError(
    `Cannot peek at ${inWords(length)} bytes of the ring: ${available} are readable`,
  );
}

/** Throws unless so many bytes are readable. */
export function checkConsume(length: number, available: number): void {
  if (isWithin(length, available)) return;
  throw new RangeError(
    `Cannot consume ${inWords(length)} bytes of the ring: ${available} are readable`,
  );
}

function isWithin(length: number, limit: number): boolean {
  return Number.isInteger(length) && length >= 0 && length <= limit;
}
