/**
 * The actors of a scenario on the simulated machine, and every step that one of them, or
 * the kernel for them, can take. Who may take one, and how often, is decided elsewhere (run.ts).
 *
 * @module
 */

import { Actor, ASLEEP, POOL } from "./actor.ts";
import { FILES_EACH, inHex, resetWorld, world } from "./process.ts";
import type { ActorSpec, Conventions, End, FindingKind, Scenario } from "./scenario.ts";
import type { Sleeper } from "./world.ts";

/** One step that can be taken. */
export interface Transition {
  /** How it is written in a token. */
  readonly code: string;
  readonly kind:
    | "step" // an actor does its next operation
    | "wake" // an actor that was roused goes on
    | "pool" // a thread of an actor's pool begins its sleep
    | "settle" // an actor is told how that sleep ended
    | "kill"
    | "release" // the kernel drops the locks of one open file of the dead
    | "spurious" // a sleep ends for no reason
    | "early" // a sleep's deadline comes though others could go on
    | "resume" // a pause ends though others could go on
    | "tick"; // time passes, as nobody can go on
  /** Who acts: going on with the same thread is no preemption. */
  readonly thread: number;
  readonly actor: Actor | undefined;
  /** Which way an operation goes, which thread of the pool, or which open file is dropped. */
  readonly detail: number;
}

/** A run that went wrong. */
export interface Problem {
  readonly kind: FindingKind;
  readonly message: string;
}

/** What an actor that has come to its next operation, or is about to be run up to it, asks. */
export interface Questions {
  /** Whether that operation was performed, as the actor is to act next. */
  readonly goesOnAtOnce: () => boolean;
  /** Whether what follows is known, if it goes on at all: then it need not be run. */
  readonly isKnown: () => boolean;
}

/** Threads below 0 are the kernel's, at work for the dead. */
export const KERNEL = -1;

const SETUP_INDEX = 60;

/** An actor that arranges more than this is scheduled from there on, and may be endless. */
const ARRANGING = 1000;

/** The actors and what they do. */
export class Actors {
  readonly all: readonly Actor[];
  readonly specs: readonly ActorSpec[];
  /** For each actor the steps that are its own, made once. */
  readonly usual: readonly Readonly<Record<"step" | "wake" | "kill", Transition>>[];
  readonly #scenario: Scenario;
  readonly #conventions: Conventions;
  readonly #trace: string[] | undefined;

  /** Builds the machine, and adds a line to the trace for each step. */
  constructor(scenario: Scenario, conventions: Conventions, trace?: string[]) {
    resetWorld();
    new Actor(SETUP_INDEX, "setup", { body: scenario.setup ?? (() => {}) }).runDirectly();
    this.#scenario = scenario;
    this.#conventions = conventions;
    this.#trace = trace;
    this.specs = Object.values(scenario.actors).map((spec) =>
      typeof spec === "function" ? { body: spec } : spec
    );
    const names = Object.keys(scenario.actors);
    this.all = names.map((name, i) => new Actor(i, name, this.specs[i]!));
    this.usual = this.all.map((actor) => {
      const common = { thread: actor.index, actor, detail: 0 };
      const letter = letterOf(actor);
      return {
        step: { ...common, code: letter, kind: "step" },
        wake: { ...common, code: `w${letter}`, kind: "wake" },
        kill: { ...common, code: `k${letter}`, kind: "kill" },
      };
    });
  }

  // ---- who begins ----

  /** Brings everyone who may begin to the first operation that is scheduled. */
  startWhoCan(): void | Promise<void> {
    for (const actor of this.all) {
      if (actor.started || !this.#mayStart(actor)) continue;
      if (this.specs[actor.index]!.last) this.#dropAllLocks();
      world.onUndo(actor.save());
      let left = ARRANGING;
      const running = actor.run(() => actor.isArranging && left-- > 0 && this.operate(actor, 0));
      if (running !== undefined) return running.then(() => this.startWhoCan());
    }
  }

  #mayStart(actor: Actor): boolean {
    const { after, last } = this.specs[actor.index]!;
    if (after !== undefined && !this.#isOver(after)) return false;
    return !last || this.all.every((other) => other === actor || this.#isOver(other.name));
  }

  /** In which order the kernel drops them makes no difference when nobody is there to see it. */
  #dropAllLocks(): void {
    for (const actor of this.all) {
      for (const file of lockFilesOf(actor)) world.dropLocks(file);
    }
  }

  #isOver(name: string): boolean {
    const actor = this.all.find((candidate) => candidate.name === name);
    if (actor === undefined) throw new Error(`There is no actor "${name}"`);
    return actor.dead || actor.finished;
  }

