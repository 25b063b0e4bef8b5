/**
 * The search through every interleaving: depth first, stepping the simulated machine forward and
 * taking back what was done, within bounds on preemptions, deaths and noise.
 *
 * A state is everything that decides the future: the machine, each actor's log, whose turn it was,
 * and what is left of each bound. States are remembered by a 53-bit hash, and one that was seen is
 * not entered again. This is what removes interleavings that differ only in the order of
 * operations that cannot affect each other: they meet in the same state.
 *
 * @module
 */

import { Actor, ASLEEP, type Operation, POOL } from "./actor.ts";
import { FILES_EACH, resetWorld, world } from "./machine.ts";
import type { ActorSpec, Bounds, End, Scenario } from "./scenario.ts";
import { mix, type Sleeper } from "./world.ts";

/** What can be wrong. */
export type FindingKind = "lost wake-up" | "invariant" | "error" | "hang";

/** A run that went wrong. */
export interface Finding {
  readonly kind: FindingKind;
  readonly message: string;
  /** Replays exactly this run. */
  readonly token: string;
  /** Who did what, in order. */
  readonly trace: readonly string[];
}

/** What a search has done. */
export interface Report {
  schedules: number;
  states: number;
  steps: number;
  deaths: number;
  longest: number;
  /** Whether everything within the bounds was seen. */
  exhausted: boolean;
  milliseconds: number;
  finding: Finding | undefined;
}

/** One step that the scheduler may take. */
interface Transition {
  /** How it is written in a token. */
  readonly code: string;
  /** Who acts: going on with the same thread is no preemption. */
  readonly thread: number;
  readonly actor: Actor | undefined;
  readonly kind: "step" | "wake" | "pool" | "settle" | "kill" | "release" | "noise" | "tick";
}

interface Left {
  preemptions: number;
  deaths: number;
  noise: number;
  ticks: number;
}

interface Frame {
  readonly transitions: readonly Transition[];
  next: number;
  readonly mark: number;
  readonly restore: readonly (() => void)[];
  readonly left: Left;
  readonly lastThread: number;
  readonly lastActor: Actor | undefined;
  /** What led here. */
  readonly by: string;
}

const RELEASE = -1; // threads below 0 are the kernel's, at work for the dead
const SETUP_INDEX = 60;
const SLICE_NS = 250e6;

/** Everybody asleep and only time passing, this often in one run: they wait for nothing. */
const TICKS = 40;

/** A run that takes more steps than this does not end. */
const LONGEST = 3000;

/** When to stop, and whom to tell. */
export interface SearchOptions {
  readonly bounds?: Partial<Bounds>;
  readonly budgetMs?: number;
  /** Random runs from this seed, in place of all runs. */
  readonly seed?: number;
  /** Stop after this many runs. */
  readonly schedules?: number;
  readonly progress?: (report: Report) => void;
}

/** Explores a scenario. */
export async function explore(scenario: Scenario, options: SearchOptions = {}): Promise<Report> {
  const search = new Search(scenario, options);
  await search.run();
  return search.report;
}

/** Runs exactly the run of a token; gives its trace and what went wrong. */
export async function replay(scenario: Scenario, token: string): Promise<Finding | string[]> {
  const search = new Search(scenario, {});
  return await search.replay(token);
}

class Search {
  readonly report: Report = {
    schedules: 0,
    states: 0,
    steps: 0,
    deaths: 0,
    longest: 0,
    exhausted: false,
    milliseconds: 0,
    finding: undefined,
  };
  readonly #scenario: Scenario;
  readonly #options: SearchOptions;
  readonly #specs: readonly ActorSpec[];
  readonly #seen = new Set<number>();
  #actors: Actor[] = [];
  #left: Left = { preemptions: 0, deaths: 0, noise: 0, ticks: 0 };
  #lastThread = RELEASE;
  #lastActor: Actor | undefined;
  #trace: string[] | undefined;

