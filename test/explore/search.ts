/**
 * The search through every interleaving: depth first, stepping the simulated machine forward and
 * taking back what was done, within bounds on preemptions, deaths and noise.
 *
 * A state that was entered before is not entered again. This is what removes interleavings that
 * differ only in the order of operations that cannot affect each other: they meet in the same state.
 *
 * @module
 */

import { type Choices, type Position, type Problem, Run, type Transition } from "./run.ts";
import type { Bounds, Scenario } from "./scenario.ts";
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
const LONGEST = 3000;

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
export async function replay(scenario: Scenario, token: string): Promise<Replayed> {
  const trace: string[] = [];
  const run = new Run(scenario, { preemptions: 1000, deaths: 1000, noise: 1000 }, trace);
  await run.begin();
  const codes = decode(token);
  for (const code of codes) {
    const { transitions, goesOn } = run.choices();
    const transition = transitions.find((candidate) => candidate.code === code);
    if (transition === undefined) {
      throw new Error(`This token does not fit the scenario: "${code}" is not possible here`);
    }
    const running = run.take(transition, goesOn);
    if (running !== undefined) await running;
  }
  run.endBounds();
  const ended = endOf(run, run.choices(), codes.length);
  return { problem: ended === "well" ? undefined : ended, trace };
}

/** "well" or what is wrong if this is the end of a run; undefined if it goes on. */
function endOf(run: Run, { transitions }: Choices, length: number): Problem | "well" | undefined {
  const failure = run.failure();
  if (failure !== undefined) return failure;
  if (transitions.length === 0) return run.verdict() ?? "well";
  if (length < LONGEST) return undefined;
  return { kind: "hang", message: `the run does not end within ${LONGEST} steps` };
}

/** A state on the way to the present one. */
interface Frame {
  readonly choices: Choices;
  readonly position: Position;
  /** The code of the step that led here. */
  readonly by: string;
  next: number;
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
  readonly #run: Run;
  readonly #seen = new SeenStates();
  #start = 0;
  #lastProgress = 0;

  constructor(scenario: Scenario, options: SearchOptions) {
    this.#scenario = scenario;
    this.#options = options;
    const bounds = { ...scenario.bounds, ...options.bounds };
    if (options.seed !== undefined) bounds.preemptions = Infinity;
    this.#run = new Run(scenario, bounds);
  }

  async run(): Promise<void> {
    this.#start = this.#lastProgress = performance.now();
    if (this.#options.seed !== undefined) await this.#randomRuns(this.#options.seed);
    else this.report.exhausted = await this.#allRuns();
    this.#isOver();
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
    await this.#run.begin();
    const stack: Frame[] = [this.#frame(this.#run.choices(), "")];
    let moved = false; // whether the machine has left the state of the top frame
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      if (moved) this.#run.goBack(frame.position);
      moved = true;
      const transition = frame.choices.transitions[frame.next++];
      if (transition === undefined) {
        stack.pop();
        continue;
      }
      const running = this.#take(transition, frame.choices.goesOn);
      if (running !== undefined) await running;
      if (this.report.steps % STEPS_BETWEEN_LOOKS === 0) {
        this.report.done = doneOf(stack);
        if (this.#isOver()) return false;
      }
      const choices = this.#run.choices();
      if (this.#wasSeen(choices)) continue;
      const ended = this.#endOf(choices, stack.length);
      if (ended === "well") continue;
      if (ended !== undefined) {
        await this.#found(ended, [...stack.slice(1).map(({ by }) => by), transition.code]);
        return false;
      }
      stack.push(this.#frame(choices, transition.code));
      moved = false;
    }
    return true;
  }

  #frame(choices: Choices, by: string): Frame {
    return { choices, position: this.#run.position(), by, next: 0 };
  }

  #take(transition: Transition, goesOn: boolean): void | Promise<void> {
    this.report.steps++;
    if (transition.kind === "kill") this.report.deaths++;
    return this.#run.take(transition, goesOn);
  }

  #wasSeen({ goesOn }: Choices): boolean {
    if (this.#options.again) return false;
    const [a, b] = this.#run.key(goesOn);
    return !this.#seen.enter(a, b, this.#run.preemptionsLeft);
  }

  #endOf(choices: Choices, length: number): Problem | "well" | undefined {
    const ended = endOf(this.#run, choices, length);
    if (ended !== undefined) {
      this.report.schedules++;
      this.report.longest = Math.max(this.report.longest, length);
    }
    return ended;
  }

  async #found(problem: Problem, codes: readonly string[]): Promise<void> {
    const token = encode(codes);
    const { trace } = await replay(this.#scenario, token);
    this.report.finding = { ...problem, token, trace };
  }

  // ---- random runs ----

  async #randomRuns(seed: number): Promise<void> {
    const random = generator(seed);
    while (!this.#isOver()) {
      await this.#run.begin();
      const haste = 2 ** -Math.ceil(5 * random()); // how likely the thread is to be switched
      const codes: string[] = [];
      for (;;) {
        const choices = this.#run.choices();
        const ended = this.#endOf(choices, codes.length);
        if (ended === "well") break;
        if (ended !== undefined) return await this.#found(ended, codes);
        const transition = pick(choices, haste, random);
        codes.push(transition.code);
        const running = this.#take(transition, choices.goesOn);
        if (running !== undefined) await running;
      }
    }
  }
}

/** Goes on with the same thread, or else with any; deaths and noise are rare. */
function pick(choices: Choices, haste: number, random: () => number): Transition {
  const { transitions, goesOn } = choices;
  const any = (candidates: readonly Transition[]) =>
    candidates[Math.floor(random() * candidates.length)]!;
  const rare = transitions.filter(({ kind }) => kind === "kill" || kind === "noise");
  if (rare.length === transitions.length || rare.length > 0 && random() < 1 / 32) return any(rare);
  if (goesOn && random() > haste) return transitions[0]!;
  return any(transitions.filter((transition) => !rare.includes(transition)));
}

/** How much of the tree of choices is behind the search. */
function doneOf(stack: readonly Frame[]): number {
  let done = 0;
  let share = 1;
  for (const { next, choices } of stack.slice(0, 30)) {
    const { length } = choices.transitions;
    done += share * (next - 1) / length;
    share /= length;
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
