/**
 * A run of a scenario at one point in time: the steps that are possible within the bounds, taking
 * one, and going back.
 *
 * @module
 */

import type { Actor } from "./actor.ts";
import { Actors, KERNEL, type Problem, type RunOptions, type Transition } from "./actors.ts";
import { mix, SEED_A, SEED_B } from "./hash.ts";
import type { Bounds, Scenario } from "./scenario.ts";
import type { Sleeper, World } from "./world.ts";

/** How much of each bound is left. */
interface Left extends Omit<Bounds, "reorderings"> {
  readonly ticks: number;
}

/** Everything about a run that going back restores, but for the machine and the actors. */
interface Turn {
  left: Left;
  /** Whether the thread that acted last can continue, so that any other would preempt it. */
  goesOn: boolean;
  lastThread: number;
  lastActor: Actor | undefined;
}

/** A point to go back to. */
export interface Position {
  readonly mark: number;
  readonly turn: Readonly<Turn>;
}

/** Decides how a run continues. */
export interface Guide {
  /** Returns the step to take in the present state; undefined to stop there. */
  next(): Transition | undefined;
  /**
   * Whether the run may stop because its state was entered before. This is asked before an actor is
   * run up to the state. The key is that of the state if the actor does not end there.
   */
  wasEntered?(): boolean;
}

/** The place to which a step has led. */
type Reached =
  /** Every actor is at its next operation or its end, and the guide has not been asked. */
  | { readonly at: "state" }
  /** The guide was asked while the actor's code was running, and chose another step or none. */
  | { readonly at: "decision"; readonly next: Transition | undefined }
  /** The state was entered before, so no actor was run up to it. */
  | { readonly at: "known state" };

const STATE: Reached = { at: "state" };
const KNOWN_STATE: Reached = { at: "known state" };

/** Time may pass so often in one run while everybody sleeps; after that, it is a hang. */
const TICKS = 40;

/** A run that takes more steps than this does not end, unless its scenario says so. */
const LONGEST = 1500;

/** The state of a scenario while it runs. */
export class Run {
  readonly world: World;
  readonly #actors: Actors;
  readonly #sliceNs: number;
  readonly #anyMayDie: boolean;
  readonly #longest: number;
  #turn: Turn;

  /** Builds the machine and the actors. */
  constructor(scenario: Scenario, bounds: Bounds, options: RunOptions = {}) {
    this.#actors = new Actors(scenario, options);
    this.#longest = scenario.longest ?? LONGEST;
    this.world = this.#actors.world;
    this.#sliceNs = options.conventions?.sliceNs ?? Infinity;
    this.#anyMayDie = options.anyMayDie ?? false;
    if (bounds.reorderings) this.#actors.weaken(bounds.reorderings);
    const left = { ...bounds, ticks: TICKS };
    this.#turn = { left, goesOn: false, lastThread: KERNEL, lastActor: undefined };
  }

  /** Brings every actor to its first operation. */
  begin(): void | Promise<void> {
    return this.#actors.startWhoCan();
  }

  /** The actors, in the order of the scenario. */
  get actors(): readonly Actor[] {
    return this.#actors.all;
  }

  /** Whether memory is weak. */
  get isWeak(): boolean {
    return this.#actors.isWeak;
  }

  /** Whether the thread that acted last can continue, so that any other would preempt it. */
  get goesOn(): boolean {
    return this.#turn.goesOn;
  }

  /** The number of preemptions that are left. */
  get preemptionsLeft(): number {
    return this.#turn.left.preemptions;
  }

