/**
 * Replays one run from its token.
 *
 * @module
 */

import type { Event, Problem } from "./actors.ts";
import { type Paced, paced, pause } from "./pace.ts";
import { Run } from "./run.ts";
import type { Conventions, Scenario } from "./scenario.ts";
import { decode } from "./token.ts";

/** The bounds of a replay: a token decides everything. */
const ENOUGH = 1000;
const UNBOUNDED = { preemptions: ENOUGH, deaths: ENOUGH, noise: ENOUGH };

/** A run that was replayed. */
export interface Replayed {
  readonly problem: Problem | undefined;
  /** The steps in words, in order. */
  readonly trace: readonly string[];
}

/** The options of a replay. */
export interface ReplayOptions {
  readonly conventions?: Conventions | undefined;
}

/** Runs exactly the run of a token. */
export function replay(
  scenario: Scenario,
  token: string,
  options?: ReplayOptions,
): Promise<Replayed> {
  return paced(replaying(scenario, token, options));
}

/** The steps of a replay. */
export function* replaying(
  scenario: Scenario,
  token: string,
  { conventions }: ReplayOptions = {},
): Paced<Replayed> {
  const width = Math.max(...Object.keys(scenario.actors).map((name) => name.length));
  const trace: string[] = [];
  const observe = ({ actor = "", what }: Event) => {
    trace.push(`${actor.padEnd(width)}  ${what}`);
  };
  const { codes, isWeak } = decode(token);
  const bounds = { ...UNBOUNDED, reorderings: isWeak ? ENOUGH : 0 };
  const run = new Run(scenario, bounds, { conventions, observe, anyMayDie: true });
  yield* pause(run.begin());
  let step = 0;
  const next = () => {
    const code = codes[step++];
    if (code === undefined) return undefined;
    const transition = run.choices().find((candidate) => candidate.code === code);
    if (transition !== undefined) return transition;
    throw new Error(`This token does not fit the scenario: "${code}" is not possible here`);
  };
  yield* pause(run.follow(next(), { next }));
  const ended = run.endedWithinBounds(codes.length);
  return { problem: ended === "well" ? undefined : ended, trace };
}
