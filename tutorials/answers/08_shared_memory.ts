/**
 * An answer: write down the result, mark the note as valid, move the coins, and
 * cross the note out. The note has results and not differences, so storing them twice does no harm.
 *
 * @module
 */

import { checkMove } from "../08_shared_memory/check.ts";

/** Two purses in shared memory, and three numbers for notes. */
interface Purses {
  ann: number;
  ben: number;
  note1: number;
  note2: number;
  note3: number;
}

function move(purses: Purses, coins: number): void {
  purses.note1 = purses.ann - coins;
  purses.note2 = purses.ben + coins;
  purses.note3 = 1;
  finish(purses);
}

function repair(purses: Purses): void {
  if (purses.note3 === 1) finish(purses); // else the purses have not been touched
}

function finish(purses: Purses): void {
  purses.ann = purses.note1;
  purses.ben = purses.note2;
  purses.note3 = 0;
}

checkMove({ move, repair });
