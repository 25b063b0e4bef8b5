/**
 * The actors of a scenario on the simulated machine, and every step that one of them, or the kernel
 * on its behalf, can take. Other files decide which step is taken (run.ts, search.ts).
 *
 * @module
 */

import { Actor, POOL } from "./actor.ts";
import type { Operation } from "./operation.ts";
import { inHex, lockFilesOf, numberWithin } from "./process.ts";
import type { ActorSpec, Conventions, End, FindingKind, Scenario } from "./scenario.ts";
import { catchLeftovers } from "./unwind.ts";
import { WeakMemory } from "./weak.ts";
import { ASLEEP, type Sleeper, type Wakening, World } from "./world.ts";

/** One step that can be taken. */
export interface Transition {
  /** The step as a token writes it. */
  readonly code: string;
  readonly kind:
    | "step" // an actor does its next operation
    | "visible" // a pending store of an actor becomes visible
    | "wake" // an actor whose sleep is over continues
    | "pool" // a thread of an actor's pool begins its sleep
    | "settle" // an actor learns how that sleep ended
    | "kill"
    | "release" // the kernel drops the locks of one open file of a dead actor
    | "spurious" // a sleep ends for no reason
    | "early" // a sleep's deadline passes though others could continue
    | "resume" // a pause ends though others could continue
    | "tick"; // time passes, because nothing else can happen
  /** The thread that acts: further steps of the same thread are no preemption. */
  readonly thread: number;
  readonly actor: Actor | undefined;
  /** The way in which the operation goes, the pending store, the thread, or the open file. */
  readonly detail: number;
}

/** A defect of a run. */
export interface Problem {
  readonly kind: FindingKind;
  readonly message: string;
}

/** A step that was taken, in words. */
export interface Event {
  /** The actor's name; undefined when time passes. */
  readonly actor: string | undefined;
  readonly what: string;
}

/** The parts of a run that its user may leave out. */
export interface RunOptions {
  readonly conventions?: Conventions | undefined;
  /** Called for every step, at the moment at which it is taken. */
  readonly observe?: ((event: Event) => void) | undefined;
  /** Called within the code of an actor at each new operation, where a stack shows its line. */
  readonly atOperation?: ((actor: Actor) => void) | undefined;
  /** Lets any actor die at any point, not only the one that acted last. A search needs no more. */
  readonly anyMayDie?: boolean | undefined;
}

/** Threads below 0 belong to the kernel, which works on behalf of the dead. */
export const KERNEL = -1;

/** Ways in which a sleep ends that no actor caused. */
const DISTURBANCES = {
  spurious: "is woken for no reason",
  early: "is out of time",
  resume: "comes back from its pause",
} as const;

const SETUP_INDEX = 60;
const NONE: Transition[] = [];

/** An actor that arranges more than this is scheduled from there on, because it may never end. */
const ARRANGING = 1000;

/** All actors of a scenario. */
export class Actors {
  readonly world = new World();
  readonly all: readonly Actor[];
  readonly specs: readonly ActorSpec[];
  /** For each actor its most frequent steps, created once. */
  readonly usual: readonly Readonly<Record<"step" | "wake" | "kill", Transition>>[];
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  #weak: WeakMemory | undefined;

