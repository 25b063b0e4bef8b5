/**
 * An answer: subtract the first byte's page number from the last byte's, and add one.
 *
 * @module
 */

import { checkPagesTouched } from "../01_pages/check.ts";

function pagesTouched(address: number, length: number, page: number): number {
  if (length === 0) return 0;
  const first = Math.floor(address / page);
  const last = Math.floor((address + length - 1) / page);
  return last - first + 1;
}

checkPagesTouched(pagesTouched);
