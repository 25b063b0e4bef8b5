/**
 * The checks of the exercise. They compare a search with the library's explorer, on bells that
 * lose wake-ups.
 *
 * @module
 */

import {
  type Bell,
  BELLS,
  flag,
  inTwoSteps,
  sequence,
  sleeper,
  waker,
} from "../13_doorbell/bells.ts";
import { explore, type Party, type Shared } from "../13_doorbell/machine.ts";
import { tracksOf } from "../13_doorbell/tracks.ts";
import { type Check, expect, runChecks, Wrong } from "../check.ts";
import { canStep, copyOf, firstState, type Game, kill, type State, step } from "./machine.ts";
import { endOf, eventsOf, type Move, sleepersAfter } from "./moves.ts";

export { canStep, copyOf, firstState, type Game, kill, type Move, type State, step };

/** What a search found. */
export interface Result {
  /** How many different states there are, the first included; so far, if one is lost. */
  readonly states: number;
  /** The moves that lead to a state that is lost. */
  readonly lost?: readonly Move[];
}

/** An answer. */
export interface Search {
  readonly movesOf: (game: Game, state: State, deaths: number) => readonly Move[];
  readonly isLost: (game: Game, state: State) => boolean;
  readonly search: (game: Game, deaths: number) => Result;
}

const WORDS = ["count", "bell"];

const gameOf = (...parties: readonly Party[]): Game => ({ words: WORDS, parties });
const oneReader = (bell: Bell) => gameOf(sleeper("reader", bell), waker("writer", bell));
const twoReaders = (bell: Bell) =>
  gameOf(sleeper("reader 0", bell), sleeper("reader 1", bell), waker("writer", bell));
const backwards = ({ words, parties }: Game): Game => ({ words, parties: parties.toReversed() });
const withHeir = (bell: Bell) =>
  gameOf(
    sleeper("reader", bell),
    waker("writer", bell, { mayDie: true }),
    waker("heir", bell, { after: "writer" }),
  );
const twoHeirs = (bell: Bell) =>
  gameOf(
    sleeper("reader", bell),
    waker("writer", bell, { mayDie: true }),
    waker("heir", bell, { after: "writer", mayDie: true }),
  );

/** Checks an answer and prints the results. */
export function checkSearch(answer: Search): void {
  runChecks(import.meta.url, checksOf(answer));
}

/** The checks that an answer must pass. */
export function checksOf(answer: Search): Check[] {
  return [
    {
      what: "1 choices: a step of every party that can take one",
      check: () => lookAtSteps(answer),
      hint: "ask `canStep` about each party.",
    },
    {
      what: "2 a verdict: lost if somebody sleeps and nobody can take a step",
      check: () => lookAtVerdicts(answer),
      hint: "a party that can still take a step may wake the sleeper.",
    },
    {
      what: "3 a search: one party alone has one order",
      check: () => expectStates(answer, gameOf(waker("writer", flag)), 3),
      hint: "count the states, and not the moves: the first one counts too.",
    },
    {
      what: "3 a search: every order of a reader and a writer",
      check: () => {
        expectStates(answer, oneReader(flag), 27);
        expectStates(answer, oneReader(sequence), 29);
      },
      hint: "each move begins with a copy of the same state. Two states are the same if all of " +
        "their data is: the words, and the place of each party.",
    },
    {
      what: "3 a search: three parties, and no state twice",
      check: () => expectStates(answer, twoReaders(sequence), 266),
      hint:
        "remember every state as text, such as `JSON.stringify(state)`, and leave out known ones.",
    },
    {
      what: "3 a search: the flag's lost wake-up, by the shortest way",
      check: () => {
        expectLoss(answer, oneReader(BELLS.unlooked!));
        expectLoss(answer, twoReaders(BELLS.unlooked!));
        expectLoss(answer, backwards(twoReaders(BELLS.unlooked!)));
        expectLoss(answer, twoReaders(flag));
      },
      hint: "keep a list of states to continue from, each with its moves. Take the oldest first.",
    },
    {
      what: "4 deaths: each party that may die, until enough are dead",
      check: () => lookAtKills(answer),
      hint: "a sleeping party can be killed too; one that has ended or is dead cannot.",
    },
    {
      what: "4 deaths: a search finds where a kill strands a sleeper",
      check: () => {
        expectLoss(answer, withHeir(inTwoSteps), 1);
        expectStates(answer, withHeir(inTwoSteps), 62, 0);
        expectStates(answer, withHeir(sequence), 115, 1);
      },
      hint: "`movesOf` returns the kills. What does `search` do with one?",
    },
    {
      what: "4 deaths: as many as allowed, and no more",
      check: () => {
        expectStates(answer, twoHeirs(sequence), 155, 1);
        expectLoss(answer, twoHeirs(sequence), 2);
      },
      hint: "how many are dead already?",
    },
  ];
}

/** Takes steps of these parties. */
function after(game: Game, ...parties: readonly number[]): State {
  const state = firstState(game);
  for (const party of parties) step(game, state, party);
  return state;
}

function placesOf({ parties }: Game, { places }: State): string {
  return parties.map(({ name }, i) => `${name} is ${places[i]!.is}`).join(", ");
}

function textOf({ parties }: Game, moves: readonly Move[]): string {
  const texts = moves.map(({ party, kills }) => {
    const name = parties[party]?.name ?? `party ${party}`;
    return kills ? `kill ${name}` : `step of ${name}`;
  });
  return texts.length === 0 ? "no move" : texts.sort().join(", ");
}

