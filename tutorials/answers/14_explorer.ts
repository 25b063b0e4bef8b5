/**
 * An answer: a search that goes breadth first, so that what it finds is shortest.
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
} from "../14_explorer/check.ts";

function movesOf(game: Game, state: State, deaths: number): Move[] {
  const moves: Move[] = [];
  const dead = state.places.filter(({ is }) => is === "dead").length;
  for (const [party, { mayDie }] of game.parties.entries()) {
    if (canStep(game, state, party)) moves.push({ party, kills: false });
    const isAlive = /awake|asleep/.test(state.places[party]!.is);
    if (mayDie && isAlive && dead < deaths) moves.push({ party, kills: true });
  }
  return moves;
}

function isLost(game: Game, state: State): boolean {
  if (state.places.some((_, party) => canStep(game, state, party))) return false;
  return state.places.some(({ is }) => is === "asleep");
}

function search(game: Game, deaths: number): Result {
  const seen = new Set<string>();
  const left: { state: State; path: Move[] }[] = [{ state: firstState(game), path: [] }];
  for (const { state, path } of left) {
    const key = JSON.stringify(state);
    if (seen.has(key)) continue;
    seen.add(key);
    if (isLost(game, state)) return { states: seen.size, lost: path };
    for (const move of movesOf(game, state, deaths)) {
      const next = copyOf(state);
      if (move.kills) kill(next, move.party);
      else step(game, next, move.party);
      left.push({ state: next, path: [...path, move] });
    }
  }
  return { states: seen.size };
}

checkSearch({ movesOf, isLost, search });
