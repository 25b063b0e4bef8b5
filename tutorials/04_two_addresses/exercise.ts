/**
 * Exercise: the same byte?
 *
 * You get two addresses and the list of all mappings. Do both addresses mean the same byte, so that
 * a byte written at either one can be read at the other? The answer in the file only knows that an
 * address equals itself. Make it look at the list.
 *
 * A range has `start`, `end` (the address after its last), `permissions` (such as "rw-s"), `offset`
 * (where in the file it begins), `inode` (0 without a file) and `path`. Run it with
 * `deno run --allow-ffi tutorials/04_two_addresses/exercise.ts`.
 *
 * @module
 */

import type { MappedRange } from "../../src/os/proc_maps.ts";
import { checkSameByte } from "./check.ts";

/** Returns whether two addresses mean the same byte, by the kernel's list of mappings. */
function isSameByte(a: number, b: number, _ranges: MappedRange[]): boolean {
  return a === b;
}

checkSameByte(isSameByte);
