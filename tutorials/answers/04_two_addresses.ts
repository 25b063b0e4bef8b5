/**
 * An answer: compare the places in the file that the addresses mean.
 *
 * @module
 */

import type { MappedRange } from "../../src/os/proc_maps.ts";
import { checkSameByte } from "../04_two_addresses/check.ts";

function isSameByte(a: number, b: number, ranges: MappedRange[]): boolean {
  const rangeOf = (address: number) =>
    ranges.find(({ start, end }) => start <= address && address < end);
  const [first, second] = [rangeOf(a), rangeOf(b)];
  if (first === undefined || second === undefined) return false;
  if (a === b) return true;
  return first.inode !== 0 && first.inode === second.inode &&
    first.offset + (a - first.start) === second.offset + (b - second.start) &&
    first.permissions.endsWith("s") && second.permissions.endsWith("s");
}

checkSameByte(isSameByte);