  /** Builds a machine, and the actors on it. */
  constructor(scenario: Scenario, options: RunOptions) {
    catchLeftovers();
    this.#scenario = scenario;
    this.#options = options;
    new Actor(this.world, SETUP_INDEX, "setup", { body: scenario.setup ?? (() => {}) })
      .runDirectly();
    this.specs = Object.values(scenario.actors).map((spec) =>
      typeof spec === "function" ? { body: spec } : spec
    );
    const names = Object.keys(scenario.actors);
    const { atOperation } = options;
    this.all = names.map((name, i) => new Actor(this.world, i, name, this.specs[i]!, atOperation));
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

  /** From now on memory is weak, within a number of reorderings. */
  weaken(reorderings: number): void {
    const note = (actor: Actor, what: string) => this.#note(actor, what);
    this.#weak = new WeakMemory(this.world, this.all, reorderings, note);
  }

  /** Whether memory is weak. */
  get isWeak(): boolean {
    return this.#weak !== undefined;
  }

  // ---- the beginning ----

  /** Brings every actor that may begin to the first operation that is scheduled. */
  startWhoCan(): void | Promise<void> {
    for (const actor of this.all) {
      if (actor.started || !this.#mayStart(actor)) continue;
      const { after, last } = this.specs[actor.index]!;
      if (last) this.#dropAllLocks();
      for (const other of this.all) if (last || other.name === after) this.#weak?.end(other);
      this.world.onUndo(actor.save());
      let left = ARRANGING;
      const running = actor.run(() => actor.isArranging && left-- > 0 && this.operate(actor, 0));
      this.#weak?.end(actor);
      if (running !== undefined) return running.then(() => this.startWhoCan());
    }
  }

  #mayStart(actor: Actor): boolean {
    const { after, last } = this.specs[actor.index]!;
    if (after !== undefined && !this.#isOver(after)) return false;
    return !last || this.all.every((other) => other === actor || this.#isOver(other.name));
  }

  /** Drops them in one order only, because no actor is left to see a difference. */
  #dropAllLocks(): void {
    for (const actor of this.all) {
      for (const file of this.lockFilesOf(actor)) this.world.dropLocks(file);
    }
  }

  #isOver(name: string): boolean {
    const actor = this.all.find((candidate) => candidate.name === name);
    if (actor === undefined) throw new Error(`Cannot find the actor "${name}"`);
    return actor.dead || actor.finished;
  }

  // ---- possible steps ----

  /** Returns the possible steps of an actor, or of the kernel on behalf of a dead one. */
  stepsOf(actor: Actor): Transition[] {
    const { world } = this;
    const { index, pending, waits } = actor;
    if (actor.dead) return this.#releasesOf(actor);
    const found: Transition[] = [];
    if (pending !== undefined) {
      const sleeper = world.sleepers.get(index);
      if (sleeper === undefined) {
        found.push(this.usual[index]!.step);
        const ways = this.#weak?.ways(actor, pending) ?? pending.choices?.(world) ?? 1;
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
        // The event loop learns of it once the actor has nothing else to do.
        found.push({ code: `s${code}`, kind: "settle", thread: index, actor, detail: thread });
      }
    }
    return found;
  }

  /** Returns for each pending store that may become visible the step in which it does. */
  visibleSteps(): Transition[] {
    if (this.#weak === undefined) return NONE;
    return this.all.flatMap((actor) =>
      this.#weak!.visible(actor).map((detail) => {
        const code = `v${letterOf(actor)}${detail}`;
        return { code, kind: "visible" as const, thread: actor.index, actor, detail };
      })
    );
  }