  // ---- what an actor can do ----

  /** The steps of an actor, or of the kernel for it if it is dead. */
  stepsOf(actor: Actor): Transition[] {
    const { index, pending, waits } = actor;
    if (actor.dead) return releasesOf(actor);
    const found: Transition[] = [];
    if (pending !== undefined) {
      const sleeper = world.sleepers.get(index);
      if (sleeper === undefined) {
        found.push(this.usual[index]!.step);
        const ways = pending.choices?.() ?? 1;
        for (let detail = 1; detail < ways; detail++) {
          const code = `${letterOf(actor)}:${detail}`;
          found.push({ code, kind: "step", thread: index, actor, detail });
        }
      } else if (sleeper.woken !== "") found.push(this.usual[index]!.wake);
    }
    for (const { thread, started } of waits) {
      const code = `${letterOf(actor)}${thread}`;
      if (!started) found.push({ code: `p${code}`, kind: "pool", thread, actor, detail: thread });
      else if (pending === undefined && world.sleepers.get(thread)!.woken !== "") {
        // The event loop hears of it once the actor has nothing else to do.
        found.push({ code: `s${code}`, kind: "settle", thread: index, actor, detail: thread });
      }
    }
    return found;
  }

  // ---- doing it ----

  /** Takes a step, after which the actor runs on. */
  perform(transition: Transition, questions: Questions): void | Promise<void> {
    const { kind, detail } = transition;
    const actor = transition.actor!;
    if (transition.actor !== undefined && kind !== "release") world.onUndo(actor.save());
    switch (kind) {
      case "step":
        return this.operate(actor, detail) ? runOn(actor, questions) : undefined;
      case "wake":
        this.#getUp(actor);
        return runOn(actor, questions);
      case "pool":
        return this.#beginSleep(actor, detail);
      case "settle":
        this.#settle(actor, detail);
        return runOn(actor, questions);
      case "kill":
        return this.#die(actor);
      case "release":
        this.#note(actor, "the kernel closes a file of the dead, and drops its locks");
        return world.dropLocks(detail);
      case "tick":
        return this.#tick();
      default:
        return this.#disturb(actor, world.sleepers.get(detail)!, kind);
    }
  }

  /** An actor does its pending operation; whether that gave a result, and no sleep. */
  operate(actor: Actor, choice: number): boolean {
    const operation = actor.pending!;
    const label = this.#trace && operation.label();
    const result = operation.perform(actor.index, choice);
    if (label !== undefined) this.#note(actor, `${label} ${this.#show(result)}`);
    if (result === ASLEEP) return false;
    actor.noteDone(result);
    return true;
  }

