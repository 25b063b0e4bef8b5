/**
 * Times of several rounds, and a verdict only where the spreads do not touch: one round says nothing
 * on a machine where other programs run.
 *
 * @module
 */

import { tablePicture } from "./stage/pictures.ts";
import type { Option, TablePicture } from "./stage/story.ts";

/** A spread of fewer rounds says nothing. */
const LEAST_ROUNDS = 8;

/** What most rounds took: without the fastest tenth and the slowest tenth. */
export interface Spread {
  readonly name: string;
  readonly least: number;
  readonly median: number;
  readonly most: number;
  readonly rounds: number;
}

/** Returns the spread of some times. */
export function spreadOf(name: string, times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const left = Math.floor(sorted.length / 10);
  return {
    name,
    least: sorted[left] ?? NaN,
    median: sorted[sorted.length >> 1] ?? NaN,
    most: sorted.at(-1 - left) ?? NaN,
    rounds: sorted.length,
  };
}

/** Measures in turn, because the speed of a machine changes; returns a spread for each. */
export function measureInTurn(
  works: Readonly<Record<string, () => number>>,
  rounds: number,
): Spread[] {
  const times = Object.entries(works).map(([name, work]) => ({ name, work, all: [] as number[] }));
  for (const { work } of times) work(); // the first round compiles
  for (let round = 0; round < rounds; round++) for (const { work, all } of times) all.push(work());
  return times.map(({ name, all }) => spreadOf(name, all));
}

/** The one whose spread lies below the other's; undefined if they touch, or are none. */
export function fasterOf(one: Spread, other: Spread): Spread | undefined {
  if (Math.min(one.rounds, other.rounds) < LEAST_ROUNDS) return undefined;
  if (one.most < other.least) return one;
  if (other.most < one.least) return other;
  return undefined;
}

/** Says which is faster and how much, or that this run does not show it. */
export function verdictOf(one: Spread, other: Spread): string {
  const faster = fasterOf(one, other);
  if (Math.min(one.rounds, other.rounds) < LEAST_ROUNDS) {
    return "Too few rounds count, so this run shows nothing.";
  }
  if (faster === undefined) return "The spreads touch, so this run shows no difference.";
  const slower = faster === one ? other : one;
  const times = (slower.median / faster.median).toFixed(1);
  return `The spreads do not touch. Slower: ${slower.name}, by a factor of ${times}.`;
}

/** Shows spreads, a row for each. */
export function spreadPicture(
  id: string,
  spreads: readonly Spread[],
  unit: string,
): TablePicture {
  const digits = (time: number) =>
    Number.isNaN(time) ? "-" : time >= 100 ? time.toFixed(0) : time.toPrecision(2);
  const rounds = Math.max(...spreads.map((spread) => spread.rounds));
  return tablePicture(id, `${unit}; ${rounds} rounds each, on this computer, now`, [
    ["", "median", "8 of 10 rounds"],
    ...spreads.map(({ name, median, least, most }) => [
      name,
      digits(median),
      `${digits(least)} to ${digits(most)}`,
    ]),
  ]);
}

/** An answer to a prediction about two spreads: what to say if it is right, and if it is not. */
export interface Guess {
  readonly text: string;
  readonly right: string;
  readonly wrong: string;
}

/**
 * Answers to a prediction: the first of two is faster, neither is, or the second. The spreads decide
 * which is right once they are measured; until then, it is neither.
 */
export function guesses(
  spreads: () => readonly Spread[],
  [first, neither, second]: readonly [first: Guess, neither: Guess, second: Guess],
): Option[] {
  const option = (guess: Guess, index: number): Option => {
    const isRight = () => {
      const [one, other] = spreads();
      const faster = one === undefined ? undefined : fasterOf(one, other!);
      if (index === 1 || faster === undefined) return index === 1 && faster === undefined;
      return faster === spreads()[index / 2];
    };
    return {
      text: guess.text,
      get right() {
        return isRight();
      },
      get because() {
        return isRight() ? guess.right : guess.wrong;
      },
    };
  };
  return [first, neither, second].map(option);
}
