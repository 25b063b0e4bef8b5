/**
 * One run of a scenario at a point in time: what may happen next within the bounds, and making it
 * happen or taking it back.
 *
 * @module
 */

import type { Actor } from "./actor.ts";
import { world } from "./process.ts";
import type { Bounds, Conventions, Scenario } from "./scenario.ts";
import { Actors, KERNEL, lockFilesOf, ownerOf, type Problem, type Transition } from "./actors.ts";
import { mix, SEED_A, SEED_B, type Sleeper } from "./world.ts";

export type { Problem, Transition };

/** How much of each bound is left. */
interface Left extends Bounds {
  readonly ticks: number;
}

/** A point to go back to. */
export interface Position {
  readonly mark: number;
  readonly left: Left;
  readonly goesOn: boolean;
  readonly lastThread: number;
  readonly lastActor: Actor | undefined;
}

/** Everybody asleep and only time passing, this often in one run: they wait for nothing. */
const TICKS = 40;

/** The state of a scenario while it runs. */
export class Run {
  readonly #actors: Actors;
  readonly #sliceNs: number;
  #left: Left;
  #lastThread = KERNEL;
  #lastActor: Actor | undefined;
  #goesOn = false;
  /** Chooses among what may happen next. */
  #choose: () => Transition | undefined = () => undefined;
  /** Whether the present state was entered before. */
  #entered: () => boolean = () => false;
  /** What was chosen when that was asked while an actor was still running. */
  #chosen: { readonly transition: Transition | undefined } | undefined;

  /** Builds the machine, and adds a line to the trace for each step. */
  constructor(
    scenario: Scenario,
    bounds: Bounds,
    conventions: Conventions = {},
    trace?: string[],
  ) {
    this.#actors = new Actors(scenario, conventions, trace);
    this.#sliceNs = conventions.sliceNs ?? Infinity;
    this.#left = { ...bounds, ticks: TICKS };
  }

  /** Brings every actor to its first operation. */
  async begin(): Promise<void> {
    const starting = this.#actors.startWhoCan();
    if (starting !== undefined) await starting;
  }

  /** Whether the thread that acted last can go on, so that others would preempt it. */
  get goesOn(): boolean {
    return this.#goesOn;
  }

  /** The preemptions that are left. */
  get preemptionsLeft(): number {
    return this.#left.preemptions;
  }

  /** Where the run is now. */
  position(): Position {
    return {
      mark: world.mark(),
      left: this.#left,
      goesOn: this.#goesOn,
      lastThread: this.#lastThread,
      lastActor: this.#lastActor,
    };
  }

  /** Takes back whatever was done since. */
  goBack(position: Position): void {
    world.undoTo(position.mark);
    this.#left = position.left;
    this.#goesOn = position.goesOn;
    this.#lastThread = position.lastThread;
    this.#lastActor = position.lastActor;
  }

  /**
   * Two halves of a hash of everything that decides what can happen from now on, but for the
   * preemptions that are left: the machine, the log of each actor, who may go on without being
   * preempted, who may die, and what is left of the other bounds.
   */
  key(): readonly [a: number, b: number] {
    let a = world.hashA;
    let b = world.hashB;
    for (const actor of this.#actors.all) {
      const flags = (actor.dead ? 1 : 0) + (actor.finished ? 2 : 0) + 4 * actor.index;
      a = mix(a, actor.hashA, flags, 0, SEED_A);
      b = mix(b, actor.hashB, flags, 0, SEED_B);
    }
    const { deaths, noise, ticks } = this.#left;
    const turn = this.#goesOn ? this.#lastThread : KERNEL;
    const mortal = this.#mayDie(this.#lastActor) ? this.#lastActor!.index : -1;
    const bounds = deaths + 2 ** 10 * noise + 2 ** 20 * ticks;
    return [mix(a, bounds, turn, mortal, SEED_A), mix(b, bounds, turn, mortal, SEED_B)];
  }

  /** An actor that failed, if one has. */
  failure(): Problem | undefined {
    return this.#actors.failure();
  }

  /** What is wrong with a run in which nothing can happen any more, if anything is. */
  verdict(): Problem | undefined {
    return this.#actors.verdict(this.#left.ticks === 0);
  }

  /** From here on nothing happens but what must: for looking whether a run has ended. */
  endBounds(): void {
    this.#left = { ...this.#left, preemptions: 0, deaths: 0, noise: 0 };
  }

  // ---- what may happen next ----