  constructor(scenario: Scenario, options: SearchOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#specs = Object.values(scenario.actors).map((spec) =>
      typeof spec === "function" ? { body: spec } : spec
    );
  }

  async run(): Promise<void> {
    const start = performance.now();
    const { budgetMs = Infinity, seed, schedules = Infinity, progress } = this.#options;
    let lastProgress = start;
    const late = () => {
      const time = performance.now();
      this.report.milliseconds = time - start;
      if (progress !== undefined && time - lastProgress > 200) {
        lastProgress = time;
        progress(this.report);
      }
      return time - start > budgetMs || this.report.schedules >= schedules;
    };
    if (seed !== undefined) await this.#randomRuns(seed, late);
    else this.report.exhausted = await this.#allRuns(late);
    late();
  }

  // ---- the two ways to search ----

  async #allRuns(late: () => boolean): Promise<boolean> {
    await this.#begin();
    const stack: Frame[] = [this.#frame("")];
    let clean = true; // the machine is in the state of the top frame
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      if (!clean) this.#goBack(frame);
      const transition = frame.transitions[frame.next++];
      if (transition === undefined) {
        stack.pop();
        clean = false;
        continue;
      }
      clean = false;
      await this.#take(transition);
      if ((this.report.steps & 255) === 0 && late()) return false;
      if (this.#wasSeen()) continue;
      const next = this.#frame(transition.code);
      const problem = this.#endOf(next, stack.length);
      if (problem === "ended") continue;
      if (problem !== undefined) {
        const token = encode([...stack.map(({ by }) => by), transition.code]);
        await this.#found(problem, token);
        return false;
      }
      stack.push(next);
      clean = true;
    }
    return true;
  }

  async #randomRuns(seed: number, late: () => boolean): Promise<void> {
    const random = generator(seed);
    while (!late()) {
      await this.#begin();
      const codes: string[] = [];
      for (;;) {
        const frame = this.#frame("");
        const problem = this.#endOf(frame, codes.length);
        if (problem === "ended") break;
        if (problem !== undefined) return await this.#found(problem, encode(codes));
        const { transitions } = frame;
        const transition = transitions[Math.floor(random() * transitions.length)]!;
        codes.push(transition.code);
        await this.#take(transition);
      }
    }
  }

  async replay(token: string): Promise<Finding | string[]> {
    this.#trace = [];
    await this.#begin(true);
    for (const code of decode(token)) {
      const frame = this.#frame(code);
      const transition = frame.transitions.find((candidate) => candidate.code === code);
      if (transition === undefined) {
        throw new Error(`This token does not fit the scenario: "${code}" is not possible here`);
      }
      await this.#take(transition);
    }
    const problem = this.#endOf(this.#frame(""), 0);
    if (problem === undefined || problem === "ended") return this.#trace;
    return { ...problem, token, trace: this.#trace };
  }

  async #found(problem: Pick<Finding, "kind" | "message">, token: string): Promise<void> {
    const replayed = await new Search(this.#scenario, this.#options).replay(token);
    const trace = Array.isArray(replayed) ? replayed : replayed.trace;
    this.report.finding = { ...problem, token, trace };
  }

  // ---- the state ----

  /** Builds the machine and brings every actor to its first operation. */
  async #begin(unbounded = false): Promise<void> {
    resetWorld();
    new Actor(SETUP_INDEX, "setup", this.#scenario.setup ?? (() => {})).runDirectly();
    const names = Object.keys(this.#scenario.actors);
    this.#actors = names.map((name, i) => new Actor(i, name, this.#specs[i]!.body));
    const bounds = { ...this.#scenario.bounds, ...this.#options.bounds };
    this.#left = unbounded
      ? { preemptions: 1000, deaths: 1000, noise: 1000, ticks: TICKS }
      : { ...bounds, ticks: TICKS };
    if (this.#options.seed !== undefined) this.#left.preemptions = Infinity;
    this.#lastThread = RELEASE;
    this.#lastActor = undefined;
    await this.#startWhoCan();
  }

  async #startWhoCan(): Promise<void> {
    for (const actor of this.#actors) {
      if (actor.started || !this.#mayStart(actor)) continue;
      const running = actor.run();
      if (running !== undefined) await running;
    }
  }

  #mayStart(actor: Actor): boolean {
    const { after, last } = this.#specs[actor.index]!;
    if (after !== undefined && !this.#isOver(after)) return false;
    return !last || this.#actors.every((other) =>
      other === actor || this.#isOver(other.name) && !holdsLocks(other)
    );
  }

  #isOver(name: string): boolean {
    const actor = this.#actors.find((candidate) => candidate.name === name);
    if (actor === undefined) throw new Error(`There is no actor "${name}"`);
    return actor.dead || actor.finished;
  }

  #frame(by: string): Frame {
    return {
      transitions: this.#transitions(),
      next: 0,
      mark: world.mark(),
      restore: this.#actors.map((actor) => actor.save()),
      left: { ...this.#left },
      lastThread: this.#lastThread,
      lastActor: this.#lastActor,
      by,
    };
  }

  #goBack(frame: Frame): void {
    world.undoTo(frame.mark);
    for (const restore of frame.restore) restore();
    this.#left = { ...frame.left };
    this.#lastThread = frame.lastThread;
    this.#lastActor = frame.lastActor;
  }

  /** Whether this state was entered before; notes it if not. */
  #wasSeen(): boolean {
    let [a, b] = world.hash;
    for (const actor of this.#actors) {
      const flags = (actor.dead ? 1 : 0) + (actor.finished ? 2 : 0);
      a = mix(a, actor.hash[0], flags, actor.index, 0x9e3779b1);
      b = mix(b, actor.hash[1], flags, actor.index, 0x85ebca6b);
    }
    const { preemptions, deaths, noise, ticks } = this.#left;
    const budget = preemptions + 16 * deaths + 256 * noise + 4096 * ticks;
    const turn = this.#lastThread + 7 * (this.#lastActor?.index ?? 9);
    a = mix(a, budget, turn, 1, 0x9e3779b1);
    b = mix(b, budget, turn, 2, 0x85ebca6b);
    const key = (a >>> 0) * 2 ** 21 + (b & 0x1fffff);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    this.report.states++;
    return false;
  }

  // ---- what can happen next ----

  #transitions(): Transition[] {
    const all = this.#actors.flatMap((actor) => this.#transitionsOf(actor));
    if (all.length === 0 && world.sleepers.size > 0 && this.#left.ticks > 0) {
      if (!this.#mayTimePass()) return [];
      const tick = { code: "t", thread: RELEASE, actor: undefined, kind: "tick" } as const;
      return [tick, ...this.#kill()];
    }
    all.push(...this.#noise());
    // The thread that acted last comes first; to leave it while it could go on is a preemption.
    const goesOn = all.some(({ thread }) => thread === this.#lastThread);
    const affordable = all.filter((transition) =>
      !this.#isPreemption(transition, goesOn) || this.#left.preemptions > 0
    );
    affordable.sort((x, y) =>
      Number(y.thread === this.#lastThread) - Number(x.thread === this.#lastThread)
    );
    return [...affordable, ...this.#kill()];
  }

  #isPreemption(transition: Transition, goesOn: boolean): boolean {
    return goesOn && transition.thread !== this.#lastThread;
  }

  #transitionsOf(actor: Actor): Transition[] {
    const { index } = actor;
    const letter = letterOf(actor);
    if (actor.dead) {
      if (!holdsLocks(actor)) return [];
      return [{ code: `r${letter}`, thread: RELEASE - 1 - index, actor, kind: "release" }];
    }
    const found: Transition[] = [];
    if (actor.pending !== undefined) {
      const sleeper = world.sleepers.get(index);
      if (sleeper === undefined) found.push({ code: letter, thread: index, actor, kind: "step" });
      else if (sleeper.woken !== "") {
        found.push({ code: `w${letter}`, thread: index, actor, kind: "wake" });
      }
    }
    for (const { thread, started } of actor.waits) {
      const code = `${letter}${thread}`;
      if (!started) found.push({ code: `p${code}`, thread, actor, kind: "pool" });
      else if (actor.pending === undefined && world.sleepers.get(thread)?.woken !== "") {
        found.push({ code: `s${code}`, thread: index, actor, kind: "settle" });
      }
    }
    return found;
  }

  /** Whoever acted last may die before its next operation, or in the sleep that it fell into. */
  #kill(): Transition[] {
    const actor = this.#lastActor;
    if (actor === undefined || this.#left.deaths === 0 || actor.dead || actor.finished) return [];
    if (this.#specs[actor.index]!.immortal) return [];
    return [{ code: `k${letterOf(actor)}`, thread: RELEASE, actor, kind: "kill" }];
  }

  /** A sleeper may wake for no reason, or because its own (not a slice's) time is up. */
  #noise(): Transition[] {
    if (this.#left.noise === 0) return [];
    const asleep = [...world.sleepers.values()].filter(({ woken, words }) =>
      woken === "" && words.length > 0
    );
    return asleep.flatMap((sleeper) => {
      const { thread } = sleeper;
      const actor = this.#actors.find(({ index }) => index === thread % POOL)!;
      const spurious: Transition = { code: `z${thread}`, thread, actor, kind: "noise" };
      return isSlice(sleeper) ? [spurious] : [spurious, { ...spurious, code: `y${thread}` }];
    });
  }

  /**
   * Everyone alive sleeps. Time may pass for those who only pause, after a death, which slices are
   * for, and up to deadlines that a user set; otherwise a wake-up was lost.
   */
  #mayTimePass(): boolean {
    const asleep = [...world.sleepers.values()];
    if (asleep.some(({ words }) => words.length === 0)) return true;
    if (this.#actors.some(({ dead }) => dead)) return true;
    return asleep.some((sleeper) => !isSlice(sleeper));
  }

  // ---- doing it ----

  async #take(transition: Transition): Promise<void> {
    const { actor, kind, thread } = transition;
    this.report.steps++;
    const goesOn = this.#actors.some((candidate) =>
      this.#transitionsOf(candidate).some((other) => other.thread === this.#lastThread)
    );
    if (kind !== "kill" && kind !== "tick" && this.#isPreemption(transition, goesOn)) {
      this.#left.preemptions--;
    }
    if (kind !== "kill" && kind !== "tick") {
      this.#lastThread = thread;
      this.#lastActor = kind === "release" ? undefined : actor;
    }
    const running = this.#perform(transition);
    if (running !== undefined) await running;
    await this.#startWhoCan();
  }

  #perform({ actor, kind, code }: Transition): void | Promise<void> {
    switch (kind) {
      case "tick":
        return this.#tick();
      case "kill":
        return this.#die(actor!);
      case "release":
        this.#note(actor!, "the kernel drops the locks of the dead");
        return world.dropLocks(actor!.index * FILES_EACH, (actor!.index + 1) * FILES_EACH);
      case "noise": {
        this.#left.noise--;
        const sleeper = world.sleepers.get(Number(code.slice(1)))!;
        const early = code.startsWith("y");
        if (early) world.time = Math.max(world.time, sleeper.deadline);
        this.#note(actor!, early ? "is out of time" : "is woken for no reason");
        return world.rouse(sleeper, early ? "timeout" : "woken");
      }
      case "step":
        return this.#step(actor!, actor!.pending!);
      case "wake":
        return this.#goOn(actor!, actor!.pending!);
      default:
        return this.#pool(actor!, Number(code.slice(2)), kind);
    }
  }

  #step(actor: Actor, operation: Operation): void | Promise<void> {
    const label = this.#trace && operation.label();
    const result = operation.perform(actor.index);
    if (label !== undefined) this.#note(actor, `${label}  ${show(result)}`);
    if (result === ASLEEP) return;
    actor.noteDone(result);
    return actor.run();
  }

  #goOn(actor: Actor, operation: Operation): void | Promise<void> {
    const { woken } = world.sleepers.get(actor.index)!;
    const result = operation.wakeResult!(actor.index, woken as "woken" | "timeout");
    this.#note(actor, woken === "woken" ? "wakes" : "wakes, its time is up");
    actor.noteDone(result);
    return actor.run();
  }

  #pool(actor: Actor, thread: number, kind: "pool" | "settle" | string): void | Promise<void> {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    if (kind === "pool") {
      const label = this.#trace && operation.label();
      const result = operation.perform(thread);
      if (label !== undefined) this.#note(actor, `(its thread) ${label}  ${show(result)}`);
      if (result !== ASLEEP) world.fallAsleep(answered(thread));
      return actor.noteStarted(thread);
    }
    const sleeper = world.sleepers.get(thread)!;
    const result = operation.wakeResult!(thread, sleeper.woken as "woken" | "timeout");
    this.#note(
      actor,
      `is told that its thread ${sleeper.woken === "woken" ? "woke" : "timed out"}`,
    );
    actor.noteSettled(thread, result);
    return actor.run();
  }

  #die(actor: Actor): void {
    this.#left.deaths--;
    this.report.deaths++;
    this.#note(actor, "DIES");
    actor.dead = true;
    world.getUp(actor.index);
    for (const { thread } of actor.waits) world.getUp(thread);
  }

  /** Time passes to the next deadline: of pauses first, then of sleeps. */
  #tick(): void {
    this.#left.ticks--;
    const asleep = [...world.sleepers.values()].sort((a, b) => a.thread - b.thread);
    const pausing = asleep.filter(({ words }) => words.length === 0);
    const candidates = pausing.length > 0 ? pausing : asleep;
    const time = Math.min(...candidates.map(({ deadline }) => deadline));
    if (time > world.time) world.time = time;
    for (const sleeper of candidates) {
      if (sleeper.deadline <= time) world.rouse(sleeper, "timeout");
    }
    this.#trace?.push(`          time passes to ${time / 1e6} ms`);
  }

  #note(actor: Actor, what: string): void {
    this.#trace?.push(`${actor.name.padEnd(9)} ${what}`);
  }

  // ---- the end of a run ----

  /** "ended" if it went well, what is wrong if it did not, undefined if it goes on. */
  #endOf(frame: Frame, length: number): Pick<Finding, "kind" | "message"> | "ended" | undefined {
    const failed = this.#actors.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) {
      return { kind: "error", message: `${failed.name} threw ${describe(failed.failure)}` };
    }
    if (frame.transitions.length > 0) {
      if (length < LONGEST) return undefined;
      return { kind: "hang", message: `the run does not end within ${LONGEST} steps` };
    }
    this.report.schedules++;
    this.report.longest = Math.max(this.report.longest, length);
    const asleep = this.#actors.filter((actor) => actor.started && !actor.dead && !actor.finished);
    if (asleep.length > 0) {
      const names = asleep.map(({ name }) => name).join(" and ");
      const died = this.#actors.some(({ dead }) => dead);
      return died || this.#left.ticks === 0
        ? { kind: "hang", message: `${names} cannot go on` }
        : { kind: "lost wake-up", message: `${names} sleeps and nobody is left to wake it` };
    }
    const background = this.#actors.find((actor) => !actor.dead && actor.waits.length > 0);
    if (background !== undefined) {
      return { kind: "hang", message: `a thread of ${background.name} sleeps on for nobody` };
    }
    const message = this.#scenario.check(this.#end());
    return message === undefined ? "ended" : { kind: "invariant", message };
  }

  #end(): End {
    return {
      results: Object.fromEntries(this.#actors.map(({ name, result }) => [name, result])),
      dead: new Set(this.#actors.filter(({ dead }) => dead).map(({ name }) => name)),
      names: [...world.names.keys()],
      bytes: (label) => world.inodes.find((inode) => inode.label === label)!.bytes,
    };
  }
}

