/**
 * The moves of a search, and what happens when they are taken.
 *
 * @module
 */

import type { Event } from "../13_doorbell/machine.ts";
import { canStep, copyOf, firstState, type Game, kill, step } from "./machine.ts";

/** What may come next: an operation of a party, or its death. */
export interface Move {
  readonly party: number;
  readonly kills: boolean;
}

/** Takes moves from the first state; stops at one that is not possible. */
export function eventsOf(game: Game, moves: readonly Move[]): Event[] {
  const state = firstState(game);
  const events: Event[] = [];
  for (const { party, kills } of moves) {
    const { name } = game.parties[party]!;
    if (!kills && !canStep(game, state, party)) {
      events.push({ party: name, text: "cannot do this", state: copyOf(state) });
      return events;
    }
    const text = kills ? "is killed" : step(game, state, party);
    if (kills) kill(state, party);
    events.push({ party: name, text, state: copyOf(state) });
  }
  return events;
}

/** Returns who sleeps after these moves, if nobody can take a step then. */
export function sleepersAfter(game: Game, moves: readonly Move[]): string[] {
  const state = firstState(game);
  for (const { party, kills } of moves) {
    if (kills) kill(state, party);
    else if (canStep(game, state, party)) step(game, state, party);
  }
  if (game.parties.some((_, party) => canStep(game, state, party))) return [];
  return game.parties.flatMap(({ name }, i) => state.places[i]!.is === "asleep" ? [name] : []);
}

/** Says in words what is the case after these moves. */
export function endOf(game: Game, moves: readonly Move[]): string {
  const sleepers = sleepersAfter(game, moves);
  if (sleepers.length === 0) return "Nobody is lost: somebody can take a step, or nobody sleeps.";
  return `Nobody is left to wake ${sleepers.join(" and ")}.`;
}
