/**
 * Exercise 3: the same byte?
 *
 * Two addresses, and the list of everything that is mapped. Do both addresses mean the same byte,
 * so that what is written to one is read at the other, whoever writes? The answer below only knows
 * that an address equals itself. Make it look at the list.
 *
 * A range has `start`, `end` (the address after its last), `permissions` (such as "rw-s"), `offset`
 * (where in the file it begins), `inode` (0 if no file is behind it) and `path`. Run it with
 * `deno run --allow-ffi tutorials/03_two_addresses/exercise.ts`.
 *
 * @module
 */

import type { MappedRange } from "../../src/os/proc_maps.ts";
import { judgeSameByte } from "./judge.ts";

/** Whether two addresses mean the same byte, to judge by what is mapped where. */
function isSameByte(a: number, b: number, _ranges: MappedRange[]): boolean {
  return a === b;
}

judgeSameByte(isSameByte);
