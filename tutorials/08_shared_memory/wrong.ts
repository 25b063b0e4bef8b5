/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Mover, PursesWithNotes } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Mover>[] {
  type Purses = PursesWithNotes;
  const pay = (purses: Purses, coins: number) => {
    purses.ann -= coins;
    purses.ben += coins;
  };
  const note = (purses: Purses, coins: number) => {
    purses.note1 = purses.ann - coins;
    purses.note2 = purses.ben + coins;
    purses.note3 = 1;
  };
  const finish = (purses: Purses) => {
    purses.ann = purses.note1;
    purses.ben = purses.note2;
    purses.note3 = 0;
  };
  const finishIfNoted = (purses: Purses) => purses.note3 === 1 ? finish(purses) : undefined;
  const killed = "killed anywhere while moving";
  const killedAgain = "killed while repairing as well";
  return [
    {
      mistake: "moves nothing",
      answer: { move: () => {}, repair: () => {} },
      fails: "coins are moved",
    },
    {
      mistake: "repairs nothing",
      answer: { move: pay, repair: () => {} },
      fails: killed,
    },
    {
      mistake: "knows the sum",
      answer: { move: pay, repair: (purses) => (purses.ben = 140 - purses.ann) },
      fails: killed,
    },
    {
      mistake: "tidies up in finally",
      answer: {
        move: (purses, coins) => {
          try {
            pay(purses, coins);
          } finally {
            purses.ben = 140 - purses.ann; // the dead do not tidy up
          }
        },
        repair: () => {},
      },
      fails: killed,
    },
    {
      mistake: "marks the note before it is complete",
      answer: { // the note is valid before it is complete
        move: (purses, coins) => {
          purses.note3 = 1;
          note(purses, coins);
          finish(purses);
        },
        repair: finishIfNoted,
      },
      fails: killed,
    },
    {
      mistake: "notes the difference and not the result",
      answer: { // differences
        move: (purses, coins) => {
          purses.note1 = coins;
          pay(purses, coins);
          purses.note1 = 0;
        },
        repair: (purses) => pay(purses, purses.note1),
      },
      fails: killed,
    },
    {
      mistake: "crosses the note out before it has repaired",
      answer: { // crossed out too early when repairing
        move: (purses, coins) => {
          note(purses, coins);
          finish(purses);
        },
        repair: (purses) => {
          const { note1, note2, note3 } = purses;
          purses.note3 = 0;
          if (note3 === 0) return;
          purses.ann = note1;
          purses.ben = note2;
        },
      },
      fails: killedAgain,
    },
    {
      mistake: "never crosses the note out",
      answer: { // never crossed out
        move: (purses, coins) => {
          note(purses, coins);
          pay(purses, coins);
        },
        repair: (purses) => {
          if (purses.note3 === 0) return;
          purses.ann = purses.note1;
          purses.ben = purses.note2;
        },
      },
      fails: "after a repair, the next move",
    },
    {
      mistake: "remembers the move in a variable of the process",
      answer: rememberingMover(),
      fails: "a repair needs nothing",
    },
  ];
}

/** Keeps its note in a closure, which dies with the process. */
function rememberingMover(): Mover {
  let wanted: { ann: number; ben: number } | undefined;
  const finish = (purses: PursesWithNotes) => {
    if (wanted === undefined) return;
    purses.ann = wanted.ann;
    purses.ben = wanted.ben;
    wanted = undefined;
  };
  return {
    move: (purses, coins) => {
      wanted = { ann: purses.ann - coins, ben: purses.ben + coins };
      finish(purses);
    },
    repair: finish,
  };
}
