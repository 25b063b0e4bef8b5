/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import {
  canStep,
  copyOf,
  firstState,
  type Game,
  kill,
  type Move,
  type Result,
  type Search,
  type State,
  step,
} from "./check.ts";

/** How a search differs from one that is right. */
interface Choice {
  /** How it remembers a state. */
  readonly key?: (state: State) => string;
  /** How it makes a state to change. */
  readonly copy?: (state: State) => State;
  /** Which of the states that are left it takes. */
  readonly take?: <T>(left: T[]) => T;
  /** Which moves it takes. */
  readonly moves?: (moves: readonly Move[]) => readonly Move[];
  /** What it does with a kill. */
  readonly die?: (game: Game, state: State, party: number) => void;
}

function movesOf(game: Game, state: State, deaths: number): Move[] {
  const dead = state.places.filter(({ is }) => is === "dead").length;
  return game.parties.flatMap(({ mayDie }, party) => {
    const isAlive = /awake|asleep/.test(state.places[party]!.is);
    return [
      ...canStep(game, state, party) ? [{ party, kills: false }] : [],
      ...mayDie && isAlive && dead < deaths ? [{ party, kills: true }] : [],
    ];
  });
}

function isLost(game: Game, { places, words }: State): boolean {
  if (places.some((_, party) => canStep(game, { places, words }, party))) return false;
  return places.some(({ is }) => is === "asleep");
}

function searching(choice: Choice = {}): Search["search"] {
  const { key = JSON.stringify, copy = copyOf, take = (left) => left.shift()! } = choice;
  const { moves = (all) => all, die = (_, state, party) => kill(state, party) } = choice;
  return (game, deaths): Result => {
    const seen = new Set<string>();
    const left = [{ state: firstState(game), path: [] as Move[] }];
    while (left.length > 0) {
      const { state, path } = take(left);
      if (seen.has(key(state))) continue;
      seen.add(key(state));
      if (isLost(game, state)) return { states: seen.size, lost: path };
      for (const move of moves(movesOf(game, state, deaths))) {
        const next = copy(state);
        if (move.kills) die(game, next, move.party);
        else if (canStep(game, next, move.party)) step(game, next, move.party);
        left.push({ state: next, path: [...path, move] });
      }
    }
    return { states: seen.size };
  };
}

const right: Search = { movesOf, isLost, search: searching() };

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Search>[] {
  return [
    {
      mistake: "lets one party run to its end first",
      answer: { ...right, movesOf: (...args) => movesOf(...args).slice(0, 1) },
      fails: "1 choices",
    },
    {
      mistake: "lets a party begin before its turn",
      answer: {
        ...right,
        movesOf: (game, { places }) =>
          game.parties.flatMap((_, party) =>
            places[party]!.is === "awake" ? [{ party, kills: false }] : []
          ),
      },
      fails: "1 choices",
    },
    {
      mistake: "calls any sleep lost",
      answer: { ...right, isLost: (_, { places }) => places.some(({ is }) => is === "asleep") },
      fails: "2 a verdict",
    },
    {
      mistake: "calls every end lost",
      answer: {
        ...right,
        isLost: (game, state) => !state.places.some((_, party) => canStep(game, state, party)),
      },
      fails: "2 a verdict",
    },
    {
      mistake: "does not restore the state",
      answer: { ...right, search: searching({ copy: (state) => state }) },
      fails: "3 a search: every order",
    },
    {
      mistake: "copies the words, and not the places",
      answer: {
        ...right,
        search: searching({ copy: ({ words, places }) => ({ words: { ...words }, places }) }),
      },
      fails: "3 a search: every order",
    },
    {
      mistake: "remembers the words alone",
      answer: { ...right, search: searching({ key: ({ words }) => JSON.stringify(words) }) },
      fails: "3 a search: one party",
    },
    {
      mistake: "forgets who sleeps",
      answer: {
        ...right,
        search: searching({
          key: ({ words, places }) => JSON.stringify([words, places.map(({ log }) => log)]),
        }),
      },
      fails: "3 a search: every order",
    },
    {
      mistake: "goes deep first",
      answer: { ...right, search: searching({ take: (left) => left.pop()! }) },
      fails: "3 a search: the flag's",
    },
    {
      mistake: "stops at the first end",
      answer: { ...right, search: searching({ moves: (all) => all.slice(-1) }) },
      fails: "3 a search: every order",
    },
    {
      mistake: "goes on from states that it has seen",
      answer: {
        ...right,
        search: (game, deaths) => {
          const seen = new Set<string>();
          let number = 0;
          const key = (state: State) => {
            seen.add(JSON.stringify(state));
            return `${number++}`;
          };
          return { ...searching({ key })(game, deaths), states: seen.size };
        },
      },
      fails: "3 a search: three parties",
    },
    {
      mistake: "forgets deaths",
      answer: { ...right, movesOf: (game, state) => movesOf(game, state, 0) },
      fails: "4 deaths: each party",
    },
    {
      mistake: "kills whom it likes, as often as it likes",
      answer: { ...right, movesOf: (game, state, deaths) => movesOf(game, state, deaths && 9) },
      fails: "4 deaths: each party",
    },
    {
      mistake: "takes a kill for a step",
      answer: {
        ...right,
        search: searching({
          die: (game, state, party) => {
            if (canStep(game, state, party)) step(game, state, party);
          },
        }),
      },
      fails: "4 deaths: a search",
    },
    {
      mistake: "allows one death, however many are allowed",
      answer: {
        ...right,
        search: (game, deaths) => searching()(game, Math.min(1, deaths)),
      },
      fails: "4 deaths: as many",
    },
  ];
}
