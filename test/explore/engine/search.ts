/**
 * The search through every interleaving: depth first, stepping the simulated machine forward and
 * back, within bounds on preemptions, deaths and noise.
 *
 * The search enters no state twice. So it skips interleavings that differ only in the order of
 * operations that cannot affect each other: they meet in the same state.
 *
 * @module
 */

import type { Problem, Transition } from "./actors.ts";
import { mix } from "./hash.ts";
import { replay } from "./replay.ts";
import { type Guide, type Position, Run } from "./run.ts";
import type { Bounds, Conventions, Scenario } from "./scenario.ts";
import { SeenStates } from "./seen.ts";
import { encode } from "./token.ts";

/** A run that went wrong. */
export interface Finding extends Problem {
  /** Replays exactly this run. */
  readonly token: string;
  /** The steps in words, in order. */
  readonly trace: readonly string[];
}

/** The progress of a search, or its result. */
export interface Report {
  /** The number of runs that came to their end. */
  schedules: number;
  states: number;
  steps: number;
  deaths: number;
  /** The number of steps of the longest run. */
  longest: number;
  /** An estimate of the part of the search that is done, from 0 to 1. */
  done: number;
  /** Whether the search saw every run within the bounds. */
  exhausted: boolean;
  milliseconds: number;
  finding: Finding | undefined;
}

/** The options of a search. */
export interface SearchOptions {
  readonly bounds?: Partial<Bounds> | undefined;
  readonly conventions?: Conventions | undefined;
  readonly budgetMs?: number | undefined;
  /** Takes random runs from this seed instead of all runs. */
  readonly seed?: number | undefined;
  /** Stops after this many runs. */
  readonly schedules?: number | undefined;
  /** Stops after entering this many states. */
  readonly states?: number | undefined;
  /** Enters states again that were entered before; a test shows that this changes nothing. */
  readonly again?: boolean | undefined;
  /** Called now and then. */
  readonly progress?: ((report: Report) => void) | undefined;
}

/** The search looks at the clock once in so many steps. */
const STEPS_BETWEEN_LOOKS = 256;

/** Explores a scenario: every run within the bounds, or random runs. */
export async function explore(scenario: Scenario, options: SearchOptions = {}): Promise<Report> {
  const search = new Search(scenario, options);
  await search.run();
  return search.report;
}

/** A state on the way to the present one. */
interface Frame {
  readonly choices: readonly Transition[];
  readonly position: Position;
  /** The number of choices that have been taken. */
  taken: number;
}

class Search {
  readonly report: Report = {
    schedules: 0,
    states: 0,
    steps: 0,
    deaths: 0,
    longest: 0,
    done: 0,
    exhausted: false,
    milliseconds: 0,
    finding: undefined,
  };
  readonly #scenario: Scenario;
  readonly #options: SearchOptions;
  readonly #bounds: Bounds;
  readonly #seen = new SeenStates();
  #start = 0;
  #nextLook = STEPS_BETWEEN_LOOKS;
  #lastProgress = 0;

  constructor(scenario: Scenario, options: SearchOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#bounds = { ...scenario.bounds, ...options.bounds };
  }

  async run(): Promise<void> {
    this.#start = this.#lastProgress = performance.now();
    if (this.#options.seed !== undefined) await this.#randomRuns(this.#options.seed);
    else this.report.exhausted = await this.#allRuns();
    this.#isOver();
  }

  async #begin(bounds: Bounds): Promise<Run> {
    const run = new Run(this.#scenario, bounds, { conventions: this.#options.conventions });
    await run.begin();
    return run;
  }

  /** Whether the budget is spent; reports progress. */
  #isOver(): boolean {
    const { budgetMs = Infinity, schedules = Infinity, states = Infinity, progress } =
      this.#options;
    const time = performance.now();
    this.report.milliseconds = time - this.#start;
    this.report.states = this.#seen.size;
    if (progress !== undefined && time - this.#lastProgress > 200) {
      this.#lastProgress = time;
      progress(this.report);
    }
    return this.report.milliseconds > budgetMs || this.report.schedules >= schedules ||
      this.report.states >= states;
  }

  // ---- all runs ----

  /** Returns whether the search saw all runs. */
  async #allRuns(): Promise<boolean> {
    const run = await this.#begin(this.#bounds);
    const stack: Frame[] = [];
    const guide: Guide = {
      next: () => this.#enter(run, stack),
      wasEntered: () => this.#wasEntered(run),
    };
    let next = guide.next();
    for (;;) {
      await run.follow(next, guide);
      if (this.report.finding !== undefined) {
        await this.#trace();
        return false;
      }
      while (stack.length > 0 && !hasMore(stack[stack.length - 1]!)) stack.pop();
      const frame = stack[stack.length - 1];
      if (frame === undefined) return true;
      if (this.#isTimeToLook()) {
        this.report.done = doneOf(stack);
        if (this.#isOver()) return false;
      }
      run.goBack(frame.position);
      next = this.#count(frame.choices[frame.taken++]!);
    }
  }