  /** Returns the present point, to go back to. */
  position(): Position {
    return { mark: this.world.mark(), turn: { ...this.#turn } };
  }

  /** Undoes every step since a point. */
  goBack({ mark, turn }: Position): void {
    this.world.undoTo(mark);
    this.#turn = { ...turn };
  }

  /**
   * Returns two halves of a hash of everything that decides the future, except for the preemptions
   * that are left: the machine, the log of each actor, the thread that may continue without being
   * preempted, the actor that may die, and the rest of the other bounds.
   */
  key(): readonly [a: number, b: number] {
    let a = this.world.hashA;
    let b = this.world.hashB;
    for (const actor of this.#actors.all) {
      const flags = (actor.dead ? 1 : 0) + (actor.finished ? 2 : 0) + 4 * actor.index;
      a = mix(a, actor.hashA, flags, 0, SEED_A);
      b = mix(b, actor.hashB, flags, 0, SEED_B);
    }
    const { left, goesOn, lastThread, lastActor } = this.#turn;
    const turn = goesOn ? lastThread : KERNEL;
    const mortal = this.#mayDie(lastActor) ? lastActor!.index : -1;
    const bounds = left.deaths + 2 ** 10 * left.noise + 2 ** 20 * left.ticks;
    return [mix(a, bounds, turn, mortal, SEED_A), mix(b, bounds, turn, mortal, SEED_B)];
  }

  // ---- the end ----

  /**
   * Returns "well", or what is wrong, if a run can end after so many steps; undefined if it cannot
   * end here. It can end where an actor could still die, as no actor has to.
   */
  ended(choices: readonly Transition[], steps: number): Problem | "well" | undefined {
    const failure = this.#actors.failure();
    if (failure !== undefined) return failure;
    if (choices.every(({ kind }) => kind === "kill")) {
      return this.#actors.verdict(this.#turn.left.ticks === 0) ?? "well";
    }
    if (steps < this.#longest) return undefined;
    return { kind: "hang", message: `the run does not end within ${this.#longest} steps` };
  }

  /** Returns what {@linkcode ended} would return if nothing were left of the bounds. */
  endedWithinBounds(steps: number): Problem | "well" | undefined {
    const position = this.position();
    this.#turn.left = { ...this.#turn.left, preemptions: 0, deaths: 0, noise: 0 };
    const ended = this.ended(this.choices(), steps);
    this.goBack(position);
    return ended;
  }

  // ---- possible steps ----

  /**
   * Returns the steps that are possible within the bounds. Steps of the thread that acted last come
   * first, and deaths last. It also determines {@linkcode goesOn}.
   */
  choices(): readonly Transition[] {
    const { left, lastThread } = this.#turn;
    const own: Transition[] = [];
    const others: Transition[] = [];
    for (const actor of this.#actors.all) {
      for (const step of this.#actors.stepsOf(actor)) {
        (step.thread === lastThread ? own : others).push(step);
      }
    }
    const goesOn = this.#turn.goesOn = own.length > 0;
    const somebodyCan = goesOn || others.length > 0;
    const somebodySleeps = this.world.sleepers.size > 0;
    const visible = this.#actors.visibleSteps();
    if (!somebodyCan && visible.length > 0) return visible; // no store takes as long as time
    if (!somebodyCan && somebodySleeps && left.ticks > 0) {
      if (!this.#mayTimePass()) return [];
      others.push({ code: "t", kind: "tick", thread: KERNEL, actor: undefined, detail: 0 });
    }
    if (somebodySleeps) this.#addNoise(others, somebodyCan);
    if (!goesOn || left.preemptions > 0) own.push(...others);
    if (visible.length > 0) own.push(...visible);
    if (left.deaths > 0) own.push(...this.#kills());
    return own;
  }

  /**
   * The actor that acted last may die before its next operation, or in the sleep it fell into. A
   * death of any other would lead to a state that the search has reached from an earlier one.
   */
  #kills(): Transition[] {
    const { all, usual } = this.#actors;
    const { lastThread, lastActor } = this.#turn;
    const any = this.#anyMayDie || lastThread === KERNEL && lastActor === undefined;
    return all
      .filter((actor) => (any || actor === lastActor) && this.#mayDie(actor))
      .map(({ index }) => usual[index]!.kill);
  }

  /** An actor that has finished is idle, and can die as long as that changes anything. */
  #mayDie(actor: Actor | undefined): boolean {
    if (actor === undefined || this.#turn.left.deaths === 0) return false;
    if (actor.dead || !actor.started || this.#actors.specs[actor.index]!.immortal) return false;
    if (!actor.finished || actor.pending !== undefined || actor.waits.length > 0) return true;
    return this.#actors.lockFilesOf(actor).length > 0;
  }

  /**
   * A sleep may end for no reason, or because its deadline passes, if that is not the end of a
   * slice. A pause may end while others could continue, which costs a preemption.
   */
  #addNoise(found: Transition[], othersCould: boolean): void {
    const { noise, preemptions } = this.#turn.left;
    for (const sleeper of this.world.sleepersInOrder()) {
      const { thread, words, woken, deadline } = sleeper;
      if (woken !== "") continue;
      const common = { thread, actor: this.#actors.ownerOf(sleeper), detail: thread };
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
   * Whether time may pass while everybody alive sleeps. It may for a pause, for a deadline that a
   * user set, and after a death, because slices exist for deaths. Otherwise a wake-up was lost.
   */
  #mayTimePass(): boolean {
    const waiting = [...this.world.sleepers.values()].filter(({ woken, deadline }) =>
      woken === "" && deadline !== Infinity
    );
    if (waiting.length === 0) return false;
    if (this.#actors.all.some(({ dead }) => dead)) return true;
    return waiting.some((sleeper) => sleeper.words.length === 0 || !this.#isSlice(sleeper));
  }

  /** Whether a sleep lasts until the end of a slice instead of a deadline that a user set. */
  #isSlice({ deadline, since }: Sleeper): boolean {
    const slice = this.#sliceNs;
    return deadline === Infinity || deadline % slice === 0 || deadline - since === slice;
  }

  // ---- taking steps ----

  /** Takes a step, and then those that the guide returns, until it returns none. */
  follow(first: Transition | undefined, guide: Guide): void | Promise<void> {
    for (let next = first; next !== undefined;) {
      const taking = this.#take(next, guide);
      if (taking instanceof Promise) {
        return taking.then((reached) => this.follow(this.#nextAfter(reached, guide), guide));
      }
      next = this.#nextAfter(taking, guide);
    }
  }

  #nextAfter(reached: Reached, guide: Guide): Transition | undefined {
    if (reached.at === "known state") return undefined;
    return reached.at === "decision" ? reached.next : guide.next();
  }

  #take(transition: Transition, guide: Guide): Reached | Promise<Reached> {
    this.#account(transition);
    const actor = this.#actors.perform(transition);
    if (actor !== undefined) {
      this.#turn.goesOn = true; // so it is in the key, if the actor does not end
      if (guide.wasEntered?.()) return KNOWN_STATE;
      if (!actor.recall()) return this.#runOn(actor, guide);
    }
    const starting = this.#actors.startWhoCan();
    return starting === undefined ? STATE : starting.then(() => STATE);
  }

  /**
   * Runs the code of an actor. While the guide chooses the actor's next operation, it is performed
   * in the middle of the code, which then need not run again from the beginning.
   */
  #runOn(actor: Actor, guide: Guide): Reached | Promise<Reached> {
    let reached = STATE;
    const running = actor.run(() => {
      const next = guide.next();
      if (next !== this.#actors.usual[actor.index]!.step) {
        reached = { at: "decision", next };
        return false;
      }
      this.#account(next);
      this.world.onUndo(actor.save());
      return this.#actors.operate(actor, 0);
    });
    const starting = running === undefined
      ? this.#actors.startWhoCan()
      : running.then(() => this.#actors.startWhoCan());
    return starting === undefined ? reached : starting.then(() => reached);
  }

  /** Notes whose turn it is, and spends the bounds that the step costs. */
  #account({ actor, kind, thread }: Transition): void {
    const turn = this.#turn;
    if (kind === "visible") return; // the processor's doing, and nobody's turn
    const preempts = turn.goesOn && thread !== turn.lastThread || kind === "resume";
    if (kind === "kill") return this.#spend("deaths");
    if (kind === "tick") {
      this.#spend("ticks");
      turn.lastThread = KERNEL; // any sleeper whose time is up may act first
      return;
    }
    if (preempts) this.#spend("preemptions");
    if (kind === "spurious" || kind === "early") this.#spend("noise");
    turn.lastThread = thread;
    turn.lastActor = kind === "release" ? undefined : actor;
  }

  #spend(bound: keyof Left): void {
    const { left } = this.#turn;
    this.#turn.left = { ...left, [bound]: left[bound] - 1 };
  }
}