/** A thread of the pool that came back at once: it has its answer and waits to be heard. */
function answered(thread: number): Sleeper {
  return { thread, words: [], since: 0, deadline: Infinity, woken: "woken" };
}

/** Whether a sleep lasts until the end of a slice, and not until a deadline that a user set. */
function isSlice({ deadline, since }: Sleeper): boolean {
  return deadline === Infinity || deadline % SLICE_NS === 0 || deadline - since === SLICE_NS;
}

function holdsLocks({ index }: Actor): boolean {
  return world.holdsLocks(index * FILES_EACH, (index + 1) * FILES_EACH);
}

function letterOf(actor: Actor): string {
  return String.fromCharCode(65 + actor.index);
}

function show(result: unknown): string {
  if (result === ASLEEP) return "falls asleep";
  if (result === undefined) return "";
  if (result instanceof Uint8Array) return `= ${result.subarray(0, 8).toHex()}`;
  if (typeof result === "object") return "";
  return `= ${result}`;
}

function describe(failure: unknown): string {
  return failure instanceof Error ? `${failure.stack ?? failure}` : String(failure);
}

/** Codes with repetitions counted: `A3.B.kA`. */
function encode(codes: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < codes.length;) {
    const code = codes[i]!;
    let end = i;
    while (codes[end] === code) end++;
    if (code !== "") parts.push(end - i === 1 ? code : `${code}*${end - i}`);
    i = end;
  }
  return parts.join(".");
}

function decode(token: string): string[] {
  return token.split(".").flatMap((part) => {
    const [code, count = "1"] = part.split("*");
    return Array<string>(Number(count)).fill(code!);
  });
}

/** Random numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    return (mix(state, 1, 2, 3, 0x9e3779b1) >>> 0) / 2 ** 32;
  };
}