  /** Enters a state, and returns its first step; undefined if it is known or the run has ended. */
  #enter(run: Run, stack: Frame[]): Transition | undefined {
    const choices = run.choices();
    if (this.#wasSeen(run)) return undefined;
    const steps = () => stack.map(({ choices, taken }) => choices[taken - 1]!.code);
    if (this.#hasEnded(run, choices, stack.length, steps)) return undefined;
    stack.push({ choices, position: run.position(), taken: 1 });
    return this.#count(choices[0]!);
  }

  #count(transition: Transition): Transition {
    this.report.steps++;
    if (transition.kind === "kill") this.report.deaths++;
    return transition;
  }

  #isTimeToLook(): boolean {
    if (this.report.steps < this.#nextLook) return false;
    this.#nextLook = this.report.steps + STEPS_BETWEEN_LOOKS;
    return true;
  }

  /** Enters a state, and returns whether that is of no use. */
  #wasSeen(run: Run): boolean {
    if (this.#options.again) return false;
    const [a, b] = run.key();
    return !this.#seen.enter(a, b, run.preemptionsLeft);
  }

  /** Whether a state was entered before; does not enter it. */
  #wasEntered(run: Run): boolean {
    if (this.#options.again) return false;
    const [a, b] = run.key();
    return this.#seen.has(a, b, run.preemptionsLeft);
  }

  /** Whether the run is over; reports what is wrong with it. */
  #hasEnded(
    run: Run,
    choices: readonly Transition[],
    length: number,
    steps: () => readonly string[],
  ): boolean {
    const ended = run.ended(choices, length);
    if (ended === undefined) return false;
    this.report.schedules++;
    this.report.longest = Math.max(this.report.longest, length);
    if (ended === "well") return choices.length === 0;
    this.report.finding = { ...ended, token: encode(steps(), run.isWeak), trace: [] };
    return true;
  }

  /** Replays the finding, for its trace. */
  async #trace(): Promise<void> {
    const finding = this.report.finding!;
    const { conventions } = this.#options;
    const trace = await replay(this.#scenario, finding.token, { conventions }).then(
      ({ trace }) => trace,
      (error) => [`${error}`], // the code does something else each time
    );
    this.report.finding = { ...finding, trace };
  }

  // ---- random runs ----

  async #randomRuns(seed: number): Promise<void> {
    const random = generator(seed);
    const bounds = { ...this.#bounds, preemptions: Infinity };
    while (!this.#isOver()) {
      const run = await this.#begin(bounds);
      const haste = 2 ** -Math.ceil(5 * random()); // the probability of a preemption
      const steps: string[] = [];
      const next = () => {
        const choices = run.choices();
        if (this.#hasEnded(run, choices, steps.length, () => steps)) return undefined;
        const transition = pick(choices, run.goesOn, haste, random);
        steps.push(transition.code);
        return this.#count(transition);
      };
      await run.follow(next(), { next });
      if (this.report.finding !== undefined) return await this.#trace();
    }
  }
}

function hasMore({ choices, taken }: Frame): boolean {
  return taken < choices.length;
}

const RARE: readonly Transition["kind"][] = ["kill", "spurious", "early"];

/** Picks the thread that acted last, or any other; deaths and noise are rare. */
function pick(
  choices: readonly Transition[],
  goesOn: boolean,
  haste: number,
  random: () => number,
): Transition {
  const any = (candidates: readonly Transition[]) =>
    candidates[Math.floor(random() * candidates.length)]!;
  const rare = choices.filter(({ kind }) => RARE.includes(kind));
  if (rare.length === choices.length || rare.length > 0 && random() < 1 / 32) return any(rare);
  if (goesOn && random() > haste) return choices[0]!;
  return any(choices.filter((transition) => !rare.includes(transition)));
}

/** Estimates how much of the tree of choices is behind the search. */
function doneOf(stack: readonly Frame[]): number {
  let done = 0;
  let share = 1;
  for (const { taken, choices } of stack.slice(0, 30)) {
    done += share * (taken - 1) / choices.length;
    share /= choices.length;
  }
  return done;
}

/** Returns random numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    return (mix(state, 1, 2, 3, 0x9e3779b1) >>> 0) / 2 ** 32;
  };
}
