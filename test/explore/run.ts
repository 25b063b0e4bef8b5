/**
 * One run of a scenario: the machine and its actors at a point in time, what can happen next, and
 * making it happen or taking it back.
 *
 * @module
 */

import { Actor, ASLEEP, type Operation, POOL } from "./actor.ts";
import { FILES_EACH, resetWorld, world } from "./machine.ts";
import type { ActorSpec, Bounds, End, FindingKind, Scenario } from "./scenario.ts";
import { mix, SEED_A, SEED_B, type Sleeper } from "./world.ts";

/** One step that the scheduler may take. */
export interface Transition {
  /** How it is written in a token. */
  readonly code: string;
  readonly kind: "step" | "wake" | "pool" | "settle" | "kill" | "release" | "noise" | "tick";
  /** Who acts: going on with the same thread is no preemption. */
  readonly thread: number;
  readonly actor: Actor | undefined;
  /** Which way an operation goes, or which open file is dropped. */
  readonly detail: number;
}

/** What may happen next. */
export interface Choices {
  /** Those of the thread that acted last come first, deaths last. */
  readonly transitions: readonly Transition[];
  /** Whether the thread that acted last can go on, so that others would preempt it. */
  readonly goesOn: boolean;
}

/** A run that went wrong. */
export interface Problem {
  readonly kind: FindingKind;
  readonly message: string;
}

/** How much of each bound is left. */
interface Left extends Bounds {
  readonly ticks: number;
}

/** A point to go back to. */
export interface Position {
  readonly mark: number;
  readonly left: Left;
  readonly lastThread: number;
  readonly lastActor: Actor | undefined;
}

const KERNEL = -1; // threads below 0 are the kernel's, at work for the dead
const SETUP_INDEX = 60;
const SLICE_NS = 250e6;

/** Everybody asleep and only time passing, this often in one run: they wait for nothing. */
const TICKS = 40;

/** The state of a scenario while it runs. */
export class Run {
  /** Who did what, if that is wanted. */
  readonly trace: string[] | undefined;
  #scenario: Scenario;
  #specs: readonly ActorSpec[];
  #bounds: Bounds;
  #actors: readonly Actor[] = [];
  /** For each actor the step and the death that are its own, made once. */
  #usual: readonly Readonly<Record<"step" | "wake" | "kill", Transition>>[] = [];
  #left: Left;
  #lastThread = KERNEL;
  #lastActor: Actor | undefined;