  #getUp(actor: Actor): void {
    const { woken } = world.sleepers.get(actor.index)!;
    const result = actor.pending!.wakeResult!(actor.index, woken as "woken" | "timeout");
    this.#note(actor, woken === "woken" ? "wakes" : "wakes, its time is up");
    actor.noteDone(result);
  }

  #beginSleep(actor: Actor, thread: number): void {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    const label = this.#trace && operation.label();
    const result = operation.perform(thread, 0);
    if (label !== undefined) this.#note(actor, `(its thread) ${label} ${this.#show(result)}`);
    if (result !== ASLEEP) world.fallAsleep(answered(thread));
    actor.noteStarted(thread);
  }

  #settle(actor: Actor, thread: number): void {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    const { woken } = world.sleepers.get(thread)!;
    const result = operation.wakeResult!(thread, woken as "woken" | "timeout");
    this.#note(actor, `is told that its thread ${woken === "woken" ? "woke" : "timed out"}`);
    actor.noteSettled(thread, result);
  }

  #die(actor: Actor): void {
    this.#note(actor, "DIES");
    actor.dead = true;
    world.getUp(actor.index);
    for (const { thread } of actor.waits) world.getUp(thread);
  }

  #disturb(actor: Actor, sleeper: Sleeper, kind: "spurious" | "early" | "resume"): void {
    const what = {
      spurious: "is woken for no reason",
      early: "is out of time",
      resume: "comes back from its pause",
    };
    this.#note(actor, what[kind]);
    if (kind !== "spurious") world.time = Math.max(world.time, sleeper.deadline);
    world.rouse(sleeper, kind === "spurious" ? "woken" : "timeout");
  }

  /** Time passes to the next deadline: of pauses first, then of sleeps. */
  #tick(): void {
    const asleep = world.sleepersInOrder().filter(({ woken }) => woken === "");
    const pausing = asleep.filter(({ words }) => words.length === 0);
    const candidates = pausing.length > 0 ? pausing : asleep;
    const time = Math.min(...candidates.map(({ deadline }) => deadline));
    if (time > world.time) world.time = time;
    for (const sleeper of candidates) {
      if (sleeper.deadline <= time) world.rouse(sleeper, "timeout");
    }
    this.#note(undefined, `time passes to ${time / 1e6} ms`);
  }

  #note(actor: Actor | undefined, what: string): void {
    if (this.#trace === undefined) return;
    const width = Math.max(...this.all.map(({ name }) => name.length));
    this.#trace.push(`${(actor?.name ?? "").padEnd(width)}  ${what}`.trimEnd());
  }

  #show(result: unknown): string {
    if (result === ASLEEP) return "falls asleep";
    if (result === undefined) return "";
    if (result instanceof Uint8Array) return `-> ${inHex(result)}`;
    const { errorName = String } = this.#conventions;
    if (typeof result === "number" && result < 0) return `-> -${errorName(-result)}`;
    if (typeof result === "object") return "";
    return `-> ${result}`;
  }

  // ---- the end ----

  /** An actor that failed, if one has. */
  failure(): Problem | undefined {
    const failed = this.all.find(({ failure }) => failure !== undefined);
    if (failed === undefined) return undefined;
    return { kind: "error", message: `${failed.name} threw ${describe(failed.failure)}` };
  }

  /** What is wrong with a run that has come to its end, if anything is. */
  verdict(gaveUp: boolean): Problem | undefined {
    const asleep = this.all.filter((actor) => actor.started && !actor.dead && !actor.finished);
    if (asleep.length > 0) {
      const names = asleep.map(({ name }) => name).join(" and ");
      return gaveUp || this.all.some(({ dead }) => dead)
        ? { kind: "hang", message: `${names} cannot go on` }
        : { kind: "lost wake-up", message: `${names} sleeps and nobody is left to wake it` };
    }
    const background = this.all.find((actor) => !actor.dead && actor.waits.length > 0);
    if (background !== undefined) {
      return { kind: "hang", message: `a thread of ${background.name} sleeps on for nobody` };
    }
    const message = this.#scenario.check(this.#end());
    return message === undefined ? undefined : { kind: "invariant", message };
  }

  #end(): End {
    return {
      results: Object.fromEntries(this.all.map(({ name, result }) => [name, result])),
      dead: new Set(this.all.filter(({ dead }) => dead).map(({ name }) => name)),
      names: [...world.names.keys()],
      bytes: (label) => world.inodes.find((inode) => inode.label === label)!.bytes,
    };
  }
}

function runOn(actor: Actor, { goesOnAtOnce, isKnown }: Questions): void | Promise<void> {
  return isKnown() || actor.recall() ? undefined : actor.run(goesOnAtOnce);
}

/** The open files of an actor through which it holds locks. */
export function lockFilesOf({ index }: Actor): number[] {
  return world.lockFiles(index * FILES_EACH, (index + 1) * FILES_EACH);
}

/** The kernel closes the files of the dead one after another, in any order. */
function releasesOf(actor: Actor): Transition[] {
  const first = actor.index * FILES_EACH;
  const thread = KERNEL - 1 - actor.index;
  return lockFilesOf(actor).map((file) => ({
    code: `r${letterOf(actor)}${file - first}`,
    kind: "release",
    thread,
    actor,
    detail: file,
  }));
}

/** The actor that a sleeping thread belongs to. */
export function ownerOf(actors: readonly Actor[], { thread }: Sleeper): Actor {
  return actors[thread % POOL]!;
}

/** A thread of the pool that came back at once: it has its answer and waits to be heard. */
function answered(thread: number): Sleeper {
  return { thread, words: [], since: 0, deadline: Infinity, woken: "woken" };
}

function letterOf(actor: Actor): string {
  return String.fromCharCode(65 + actor.index);
}

function describe(failure: unknown): string {
  return failure instanceof Error ? `${failure.stack ?? failure}` : String(failure);
}
