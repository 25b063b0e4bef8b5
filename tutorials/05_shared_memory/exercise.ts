/**
 * Exercise 5: moved, or not moved.
 *
 * Coins go from Ann to Ben. The process that moves them has the lock, and may be killed before any
 * of its stores. The next one to get the lock is told so (`recovered`) and calls `repair`, and it
 * may be killed too. In the end either all of the coins are moved or none of them, and nobody knows
 * beforehand how many there are.
 *
 * `purses` is shared memory: what is stored in it stays, whoever dies. Besides the two purses it
 * has three numbers for your notes, 0 at first. Everything else is forgotten when a process dies.
 * Run it with `deno run --allow-ffi tutorials/05_shared_memory/exercise.ts`.
 *
 * @module
 */

import { checkMove, type PursesWithNotes } from "./check.ts";

/** Moves coins from Ann to Ben. */
function move(purses: PursesWithNotes, coins: number): void {
  purses.ann -= coins;
  purses.ben += coins;
}

/** Puts right what somebody has left who was killed in `move` or in `repair`. */
function repair(_purses: PursesWithNotes): void {
}

checkMove({ move, repair });
