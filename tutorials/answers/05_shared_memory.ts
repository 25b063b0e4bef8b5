/**
 * An answer to exercise 5: first write down how it will be, then say that the note is valid, then
 * do it, then cross the note out. Results are noted and not differences, so that doing it twice
 * does no harm.
 *
 * @module
 */

import { checkMove, type PursesWithNotes } from "../05_shared_memory/check.ts";

function move(purses: PursesWithNotes, coins: number): void {
  purses.note1 = purses.ann - coins;
  purses.note2 = purses.ben + coins;
  purses.note3 = 1;
  finish(purses);
}

function repair(purses: PursesWithNotes): void {
  if (purses.note3 === 1) finish(purses); // else the purses have not been touched
}

function finish(purses: PursesWithNotes): void {
  purses.ann = purses.note1;
  purses.ben = purses.note2;
  purses.note3 = 0;
}

checkMove({ move, repair });
