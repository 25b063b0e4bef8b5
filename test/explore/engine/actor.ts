/**
 * An actor: shipped code that runs until its next operation on shared state, and can be brought
 * back to any earlier point.
 *
 * JavaScript cannot save a call stack. So an actor logs the results of its operations. To reach a
 * point, its code runs again from the beginning and receives the logged results. The first
 * operation beyond the log becomes `pending`, and an exception unwinds the actor. The code between
 * two operations is deterministic, so the log decides everything about an actor, and going back
 * means cutting the log.
 *
 * The rules that make this sound:
 * - an actor builds all its objects inside its function;
 * - once unwinding has begun, every further operation throws again, so `catch`, `finally` and
 *   `using` on the way out cannot act;
 * - the scheduler performs each operation exactly once, and the log keeps what a copy out of memory
 *   returned.
 *
 * @module
 */

import { SEED_A, SEED_B, textHash } from "./hash.ts";
import { type Entry, Log } from "./log.ts";
import type { Operation } from "./operation.ts";
import { quiet } from "./quiet.ts";
import { UNWIND } from "./unwind.ts";
import { textOf } from "./values.ts";
import type { World } from "./world.ts";

/** A promise of an actor that a thread of its pool will settle. */
interface Waiting {
  readonly operation: Operation;
  /** The thread of the pool; threads are numbered in the order in which the actor asks for them. */
  readonly thread: number;
  readonly started: boolean;
  readonly settle: (result: unknown) => void;
}

/** The code of an actor; scenario.ts describes it. */
interface Code {
  readonly arrange?: () => unknown;
  readonly body: (arranged: never) => unknown;
}

/** The hash of an actor's result. */
interface Outcome {
  readonly a: number;
  readonly b: number;
}

/** The point to which a log leads: the next operation, or the end. */
interface Memory {
  readonly pending: Operation | undefined;
  readonly outcome?: Outcome;
  readonly result?: unknown;
}

/** Everything about an actor that going back restores. */
interface State {
  /** The results of the operations since the code began, or began again. */
  log: Log;
  /** The length of the log. */
  length: number;
  pending: Operation | undefined;
  waits: readonly Waiting[];
  started: boolean;
  finished: boolean;
  dead: boolean;
  result: unknown;
  failure: unknown;
  /** The hash of the result, if a text contains all of the result. */
  outcome: Outcome | undefined;
}

/** Each actor remembers so many points; a remembered operation keeps its objects alive. */
const MEMORIES = 2 ** 15;

/**
 * Returned by code that is to begin again and depends on nothing that it did before: a loop whose
 * turns would otherwise differ by their logs. It creates no memory, no files and no promises.
 */
export const AGAIN = Symbol("again");

/** Threads of a pool have numbers from here on, and the actors' own threads have lower ones. */
export const POOL = 64;

/** The first runs, and then one in so many, compare each operation with the logged one. */
const CHECKED_RUNS = 16;

/** The actor whose code is running; calls of leaves belong to it. */
let current: Actor | undefined;

/** Returns the actor whose code calls. */
export function currentActor(): Actor {
  if (current === undefined) {
    throw new Error("Shared state was touched outside of every actor");
  }
  return current;
}