function expectMoves(
  { movesOf }: Search,
  [game, state, deaths]: readonly [Game, State, number],
  expected: readonly Move[],
): void {
  const before = JSON.stringify(state);
  const moves = movesOf(game, state, deaths);
  expect(JSON.stringify(state) === before, "movesOf() changes the state. It should only look.");
  const [mine, right] = [textOf(game, moves), textOf(game, expected)];
  expect(
    mine === right,
    `${placesOf(game, state)}; ${deaths} may die.\nPossible: ${right}.\nYou return: ${mine}.`,
  );
}

const steps = (...parties: readonly number[]) => parties.map((party) => ({ party, kills: false }));
const kills = (...parties: readonly number[]) => parties.map((party) => ({ party, kills: true }));

function lookAtSteps(answer: Search): void {
  const game = withHeir(sequence);
  expectMoves(answer, [game, firstState(game), 0], steps(0, 1));
  expectMoves(answer, [game, after(game, 0, 0, 0, 0), 0], steps(1));
  expectMoves(answer, [game, after(game, 1, 1), 0], steps(0, 2));
  const alone = gameOf(waker("writer", sequence));
  expectMoves(answer, [alone, after(alone, 0, 0), 0], []);
}

function lookAtVerdicts({ isLost }: Search): void {
  const judge = (game: Game, state: State, expected: boolean) => {
    const said = isLost(game, state);
    expect(
      said === expected,
      `${placesOf(game, state)}. You say that this is ${said ? "" : "not "}lost.`,
    );
  };
  const game = withHeir(sequence);
  judge(game, firstState(game), false);
  judge(game, after(game, 0, 0, 0, 0), false);
  judge(game, after(game, 1, 1, 2, 2, 0), false); // nobody sleeps
  const silent = gameOf(sleeper("reader", sequence), waker("writer", { ...sequence, ring() {} }));
  judge(silent, after(silent, 0, 0, 0, 0, 1), true);
  const state = after(game, 0, 0, 0, 0);
  kill(state, 1);
  judge(game, state, false); // the heir can begin
  kill(state, 2);
  judge(game, state, true);
  kill(state, 0);
  judge(game, state, false);
}

function lookAtKills(answer: Search): void {
  const game = twoHeirs(sequence);
  expectMoves(answer, [game, firstState(game), 0], steps(0, 1));
  expectMoves(answer, [game, firstState(game), 1], [...steps(0, 1), ...kills(1, 2)]);
  const one = firstState(game);
  kill(one, 1);
  expectMoves(answer, [game, one, 1], steps(0, 2));
  expectMoves(answer, [game, one, 2], [...steps(0, 2), ...kills(2)]);
  expectMoves(answer, [game, after(game, 1, 1), 1], [...steps(0, 2), ...kills(2)]);
  const mortal = gameOf(sleeper("reader", sequence), waker("writer", sequence));
  const asleep = { ...mortal, parties: mortal.parties.map((each) => ({ ...each, mayDie: true })) };
  expectMoves(answer, [asleep, after(asleep, 0, 0, 0, 0), 2], [...steps(1), ...kills(0, 1)]);
}

/** The parties' code may run so often for each state. */
const RUNS_EACH = 40;

/** The same game, whose parties stop a search that runs them too often. */
function limited(game: Game, states: number): Game {
  let runs = 0;
  const parties = game.parties.map(({ code, ...rest }) => ({
    ...rest,
    code: (shared: Shared) => {
      if (++runs > RUNS_EACH * states + 1000) {
        throw new Wrong(
          "You have taken thousands of steps, many of them from states that you knew already.",
        );
      }
      return code(shared);
    },
  }));
  return { ...game, parties };
}

function expectStates({ search }: Search, game: Game, states: number, deaths = 0): void {
  const result = search(limited(game, states), deaths);
  const told = `${game.parties.map(({ name }) => name).join(", ")}; ${deaths} may die.`;
  if (result.lost !== undefined) {
    const events = eventsOf(game, result.lost);
    throw new Wrong(
      `${told}\nNo order of these loses a wake-up, but you return one.`,
      tracksOf(events, game.parties, { title: "Your moves", end: endOf(game, result.lost) }),
    );
  }
  expect(
    result.states === states,
    `${told}\nThere are ${states} different states. You have found ${result.states}.`,
  );
}

function expectLoss({ search }: Search, game: Game, deaths = 0): void {
  const { lost: shortest = [] } = explore(game.parties);
  const { lost } = search(limited(game, 2000), deaths);
  const told = `${game.parties.map(({ name }) => name).join(", ")}; ${deaths} may die.`;
  if (lost === undefined) {
    throw new Wrong(
      `${told}\nYou find nothing, but a wake-up can be lost.`,
      tracksOf(shortest, game.parties, {
        title: "The library's explorer finds this order",
        end: "Somebody sleeps, and nobody is left to wake anyone.",
      }),
    );
  }
  const events = eventsOf(game, lost);
  const picture = () =>
    tracksOf(events, game.parties, { title: "Your moves", end: endOf(game, lost) });
  expect(sleepersAfter(game, lost).length > 0, `${told}\nNobody is lost here.`, picture);
  expect(
    lost.length === shortest.length,
    `${told}\nYour way has ${lost.length} moves, and the shortest has ${shortest.length}.`,
    picture,
  );
}
