/**
 * Exercise: write the explorer.
 *
 * The machine runs parties one operation at a time (machine.ts, 150 lines). You have:
 *
 *     firstState(game)             the state before anyone has done anything
 *     canStep(game, state, party)  whether a party can do an operation
 *     step(game, state, party)     changes the state by its next operation
 *     kill(state, party)           changes the state: the party is dead
 *     copyOf(state)                a copy that you may change
 *     state.words, state.places    plain data; places are awake, asleep,
 *                                  ended or dead
 *
 * Take these steps, and let the judge see each:
 *
 * 1. Choices: `movesOf` returns every move that is possible in a state.
 *
 * 2. A verdict: `isLost` says that somebody sleeps and nobody is left to wake anyone.
 *
 * 3. A search: `search` tries every order. It continues from a copy of a state, never from the
 *    same state twice. It returns how many different states there are; or, if one is lost, the
 *    shortest list of moves that leads there.
 *
 * 4. Deaths: a party that `mayDie` may be killed wherever it is, awake or asleep; not more than
 *    `deaths` parties in a run.
 *
 * The code in the file takes one order of many. Run it with
 * `deno run --allow-ffi tutorials/14_explorer/exercise.ts`.
 *
 * @module
 */

import {
  canStep,
  checkSearch,
  copyOf,
  firstState,
  type Game,
  kill,
  type Move,
  type Result,
  type State,
  step,
} from "./check.ts";

/** Returns the moves that are possible; at most `deaths` parties may be dead afterwards. */
function movesOf(game: Game, state: State, _deaths: number): Move[] {
  const party = game.parties.findIndex((_, party) => canStep(game, state, party));
  return party === -1 ? [] : [{ party, kills: false }];
}

/** Returns whether a party sleeps, and nobody is left to wake it. */
function isLost(_game: Game, state: State): boolean {
  return state.places.some(({ is }) => is === "asleep");
}

/** Tries every order. */
function search(game: Game, deaths: number): Result {
  const state = copyOf(firstState(game));
  const path: Move[] = [];
  for (;;) {
    if (isLost(game, state)) return { states: path.length + 1, lost: path };
    const [move] = movesOf(game, state, deaths);
    if (move === undefined) return { states: path.length + 1 };
    if (move.kills) kill(state, move.party);
    else step(game, state, move.party);
    path.push(move);
  }
}

checkSearch({ movesOf, isLost, search });
