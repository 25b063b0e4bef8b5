/**
 * The search through every interleaving: depth first, stepping the simulated machine forward and
 * taking back what was done, within bounds on preemptions, deaths and noise.
 *
 * A state that was entered before is not entered again. This is what removes interleavings that
 * differ only in the order of operations that cannot affect each other: they meet in the same state.
 *
 * @module
 */

import { type Position, type Problem, Run, type Transition } from "./run.ts";
import type { Bounds, Conventions, Scenario } from "./scenario.ts";
import { SeenStates } from "./seen.ts";
import { decode, encode } from "./token.ts";
import { mix } from "./world.ts";

/** A run that went wrong. */
export interface Finding extends Problem {
  /** Replays exactly this run. */
  readonly token: string;
  /** Who did what, in order. */
  readonly trace: readonly string[];
}

/** What a search has done. */
export interface Report {
  /** Runs that came to their end. */
  schedules: number;
  states: number;
  steps: number;
  deaths: number;
  /** The steps of the longest run. */
  longest: number;
  /** Roughly how much of everything is done, from 0 to 1. */
  done: number;
  /** Whether everything within the bounds was seen. */
  exhausted: boolean;
  milliseconds: number;
  finding: Finding | undefined;
}

/** When to stop, and whom to tell. */
export interface SearchOptions {
  readonly bounds?: Partial<Bounds> | undefined;
  readonly conventions?: Conventions | undefined;
  readonly budgetMs?: number | undefined;
  /** Random runs from this seed, in place of all runs. */
  readonly seed?: number | undefined;
  /** Stop after this many runs. */
  readonly schedules?: number | undefined;
  /** Enter states again that were entered before: to test that this changes nothing. */
  readonly again?: boolean | undefined;
  readonly progress?: ((report: Report) => void) | undefined;
}

/** A run that takes more steps than this does not end. */
const LONGEST = 1500;

/** Whether to stop is asked once in so many steps. */
const STEPS_BETWEEN_LOOKS = 256;

/** Explores a scenario. */
export async function explore(scenario: Scenario, options: SearchOptions = {}): Promise<Report> {
  const search = new Search(scenario, options);
  await search.run();
  return search.report;
}

/** How a run of a token went. */
export interface Replayed {
  readonly problem: Problem | undefined;
  readonly trace: readonly string[];
}

/** Runs exactly the run of a token. */
export async function replay(
  scenario: Scenario,
  token: string,
  conventions?: Conventions,
): Promise<Replayed> {
  const trace: string[] = [];
  const run = new Run(
    scenario,
    { preemptions: 1000, deaths: 1000, noise: 1000 },
    conventions,
    trace,
  );
  await run.begin();
  const codes = decode(token);
  let step = 0;
  const choose = () => {
    const code = codes[step++];
    if (code === undefined) return undefined;
    const transition = run.choices().find((candidate) => candidate.code === code);
    if (transition !== undefined) return transition;
    throw new Error(`This token does not fit the scenario: "${code}" is not possible here`);
  };
  await run.follow(choose(), choose);
  run.endBounds();
  const ended = endOf(run, run.choices(), codes.length);
  return { problem: ended === "well" ? undefined : ended, trace };
}

/** "well" or what is wrong if a run can end here, as nobody need die; undefined if it goes on. */
function endOf(
  run: Run,
  choices: readonly Transition[],
  length: number,
): Problem | "well" | undefined {
  const failure = run.failure();
  if (failure !== undefined) return failure;
  if (choices.every(isKill)) return run.verdict() ?? "well";
  if (length < LONGEST) return undefined;
  return { kind: "hang", message: `the run does not end within ${LONGEST} steps` };
}

/** A state on the way to the present one. */
interface Frame {
  readonly choices: readonly Transition[];
  readonly position: Position;
  /** How many of the choices have been taken. */
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
    const run = new Run(this.#scenario, bounds, this.#options.conventions);
    await run.begin();
    return run;
  }

  /** Whether the budget is spent; tells of progress. */
  #isOver(): boolean {
    const { budgetMs = Infinity, schedules = Infinity, progress } = this.#options;
    const time = performance.now();
    this.report.milliseconds = time - this.#start;
    this.report.states = this.#seen.size;
    if (progress !== undefined && time - this.#lastProgress > 200) {
      this.#lastProgress = time;
      progress(this.report);
    }
    return this.report.milliseconds > budgetMs || this.report.schedules >= schedules;
  }

  // ---- all runs ----

  /** Whether all were seen. */
  async #allRuns(): Promise<boolean> {
    const run = await this.#begin(this.#bounds);
    const stack: Frame[] = [];
    const deeper = () => this.#enter(run, stack);
    const entered = () => this.#wasEntered(run);
    let next = deeper();
    for (;;) {
      await run.follow(next, deeper, entered);
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

  /** In a new state: what to do first, or nothing if all that follows is known or there is nothing. */
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

  #wasSeen(run: Run): boolean {
    if (this.#options.again) return false;
    const [a, b] = run.key();
    return !this.#seen.enter(a, b, run.preemptionsLeft);
  }

  /** The same of a state that is not to be entered if it was not. */
  #wasEntered(run: Run): boolean {
    if (this.#options.again) return false;
    const [a, b] = run.key();
    return this.#seen.has(a, b, run.preemptionsLeft);
  }

  /** Whether the run is over; notes what is wrong with it. */
  #hasEnded(
    run: Run,
    choices: readonly Transition[],
    length: number,
    steps: () => readonly string[],
  ): boolean {
    const ended = endOf(run, choices, length);
    if (ended === undefined) return false;
    this.report.schedules++;
    this.report.longest = Math.max(this.report.longest, length);
    if (ended === "well") return choices.length === 0;
    this.report.finding = { ...ended, token: encode(steps()), trace: [] };
    return true;
  }

  /** Replays the finding to tell how it came about. */
  async #trace(): Promise<void> {
    const finding = this.report.finding!;
    const trace = await replay(this.#scenario, finding.token, this.#options.conventions).then(
      ({ trace }) => trace,
      (error) => [`${error}`], // of code that does something else each time
    );
    this.report.finding = { ...finding, trace };
  }

  // ---- random runs ----

  async #randomRuns(seed: number): Promise<void> {
    const random = generator(seed);
    const bounds = { ...this.#bounds, preemptions: Infinity };
    while (!this.#isOver()) {
      const run = await this.#begin(bounds);
      const haste = 2 ** -Math.ceil(5 * random()); // how likely the thread is to be switched
      const steps: string[] = [];
      const choose = () => {
        const choices = run.choices();
        if (this.#hasEnded(run, choices, steps.length, () => steps)) return undefined;
        const transition = pick(choices, run.goesOn, haste, random);
        steps.push(transition.code);
        return this.#count(transition);
      };
      await run.follow(choose(), choose);
      if (this.report.finding !== undefined) return await this.#trace();
    }
  }
}

function isKill({ kind }: Transition): boolean {
  return kind === "kill";
}

function hasMore({ choices, taken }: Frame): boolean {
  return taken < choices.length;
}

const RARE: readonly Transition["kind"][] = ["kill", "spurious", "early"];

/** Goes on with the same thread, or else with any; deaths and noise are rare. */
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

/** How much of the tree of choices is behind the search. */
function doneOf(stack: readonly Frame[]): number {
  let done = 0;
  let share = 1;
  for (const { taken, choices } of stack.slice(0, 30)) {
    done += share * (taken - 1) / choices.length;
    share /= choices.length;
  }
  return done;
}

/** Random numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    return (mix(state, 1, 2, 3, 0x9e3779b1) >>> 0) / 2 ** 32;
  };
}