  constructor(scenario: Scenario, bounds: Bounds, trace?: string[]) {
    this.#scenario = scenario;
    this.#specs = Object.values(scenario.actors).map((spec) =>
      typeof spec === "function" ? { body: spec } : spec
    );
    this.#bounds = bounds;
    this.#left = { ...bounds, ticks: TICKS };
    this.trace = trace;
  }

  /** Builds the machine and brings every actor to its first operation. */
  async begin(): Promise<void> {
    resetWorld();
    new Actor(SETUP_INDEX, "setup", this.#scenario.setup ?? (() => {})).runDirectly();
    const names = Object.keys(this.#scenario.actors);
    this.#actors = names.map((name, i) => new Actor(i, name, this.#specs[i]!.body));
    this.#usual = this.#actors.map((actor) => {
      const common = { thread: actor.index, actor, detail: 0 };
      const letter = letterOf(actor);
      return {
        step: { ...common, code: letter, kind: "step" },
        wake: { ...common, code: `w${letter}`, kind: "wake" },
        kill: { ...common, code: `k${letter}`, kind: "kill" },
      };
    });
    this.#left = { ...this.#bounds, ticks: TICKS };
    this.#lastThread = KERNEL;
    this.#lastActor = undefined;
    const starting = this.#startWhoCan();
    if (starting !== undefined) await starting;
  }

  /** The preemptions that are left. */
  get preemptionsLeft(): number {
    return this.#left.preemptions;
  }

  /** Where the run is now. */
  position(): Position {
    const [left, lastThread, lastActor] = [this.#left, this.#lastThread, this.#lastActor];
    return { mark: world.mark(), left, lastThread, lastActor };
  }

  /** Takes back whatever was done since. */
  goBack(position: Position): void {
    world.undoTo(position.mark);
    this.#left = position.left;
    this.#lastThread = position.lastThread;
    this.#lastActor = position.lastActor;
  }

  /**
   * Two halves of a hash of everything that decides what can happen from now on, but for the
   * preemptions that are left: the machine, the log of each actor, who may go on without being
   * preempted, who may die, and what is left of the other bounds.
   */
  key(goesOn: boolean): readonly [a: number, b: number] {
    let a = world.hashA;
    let b = world.hashB;
    for (const actor of this.#actors) {
      const flags = (actor.dead ? 1 : 0) + (actor.finished ? 2 : 0) + 4 * actor.index;
      a = mix(a, actor.hashA, flags, 0, SEED_A);
      b = mix(b, actor.hashB, flags, 0, SEED_B);
    }
    const { deaths, noise, ticks } = this.#left;
    const turn = goesOn ? this.#lastThread : KERNEL;
    const mortal = this.#mayDie(this.#lastActor) ? this.#lastActor!.index : -1;
    const bounds = deaths + 2 ** 10 * noise + 2 ** 20 * ticks;
    return [mix(a, bounds, turn, mortal, SEED_A), mix(b, bounds, turn, mortal, SEED_B)];
  }

  /** From here on nothing happens but what must: for looking whether a run has ended. */
  endBounds(): void {
    this.#left = { ...this.#left, preemptions: 0, deaths: 0, noise: 0 };
  }

  // ---- who begins ----

  #startWhoCan(): void | Promise<void> {
    for (const actor of this.#actors) {
      if (actor.started || !this.#mayStart(actor)) continue;
      world.onUndo(actor.save());
      const running = actor.run();
      if (running !== undefined) return running.then(() => this.#startWhoCan());
    }
  }

  #mayStart(actor: Actor): boolean {
    const { after, last } = this.#specs[actor.index]!;
    if (after !== undefined && !this.#isOver(after)) return false;
    return !last ||
      this.#actors.every((other) =>
        other === actor || this.#isOver(other.name) && lockFilesOf(other).length === 0
      );
  }

  #isOver(name: string): boolean {
    const actor = this.#actors.find((candidate) => candidate.name === name);
    if (actor === undefined) throw new Error(`There is no actor "${name}"`);
    return actor.dead || actor.finished;
  }

  // ---- what can happen next ----

  /** What may happen next, within the bounds. */
  choices(): Choices {
    const own: Transition[] = [];
    const others: Transition[] = [];
    const add = (transition: Transition) =>
      (transition.thread === this.#lastThread ? own : others).push(transition);
    for (const actor of this.#actors) this.#addSteps(actor, add);
    const goesOn = own.length > 0;
    if (!goesOn && others.length === 0 && world.sleepers.size > 0 && this.#left.ticks > 0) {
      if (!this.#mayTimePass()) return { transitions: [], goesOn };
      others.push({ code: "t", kind: "tick", thread: KERNEL, actor: undefined, detail: 0 });
    } else if (world.sleepers.size > 0) this.#addNoise(others, goesOn || others.length > 0);
    const affordable = goesOn && this.#left.preemptions === 0 ? own : [...own, ...others];
    return { transitions: [...affordable, ...this.#kills()], goesOn };
  }

  #addSteps(actor: Actor, add: (transition: Transition) => void): void {
    const { index, pending } = actor;
    if (actor.dead) return this.#addReleases(actor, add);
    if (pending !== undefined) {
      const sleeper = world.sleepers.get(index);
      const ways = sleeper === undefined ? pending.choices?.() ?? 1 : 1;
      if (sleeper !== undefined) {
        if (sleeper.woken !== "") add(this.#usual[index]!.wake);
      } else add(this.#usual[index]!.step);
      for (let detail = 1; detail < ways; detail++) {
        const code = `${letterOf(actor)}:${detail}`;
        add({ code, kind: "step", thread: index, actor, detail });
      }
    }
    for (const { thread, started } of actor.waits) {
      const code = `${letterOf(actor)}${thread}`;
      if (!started) add({ code: `p${code}`, kind: "pool", thread, actor, detail: thread });
      else if (pending === undefined && world.sleepers.get(thread)!.woken !== "") {
        // The event loop hears of it once the actor has nothing else to do.
        add({ code: `s${code}`, kind: "settle", thread: index, actor, detail: thread });
      }
    }
  }

  /** The kernel closes the files of the dead one after another, in any order. */
  #addReleases(actor: Actor, add: (transition: Transition) => void): void {
    for (const file of lockFilesOf(actor)) {
      const code = `r${letterOf(actor)}${file - actor.index * FILES_EACH}`;
      add({ code, kind: "release", thread: KERNEL - 1 - actor.index, actor, detail: file });
    }
  }

  /** Whoever acted last may die before its next operation, or in the sleep that it fell into. */
  #kills(): Transition[] {
    if (this.#left.deaths === 0) return [];
    const atStart = this.#actors.every(({ age }) => age === 0);
    return this.#actors
      .filter((actor) => (atStart || actor === this.#lastActor) && this.#mayDie(actor))
      .map(({ index }) => this.#usual[index]!.kill);
  }

  /** Who has finished is idle, and can die as long as that changes anything. */
  #mayDie(actor: Actor | undefined): boolean {
    if (actor === undefined || this.#left.deaths === 0 || actor.dead || !actor.started) {
      return false;
    }
    if (this.#specs[actor.index]!.immortal) return false;
    if (!actor.finished || actor.pending !== undefined || actor.waits.length > 0) return true;
    return lockFilesOf(actor).length > 0;
  }

  /**
   * A sleeper may wake for no reason, or because its own (not a slice's) time is up; and a pause may
   * end while others could go on, which costs a preemption.
   */
  #addNoise(found: Transition[], othersCould: boolean): void {
    for (const sleeper of world.sleepers.values()) {
      const { thread, words, woken, deadline } = sleeper;
      if (woken !== "") continue;
      const actor = this.#actors[thread % POOL]!;
      const noise = { kind: "noise", thread, actor, detail: thread } as const;
      if (words.length === 0) {
        const may = othersCould && this.#left.preemptions > 0 && deadline !== Infinity;
        if (may) found.push({ ...noise, code: `e${thread}` });
      } else if (this.#left.noise > 0) {
        found.push({ ...noise, code: `z${thread}` });
        if (!isSlice(sleeper)) found.push({ ...noise, code: `y${thread}` });
      }
    }
  }

  /**
   * Everyone alive sleeps. Time may pass for those who only pause, after a death, which slices are
   * for, and up to deadlines that a user set; otherwise a wake-up was lost.
   */
  #mayTimePass(): boolean {
    const waiting = [...world.sleepers.values()].filter(({ woken, deadline }) =>
      woken === "" && deadline !== Infinity
    );
    if (waiting.length === 0) return false;
    if (this.#actors.some(({ dead }) => dead)) return true;
    return waiting.some((sleeper) => sleeper.words.length === 0 || !isSlice(sleeper));
  }

  // ---- doing it ----

  /** Takes a step. */
  take(transition: Transition, goesOn: boolean): void | Promise<void> {
    const { actor, kind, thread } = transition;
    if (kind !== "kill" && kind !== "tick") {
      const preempts = goesOn && thread !== this.#lastThread || transition.code.startsWith("e");
      if (preempts) this.#spend("preemptions");
      this.#lastThread = thread;
      this.#lastActor = kind === "release" ? undefined : actor;
    }
    if (actor !== undefined && kind !== "release") world.onUndo(actor.save());
    const running = this.#perform(transition);
    return running === undefined ? this.#startWhoCan() : running.then(() => this.#startWhoCan());
  }

  #spend(bound: keyof Left): void {
    this.#left = { ...this.#left, [bound]: this.#left[bound] - 1 };
  }

  #perform({ actor, kind, code, detail }: Transition): void | Promise<void> {
    switch (kind) {
      case "tick":
        return this.#tick();
      case "kill":
        return this.#die(actor!);
      case "release":
        this.#note(actor!, "the kernel closes a file of the dead, and drops its locks");
        return world.dropLocks(detail);
      case "noise":
        return this.#disturb(actor!, world.sleepers.get(detail)!, code[0]!);
      case "step":
        return this.#step(actor!, actor!.pending!, detail);
      case "wake":
        return this.#goOn(actor!, actor!.pending!);
      case "pool":
        return this.#beginSleep(actor!, detail);
      case "settle":
        return this.#settle(actor!, detail);
    }
  }

  #step(actor: Actor, operation: Operation, choice: number): void | Promise<void> {
    const label = this.trace && operation.label();
    const result = operation.perform(actor.index, choice);
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

  #beginSleep(actor: Actor, thread: number): void {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    const label = this.trace && operation.label();
    const result = operation.perform(thread, 0);
    if (label !== undefined) this.#note(actor, `(its thread) ${label}  ${show(result)}`);
    if (result !== ASLEEP) world.fallAsleep(answered(thread));
    actor.noteStarted(thread);
  }

  #settle(actor: Actor, thread: number): void | Promise<void> {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    const { woken } = world.sleepers.get(thread)!;
    const result = operation.wakeResult!(thread, woken as "woken" | "timeout");
    this.#note(actor, `is told that its thread ${woken === "woken" ? "woke" : "timed out"}`);
    actor.noteSettled(thread, result);
    return actor.run();
  }

  #disturb(actor: Actor, sleeper: Sleeper, how: string): void {
    if (how !== "e") this.#spend("noise");
    if (how !== "z") world.time = Math.max(world.time, sleeper.deadline);
    const what = how === "z"
      ? "is woken for no reason"
      : how === "y"
      ? "is out of time"
      : "resumes";
    this.#note(actor, what);
    world.rouse(sleeper, how === "z" ? "woken" : "timeout");
  }

  #die(actor: Actor): void {
    this.#spend("deaths");
    this.#note(actor, "DIES");
    actor.dead = true;
    world.getUp(actor.index);
    for (const { thread } of actor.waits) world.getUp(thread);
  }

  /** Time passes to the next deadline: of pauses first, then of sleeps. */
  #tick(): void {
    this.#spend("ticks");
    const asleep = [...world.sleepers.values()]
      .filter(({ woken }) => woken === "")
      .sort((a, b) => a.thread - b.thread);
    const pausing = asleep.filter(({ words }) => words.length === 0);
    const candidates = pausing.length > 0 ? pausing : asleep;
    const time = Math.min(...candidates.map(({ deadline }) => deadline));
    if (time > world.time) world.time = time;
    for (const sleeper of candidates) {
      if (sleeper.deadline <= time) world.rouse(sleeper, "timeout");
    }
    this.trace?.push(`          time passes to ${time / 1e6} ms`);
  }

  #note(actor: Actor, what: string): void {
    this.trace?.push(`${actor.name.padEnd(9)} ${what}`);
  }

  // ---- the end ----

  /** An actor that failed, if one has. */
  failure(): Problem | undefined {
    const failed = this.#actors.find(({ failure }) => failure !== undefined);
    if (failed === undefined) return undefined;
    return { kind: "error", message: `${failed.name} threw ${describe(failed.failure)}` };
  }

  /** What is wrong with a run that has come to its end, if anything is. */
  verdict(): Problem | undefined {
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
    return message === undefined ? undefined : { kind: "invariant", message };
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

/** The open files of an actor through which it holds locks. */
function lockFilesOf({ index }: Actor): number[] {
  return world.lockFiles(index * FILES_EACH, (index + 1) * FILES_EACH);
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
