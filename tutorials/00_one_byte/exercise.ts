/**
 * Exercise: be the other process.
 *
 * Two processes share two bytes. `bytes[0]` says whose turn it is: 0 is the first process's, and 1
 * is yours. `bytes[1]` is a number.
 *
 * Your process calls `play` again and again. When it is your turn, add 1 to the number and give the
 * turn back. When it is not, change nothing and return. The answer in the file does not look whose
 * turn it is. Run it with `deno run --allow-ffi tutorials/00_one_byte/exercise.ts`.
 *
 * @module
 */

import { checkPlay } from "./check.ts";

/** Plays once, if it is our turn. */
function play(bytes: Uint8Array): void {
  bytes[1] = bytes[1]! + 1;
}

checkPlay(play);
