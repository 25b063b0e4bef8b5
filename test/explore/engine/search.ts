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
import { atOnce, type Paced, paced, pause } from "./pace.ts";
import { replaying } from "./replay.ts";
import { type Guide, type Position, Run } from "./run.ts";
import type { Bounds, Conventions, Scenario } from "./scenario.ts";
import { SeenStates } from "./seen.ts";
import { decode, encode } from "./token.ts";

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
  /** Looks for the shortest run that goes wrong, if there is one. */
  readonly shortest?: boolean | undefined;
  /** Takes no more than so many steps in a run. */
  readonly longest?: number | undefined;
  /** Enters states again that were entered before; a test shows that this changes nothing. */
  readonly again?: boolean | undefined;
  /** Called now and then. */
  readonly progress?: ((report: Report) => void) | undefined;
}

/** Longer runs are not shortened. */
const MOST_STEPS = 250;

/** The search looks at the clock once in so many steps. */
const STEPS_BETWEEN_LOOKS = 256;

/** Explores a scenario: every run within the bounds, or random runs. */
export function explore(scenario: Scenario, options: SearchOptions = {}): Promise<Report> {
  return paced(searching(scenario, options));
}

/** Explores a scenario whose actors are all synchronous, and returns when it has. */
export function exploreSync(scenario: Scenario, options: SearchOptions = {}): Report {
  return atOnce(searching(scenario, options), `the search of ${scenario.name}`);
}

/** The steps of a search. With `shortest`, it goes on until no shorter run goes wrong. */
function* searching(scenario: Scenario, options: SearchOptions): Paced<Report> {
  let search = new Search(scenario, options);
  yield* search.run();
  const { report } = search;
  while (options.shortest && search.report.finding !== undefined) {
    report.finding = search.report.finding;
    const longest = decode(report.finding.token).codes.length - 1;
    if (longest >= MOST_STEPS) break;
    const leftMs = (options.budgetMs ?? Infinity) - report.milliseconds;
    search = new Search(scenario, { ...options, longest, budgetMs: leftMs });
    yield* search.run();
    report.states += search.report.states;
    report.milliseconds += search.report.milliseconds;
  }
  return report;
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

  *run(): Paced<void> {
    this.#start = this.#lastProgress = performance.now();
    if (this.#options.seed !== undefined) yield* this.#randomRuns(this.#options.seed);
    else this.report.exhausted = yield* this.#allRuns();
    this.#isOver();
  }

  *#begin(bounds: Bounds): Paced<Run> {
    const run = new Run(this.#scenario, bounds, { conventions: this.#options.conventions });
    yield* pause(run.begin());
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
  *#allRuns(): Paced<boolean> {
    const run = yield* this.#begin(this.#bounds);
    const stack: Frame[] = [];
    const guide: Guide = {
      next: () => this.#enter(run, stack),
      wasEntered: () => this.#wasEntered(run, stack.length),
    };
    let next = guide.next();
    for (;;) {
      const following = run.follow(next, guide);
      if (following !== undefined) yield following;
      if (this.report.finding !== undefined) {
        yield* this.#trace();
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
    if (this.#wasSeen(run, stack.length)) return undefined;
    const steps = () => stack.map(({ choices, taken }) => choices[taken - 1]!.code);
    if (this.#hasEnded(run, choices, stack.length, steps)) return undefined;
    if (stack.length === this.#options.longest) return undefined;
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
  #wasSeen(run: Run, steps: number): boolean {
    if (this.#options.again) return false;
    return !this.#seen.enter(...this.#keyOf(run, steps));
  }

  /** Whether a state was entered before; does not enter it. */
  #wasEntered(run: Run, steps: number): boolean {
    if (this.#options.again) return false;
    return this.#seen.has(...this.#keyOf(run, steps));
  }

  /** Returns the key of the state, and what the more of is the better: preemptions, or steps. */
  #keyOf(run: Run, steps: number): readonly [a: number, b: number, left: number] {
    const { longest } = this.#options;
    const [a, b] = run.key();
    const { preemptionsLeft } = run;
    if (longest === undefined) return [a, b, preemptionsLeft];
    return [mix(a, preemptionsLeft, 0, 0, 1), mix(b, preemptionsLeft, 0, 0, 2), longest - steps];
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
  *#trace(): Paced<void> {
    const finding = this.report.finding!;
    const { conventions } = this.#options;
    let trace: readonly string[];
    try {
      ({ trace } = yield* replaying(this.#scenario, finding.token, { conventions }));
    } catch (error) {
      trace = [`${error}`]; // the code does something else each time
    }
    this.report.finding = { ...finding, trace };
  }

  // ---- random runs ----

  *#randomRuns(seed: number): Paced<void> {
    const random = generator(seed);
    const bounds = { ...this.#bounds, preemptions: Infinity };
    while (!this.#isOver()) {
      const run = yield* this.#begin(bounds);
      const haste = 2 ** -Math.ceil(5 * random()); // the probability of a preemption
      const steps: string[] = [];
      const next = () => {
        const choices = run.choices();
        if (this.#hasEnded(run, choices, steps.length, () => steps)) return undefined;
        const transition = pick(choices, run.goesOn, haste, random);
        steps.push(transition.code);
        return this.#count(transition);
      };
      yield* pause(run.follow(next(), { next }));
      if (this.report.finding !== undefined) return yield* this.#trace();
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
