/**
 * Exercise: moved, or not moved.
 *
 * A process moves coins from Ann to Ben. It holds the lock, and may be killed before any of its
 * stores. The next process to get the lock sees `recovered` and calls `repair`, and may be killed
 * too. In the end either all of the coins are moved or none of them. `repair` does not know how
 * many coins there are.
 *
 * `purses` is shared memory: values stored in it survive every process. Besides the two purses it
 * has three numbers for your notes, 0 at first. A process that dies loses everything else. Run it
 * with `deno run --allow-ffi tutorials/08_shared_memory/exercise.ts`.
 *
 * @module
 */

import { checkMove } from "./check.ts";

/** Two purses in shared memory, and three numbers for notes. */
interface Purses {
  ann: number;
  ben: number;
  note1: number;
  note2: number;
  note3: number;
}

/** Moves coins from Ann to Ben. */
function move(purses: Purses, coins: number): void {
  purses.ann -= coins;
  purses.ben += coins;
}

/** Repairs the purses after a process was killed in `move` or in `repair`. */
function repair(_purses: Purses): void {
}

checkMove({ move, repair });
