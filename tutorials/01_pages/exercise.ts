/**
 * Exercise: how many pages?
 *
 * A program is about to write `length` bytes, the first of them at `address`. Return how many pages
 * it will touch. The answer in the file is the first that comes to mind, and it is wrong. Find out
 * when, and fix it. The kernel checks you: it counts the pages that really got memory.
 *
 * Run it with `deno run --allow-ffi tutorials/01_pages/exercise.ts`.
 *
 * @module
 */

import { checkPagesTouched } from "./check.ts";

/**
 * Returns how many pages of `page` bytes hold any of the `length` bytes that begin at `address`.
 */
function pagesTouched(_address: number, length: number, page: number): number {
  return Math.ceil(length / page);
}

checkPagesTouched(pagesTouched);