  /**
   * What may happen next, within the bounds: steps of the thread that acted last come first, deaths
   * last. The rest of this class goes by the latest call.
   */
  choices(): readonly Transition[] {
    const own: Transition[] = [];
    const others: Transition[] = [];
    for (const actor of this.#actors.all) {
      for (const step of this.#actors.stepsOf(actor)) {
        (step.thread === this.#lastThread ? own : others).push(step);
      }
    }
    this.#goesOn = own.length > 0;
    const somebodyCan = this.#goesOn || others.length > 0;
    if (!somebodyCan && world.sleepers.size > 0 && this.#left.ticks > 0) {
      if (!this.#mayTimePass()) return [];
      others.push({ code: "t", kind: "tick", thread: KERNEL, actor: undefined, detail: 0 });
    }
    if (world.sleepers.size > 0) this.#addNoise(others, somebodyCan);
    if (!this.#goesOn || this.#left.preemptions > 0) own.push(...others);
    if (this.#left.deaths > 0) own.push(...this.#kills());
    return own;
  }

  /** Whoever acted last may die before its next operation, or in the sleep that it fell into. */
  #kills(): Transition[] {
    const { all, usual } = this.#actors;
    const atStart = this.#lastThread === KERNEL && this.#lastActor === undefined;
    return all
      .filter((actor) => (atStart || actor === this.#lastActor) && this.#mayDie(actor))
      .map(({ index }) => usual[index]!.kill);
  }

  /** Who has finished is idle, and can die as long as that changes anything. */
  #mayDie(actor: Actor | undefined): boolean {
    if (actor === undefined || this.#left.deaths === 0) return false;
    if (actor.dead || !actor.started || this.#actors.specs[actor.index]!.immortal) return false;
    if (!actor.finished || actor.pending !== undefined || actor.waits.length > 0) return true;
    return lockFilesOf(actor).length > 0;
  }

  /**
   * A sleeper may wake for no reason, or because its own (not a slice's) time is up; and a pause may
   * end while others could go on, which costs a preemption.
   */
  #addNoise(found: Transition[], othersCould: boolean): void {
    const { noise, preemptions } = this.#left;
    for (const sleeper of world.sleepersInOrder()) {
      const { thread, words, woken, deadline } = sleeper;
      if (woken !== "") continue;
      const common = { thread, actor: ownerOf(this.#actors.all, sleeper), detail: thread };
      if (words.length === 0) {
        if (!othersCould || preemptions === 0 || deadline === Infinity) continue;
        found.push({ ...common, code: `e${thread}`, kind: "resume" });
      } else if (noise > 0) {
        found.push({ ...common, code: `z${thread}`, kind: "spurious" });
        if (!this.#isSlice(sleeper)) found.push({ ...common, code: `y${thread}`, kind: "early" });
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
    if (this.#actors.all.some(({ dead }) => dead)) return true;
    return waiting.some((sleeper) => sleeper.words.length === 0 || !this.#isSlice(sleeper));
  }

  /** Whether a sleep lasts until the end of a slice, and not until a deadline that a user set. */
  #isSlice({ deadline, since }: Sleeper): boolean {
    const slice = this.#sliceNs;
    return deadline === Infinity || deadline % slice === 0 || deadline - since === slice;
  }

  // ---- making it happen ----

  /**
   * Takes a step, and after it what `choose` says each time, until that is nothing, or the state was
   * `entered` before: then no actor has been run up to it, and going back must follow.
   */
  async follow(
    first: Transition | undefined,
    choose: () => Transition | undefined,
    entered: () => boolean = () => false,
  ): Promise<void> {
    this.#choose = choose;
    this.#entered = entered;
    for (let next = first; next !== undefined;) {
      this.#chosen = undefined;
      const running = this.#take(next);
      if (running !== undefined) await running;
      next = this.#whatIsNext();
    }
  }

  #whatIsNext(): Transition | undefined {
    return this.#chosen === undefined ? this.#choose() : this.#chosen.transition;
  }

  #take(transition: Transition): void | Promise<void> {
    this.#account(transition);
    const running = this.#actors.perform(transition, {
      goesOnAtOnce: () => this.#goesOnAtOnce(transition.actor!),
      isKnown: () => this.#isKnown(),
    });
    if (this.#chosen === KNOWN) return;
    return running === undefined
      ? this.#actors.startWhoCan()
      : running.then(() => this.#actors.startWhoCan());
  }

  /**
   * Whether the state was entered before, asked before the actor is run up to its next operation: as
   * its log tells what it does, only that it does not end here has to be assumed for the key.
   */
  #isKnown(): boolean {
    this.#goesOn = true;
    if (!this.#entered()) return false;
    this.#chosen = KNOWN;
    return true;
  }

  /**
   * Asked by an actor that has come to its next operation: whether that was performed. It is if the
   * actor is to act next, as its code then need not be run again from the beginning.
   */
  #goesOnAtOnce(actor: Actor): boolean {
    const transition = this.#choose();
    if (transition === undefined || transition !== this.#actors.usual[actor.index]!.step) {
      this.#chosen = { transition };
      return false;
    }
    this.#account(transition);
    world.onUndo(actor.save());
    return this.#actors.operate(actor, 0);
  }

  /** Notes whose turn it is, and what that costs. */
  #account({ actor, kind, thread }: Transition): void {
    const preempts = this.#goesOn && thread !== this.#lastThread || kind === "resume";
    if (kind === "kill") return this.#spend("deaths");
    if (kind === "tick") {
      this.#spend("ticks");
      this.#lastThread = KERNEL; // whoever is roused may go first
      return;
    }
    if (preempts) this.#spend("preemptions");
    if (kind === "spurious" || kind === "early") this.#spend("noise");
    this.#lastThread = thread;
    this.#lastActor = kind === "release" ? undefined : actor;
  }

  #spend(bound: keyof Left): void {
    this.#left = { ...this.#left, [bound]: this.#left[bound] - 1 };
  }
}

/** Nothing is chosen in a state that was entered before. */
const KNOWN = { transition: undefined };