/** Shipped code under the scheduler. */
export class Actor {
  /** The machine; code of the actor may read what no operation changes. */
  readonly world: World;
  readonly index: number;
  readonly name: string;
  readonly #code: Code;
  readonly #atOperation: ((actor: Actor) => void) | undefined;
  readonly #memory = new Map<number, Memory>();
  #state: State = {
    log: new Log(),
    length: 0,
    pending: undefined,
    waits: [],
    started: false,
    finished: false,
    dead: false,
    result: undefined,
    failure: undefined,
    outcome: undefined,
  };

  // What follows belongs to one run of the code.
  #cursor = 0;
  #promises = 0;
  #runs = 0;
  #unwinding = false;
  #direct = false;
  #isArranging = false;
  #performNow: (() => boolean) | undefined;
  /** Objects that belong to one run of the code: mapped ranges, open files, per-isolate values. */
  locals: Map<unknown, unknown> = new Map();

  /** `atOperation` is called within the code of the actor, at each operation beyond the log. */
  constructor(
    world: World,
    index: number,
    name: string,
    code: Code,
    atOperation?: (actor: Actor) => void,
  ) {
    this.world = world;
    this.index = index;
    this.name = name;
    this.#code = code;
    this.#atOperation = atOperation;
  }

  /** The operation that this actor does next. */
  get pending(): Operation | undefined {
    return this.#state.pending;
  }

  /** The promises that are not settled yet. */
  get waits(): readonly Waiting[] {
    return this.#state.waits;
  }

  get started(): boolean {
    return this.#state.started;
  }

  get finished(): boolean {
    return this.#state.finished;
  }

  get dead(): boolean {
    return this.#state.dead;
  }

  get result(): unknown {
    return this.#state.result;
  }

  get failure(): unknown {
    return this.#state.failure;
  }

  /** Whether its present operation is part of what the actor arranges. */
  get isArranging(): boolean {
    return this.#isArranging;
  }

  /**
   * The first half of a hash of everything that decides what the actor still does, or is found to
   * have done: its log, its result once it has finished, 0 if it died before that.
   */
  get hashA(): number {
    const { dead, finished, outcome, log, length } = this.#state;
    if (dead && !finished) return 0;
    return outcome?.a ?? log.hashA(length);
  }

  /** The second half. */
  get hashB(): number {
    const { dead, finished, outcome, log, length } = this.#state;
    if (dead && !finished) return 0;
    return outcome?.b ?? log.hashB(length);
  }

  // ---- called by leaves ----

  /** Has the scheduler perform an operation on shared state, and returns the result. */
  operate<T>(operation: Operation<T>): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed(operation as Operation) as T;
    if (this.#direct) return operation.perform(this.world, this.index, 0) as T;
    this.#state.pending = operation as Operation;
    this.#atOperation?.(this);
    this.#remember({ pending: this.#state.pending });
    if (!this.#performNow?.()) throw this.#unwind();
    this.#state.pending = undefined;
    return (this.#state.log.at(this.#cursor++) as { result: T }).result;
  }

  /** Performs at once something that only this actor can see, and logs the result. */
  local<T>(perform: (world: World) => T): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed() as T;
    const result = perform(this.world);
    if (this.#direct) return result;
    this.#append({ kind: "local", result });
    this.#cursor++;
    return result;
  }

  /** Returns a promise that a thread of the pool settles with the operation's result. */
  promise<T>(operation: Operation<T>): Promise<T> {
    if (this.#unwinding) throw UNWIND;
    if (!this.#isReplaying()) this.#append({ kind: "begun" });
    if (this.#state.log.at(this.#cursor++).kind !== "begun") throw this.#unwindAsOther();
    const { promise, resolve } = Promise.withResolvers<T>();
    const settle = (result: unknown) => resolve(result as T);
    const thread = this.index + POOL * ++this.#promises;
    const wait = { operation: operation as Operation, thread, started: false, settle };
    this.#state.waits = [...this.#state.waits, wait];
    if (!this.#isReplaying()) this.#atOperation?.(this);
    return promise;
  }

  /** Ends the actor with an error that its code cannot catch, and returns what is to be thrown. */
  crash(error: Error): Error {
    if (this.#direct) return error;
    this.#fail(error);
    return this.#unwind();
  }

  /** Whether the log decides what happens next. The code does not notice that a thread began. */
  #isReplaying(): boolean {
    for (; this.#cursor < this.#state.length; this.#cursor++) {
      const entry = this.#state.log.at(this.#cursor);
      if (entry.kind !== "started") return true;
      this.#setStarted(entry.thread);
    }
    return false;
  }

  /** Returns the logged result. Memory that is shared by now may have been private then. */
  #replayed(operation?: Operation): unknown {
    const entry = this.#state.log.at(this.#cursor++);
    if (entry.kind === "local") return entry.result;
    if (entry.kind !== "done" || operation === undefined) throw this.#unwindAsOther();
    if (this.#isChecked) {
      const [before, now] = [entry.operation.label(), operation.label()];
      if (before !== now) throw this.#unwindAsOther(`"${now}" where it did "${before}"`);
    }
    return entry.result;
  }

  get #isChecked(): boolean {
    return this.#runs < CHECKED_RUNS || this.#runs % CHECKED_RUNS === 0;
  }

  #setStarted(thread: number): void {
    this.#state.waits = this.#state.waits.map((wait) =>
      wait.thread === thread ? { ...wait, started: true } : wait
    );
  }

  #unwind(): Error {
    this.#unwinding = true;
    return UNWIND;
  }

  /** Ends a run that differs from an earlier one: the log does not decide its state. */
  #unwindAsOther(what = "something else"): Error {
    const message = `${this.name} is not deterministic: it did ${what} the second time`;
    return this.crash(new Error(message));
  }

  // ---- called by the scheduler ----

  /** Runs the code and performs every operation at once: for setting up. */
  runDirectly(): void {
    this.#direct = true;
    current = this;
    try {
      this.#state.result = this.#begin();
    } finally {
      current = undefined;
    }
  }

  /**
   * Runs until the next operation beyond the log. `performNow` may perform that one and note its
   * result; if it returns true, the code continues instead of being unwound and run again.
   */
  run(performNow?: () => boolean): void | Promise<void> {
    this.#performNow = performNow;
    this.#cursor = 0;
    this.#promises = 0;
    this.#runs++;
    this.#unwinding = false;
    this.locals = new Map();
    const state = this.#state;
    state.pending = undefined;
    state.waits = [];
    state.started = true;
    state.outcome = undefined;
    current = this;
    try {
      let result = this.#begin();
      while (result === AGAIN && !this.#unwinding) result = this.#beginAgain();
      if (result instanceof Promise) return this.#runAsync(result);
      if (!this.#unwinding && this.#isReplaying()) this.#unwindAsOther();
      this.#finish(result);
    } catch (error) {
      this.#fail(error);
    }
    current = undefined;
  }

  #begin(): unknown {
    const { arrange, body } = this.#code;
    this.#isArranging = arrange !== undefined;
    const arranged = arrange?.();
    this.#isArranging = false;
    return body(arranged as never);
  }

  /** Forgets what the code has done, so that it is where it was when it began. */
  #beginAgain(): unknown {
    if (this.#isReplaying()) throw this.#unwindAsOther();
    if (this.#cursor === 0) throw new Error(`${this.name} begins again and does nothing`);
    this.#state.log = new Log();
    this.#state.length = 0;
    this.#cursor = 0;
    this.locals = new Map();
    return this.#begin();
  }

  async #runAsync(result: Promise<unknown>): Promise<void> {
    result.then((value) => this.#finish(value), (error) => this.#fail(error));
    for (;;) {
      await quiet();
      if (this.#unwinding || !this.#isReplaying()) break;
      const entry = this.#state.log.at(this.#cursor++);
      const wait = entry.kind === "settled" &&
        this.waits.find(({ thread }) => thread === entry.thread);
      if (!wait) this.#unwindAsOther();
      else {
        this.#state.waits = this.waits.filter((other) => other !== wait);
        wait.settle((entry as { result: unknown }).result);
      }
    }
    if (this.#unwinding) await quiet(); // lets the rest of its code end before the next actor runs
    current = undefined;
  }

  /** Notes the result of the code, unless the code returned because it was unwound. */
  #finish(value: unknown): void {
    if (this.#unwinding) return;
    this.#state.finished = true;
    this.#state.result = value;
    const text = this.waits.length > 0 ? undefined : textOf(value);
    if (text === undefined) return;
    const outcome = { a: textHash(text, SEED_A), b: textHash(text, SEED_B) };
    this.#state.outcome = outcome;
    this.#remember({ pending: undefined, outcome, result: value });
  }

  #fail(error: unknown): void {
    if (this.#unwinding) return;
    this.#state.finished = true;
    this.#state.failure = error;
  }

  /** Remembers where the log leads, if the log ends with an operation and no promise is open. */
  #remember(memory: Memory): void {
    const { length, waits } = this.#state;
    if (length === 0 || this.#state.log.at(length - 1).kind !== "done" || waits.length > 0) return;
    if (this.#memory.size === MEMORIES) this.#memory.clear();
    this.#memory.set(this.#state.log.key(length), memory);
  }

  /** Returns true and is at its next operation, without a run, if an earlier run had this log. */
  recall(): boolean {
    const state = this.#state;
    const memory = this.#memory.get(this.#state.log.key(state.length));
    if (memory === undefined) return false;
    state.pending = memory.pending;
    if (memory.pending !== undefined) return true;
    state.finished = true;
    state.result = memory.result;
    state.outcome = memory.outcome;
    return true;
  }

  /** Notes the result of the pending operation; the code must then run again, or continue. */
  noteDone(result: unknown): void {
    this.#append({ kind: "done", operation: this.pending!, result });
  }

  /** Notes that the thread of the pool has begun on a promise. */
  noteStarted(thread: number): void {
    this.#append({ kind: "started", thread });
    this.#setStarted(thread);
  }

  /** Notes the result of a promise; the code must then run again. */
  noteSettled(thread: number, result: unknown): void {
    this.#append({ kind: "settled", thread, result });
  }

  #append(entry: Entry): void {
    this.#state.length = this.#state.log.append(this.#state.length, entry);
  }

  /** Ends it where it is: its code never runs again. */
  die(): void {
    this.#state.dead = true;
  }

  /** Returns a function that brings this actor back to where it is now. */
  save(): () => void {
    const saved = { ...this.#state };
    return () => {
      this.#state = saved;
    };
  }
}