  /** The kernel closes the files of a dead actor one after another, in any order. */
  #releasesOf(actor: Actor): Transition[] {
    const thread = KERNEL - 1 - actor.index;
    return this.lockFilesOf(actor).map((file) => ({
      code: `r${letterOf(actor)}${numberWithin(file)}`,
      kind: "release",
      thread,
      actor,
      detail: file,
    }));
  }

  /** Returns the open files of an actor that hold locks. */
  lockFilesOf(actor: Actor): number[] {
    return lockFilesOf(this.world, actor);
  }

  /** Returns the actor that a sleeping thread belongs to. */
  ownerOf({ thread }: Sleeper): Actor {
    return this.all[thread % POOL]!;
  }

  // ---- taking a step ----

  /** Takes a step. Returns the actor whose code then has to run, if there is one. */
  perform(transition: Transition): Actor | undefined {
    const { kind, detail, actor } = transition;
    if (actor === undefined) return this.#tick();
    if (kind !== "release") this.world.onUndo(actor.save());
    switch (kind) {
      case "step":
        return this.operate(actor, detail) ? actor : undefined;
      case "wake":
        return this.#getUp(actor);
      case "settle":
        return this.#settle(actor, detail);
      case "visible":
        return this.#weak!.makeVisible(actor, detail) as undefined;
      case "pool":
        return this.#beginSleep(actor, detail);
      case "kill":
        return this.#die(actor);
      case "release":
        return this.#release(actor, detail);
      case "tick":
        return undefined;
      default:
        return this.#disturb(actor, detail, kind);
    }
  }

  /** Performs the pending operation of an actor; whether it returned a result instead of a sleep. */
  operate(actor: Actor, choice: number): boolean {
    const operation = actor.pending!;
    const label = this.#labelOf(operation);
    const weak = this.#weak;
    const result = weak === undefined
      ? operation.perform(this.world, actor.index, choice)
      : weak.perform(actor, operation, choice);
    if (label !== undefined) {
      const words = [label, this.#show(result), weak?.describe(operation, choice)];
      this.#note(actor, words.filter(Boolean).join(" "));
    }
    if (result === ASLEEP) return false;
    actor.noteDone(result);
    return true;
  }

  #getUp(actor: Actor): Actor {
    const woken = this.#endSleep(actor.index);
    this.#note(actor, woken === "woken" ? "wakes" : "wakes, its time is up");
    actor.noteDone(actor.pending!.wakeResult!(woken));
    return actor;
  }

  #settle(actor: Actor, thread: number): Actor {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    const woken = this.#endSleep(thread);
    this.#note(actor, `learns that its thread ${woken === "woken" ? "woke" : "timed out"}`);
    actor.noteSettled(thread, operation.wakeResult!(woken));
    return actor;
  }

  #endSleep(thread: number): Wakening {
    const { woken } = this.world.sleepers.get(thread)!;
    this.world.getUp(thread);
    return woken as Wakening;
  }

  #beginSleep(actor: Actor, thread: number): undefined {
    const { operation } = actor.waits.find((wait) => wait.thread === thread)!;
    this.#weak?.settle(actor);
    const label = this.#labelOf(operation);
    const result = operation.perform(this.world, thread, 0);
    if (label !== undefined) this.#note(actor, `(its thread) ${label} ${this.#show(result)}`);
    if (result !== ASLEEP) this.world.answer(thread);
    actor.noteStarted(thread);
  }

  #die(actor: Actor): undefined {
    this.#weak?.end(actor);
    this.#note(actor, "DIES");
    actor.die();
    this.world.getUp(actor.index);
    for (const { thread } of actor.waits) this.world.getUp(thread);
  }

  #release(actor: Actor, file: number): undefined {
    this.#note(actor, "the kernel closes a file of the dead, and drops its locks");
    this.world.dropLocks(file);
  }

  #disturb(actor: Actor, thread: number, kind: keyof typeof DISTURBANCES): undefined {
    const { world } = this;
    const sleeper = world.sleepers.get(thread)!;
    this.#note(actor, DISTURBANCES[kind]);
    if (kind !== "spurious") world.time = Math.max(world.time, sleeper.deadline);
    world.rouse(sleeper, kind === "spurious" ? "woken" : "timeout");
  }

  /** Time passes to the next deadline: of pauses first, then of sleeps. */
  #tick(): undefined {
    const { world } = this;
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

  #labelOf(operation: Operation): string | undefined {
    return this.#options.observe && operation.label();
  }

  #note(actor: Actor | undefined, what: string): void {
    this.#options.observe?.({ actor: actor?.name, what: what.trimEnd() });
  }

  #show(result: unknown): string {
    if (result === ASLEEP) return "falls asleep";
    if (result === undefined) return "";
    if (result instanceof Uint8Array) return `-> ${inHex(result)}`;
    const { errorName = String } = this.#options.conventions ?? {};
    if (typeof result === "number" && result < 0) return `-> -${errorName(-result)}`;
    if (typeof result === "object") return "";
    return `-> ${result}`;
  }

  // ---- the end ----

  /** Returns the error of an actor that failed. */
  failure(): Problem | undefined {
    const failed = this.all.find(({ failure }) => failure !== undefined);
    if (failed === undefined) return undefined;
    return { kind: "error", message: `${failed.name} threw ${describe(failed.failure)}` };
  }

  /** Returns what is wrong with a run that has ended; `gaveUp` if time passed as often as it may. */
  verdict(gaveUp: boolean): Problem | undefined {
    const asleep = this.all.filter((actor) => actor.started && !actor.dead && !actor.finished);
    if (asleep.length > 0) {
      const names = asleep.map(({ name }) => name).join(" and ");
      return gaveUp || this.all.some(({ dead }) => dead)
        ? { kind: "hang", message: `${names} cannot continue` }
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
    const { world } = this;
    return {
      results: Object.fromEntries(this.all.map(({ name, result }) => [name, result])),
      dead: new Set(this.all.filter(({ dead }) => dead).map(({ name }) => name)),
      names: [...world.names.keys()],
      bytes: (label) => world.inodes.find((inode) => inode.label === label)!.bytes,
    };
  }
}

function letterOf(actor: Actor): string {
  return String.fromCharCode(65 + actor.index);
}

/** Describes an error with its stack, which begins with the error in some engines only. */
function describe(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const { stack = "" } = failure;
  return stack.startsWith(`${failure}`) ? stack : `${failure}\n${stack}`.trimEnd();
}
