/**
 * An actor: shipped code that runs until its next operation on shared state, and can be brought
 * back to any earlier point.
 *
 * JavaScript cannot save a call stack. So an actor is run again from its beginning, with the logged
 * results of the operations it has already done, until it asks for one that is not in the log; that
 * one becomes `pending`, and the actor is unwound by throwing through it. Since the code between
 * two operations is deterministic, (log) determines everything about an actor, and going back is
 * cutting the log.
 *
 * Rules that make this sound, enforced here:
 * - an actor builds all its objects inside its function;
 * - once unwinding has begun, every further operation throws again, whatever catch, finally or
 *   using the code has on the way out;
 * - operations are performed by the scheduler exactly once; a copy out of memory is logged.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { UNWIND } from "./unwind.ts";
import { hashOf, textOf } from "./values.ts";
import { mix, SEED_A, SEED_B, textHash } from "./world.ts";

/** An operation on shared state that the scheduler decides about. */
export interface Operation<T = unknown> {
  /** For people, such as `bell or 1`. */
  readonly label: () => string;
  /** Performs it; {@linkcode ASLEEP} if the thread now sleeps, and `wakeResult` gives the result. */
  readonly perform: (thread: number, choice: number) => T | typeof ASLEEP;
  /** In how many ways it can go, if the kernel has a choice; 1 by default. */
  readonly choices?: () => number;
  /** The result of a sleep that has ended. */
  readonly wakeResult?: (thread: number, why: "woken" | "timeout") => T;
}

/** What an operation gives whose thread has fallen asleep. */
export const ASLEEP = Symbol("asleep");

/** A promise of an actor that a thread of its pool will settle. */
interface Waiting {
  readonly operation: Operation;
  /** Which thread of the pool it is: numbered in the order in which they were asked for. */
  readonly thread: number;
  readonly started: boolean;
  readonly settle: (result: unknown) => void;
}

/** What an actor does; scenario.ts tells of it. */
interface Code {
  readonly arrange?: () => unknown;
  readonly body: (arranged: never) => unknown;
}

type Entry =
  | { kind: "done"; operation: Operation; result: unknown }
  | { kind: "local"; result: unknown } // a fact that only this actor can see, but made only once
  | { kind: "begun" } // a promise was asked for
  | { kind: "started"; thread: number } // the pool's thread began on it
  | { kind: "settled"; thread: number; result: unknown };

/** What a result is hashed to. */
interface Outcome {
  readonly a: number;
  readonly b: number;
}

/** What an actor came to after a log: its next operation, or its end. */
interface Memory {
  readonly pending: Operation | undefined;
  readonly outcome?: Outcome;
  readonly result?: unknown;
}

/** So much is remembered of each actor: what an operation refers to is kept with it. */
const MEMORIES = 2 ** 15;

/** Threads of the pool are numbered apart from the actors' own. */
export const POOL = 64;

/** The first runs and then one in so many compare what is asked for with what was asked before. */
const CHECKED_RUNS = 16;

/** The actor that is running at this moment; leaves belong to it. */
let current: Actor | undefined;

/** The actor on whose behalf a leaf is called. */
export function currentActor(): Actor {
  if (current === undefined) {
    throw new Error("Shared state was touched outside of every actor");
  }
  return current;
}

/** Shipped code under the scheduler. */
export class Actor {
  readonly index: number;
  readonly name: string;
  readonly #code: Code;
  readonly #log: Entry[] = [];
  readonly #hashA = [SEED_A];
  readonly #hashB = [SEED_B];
  #cursor = 0;
  #promises = 0;
  #runs = 0;
  #unwinding = false;
  #direct = false;
  #goesOnAtOnce: (() => boolean) | undefined;
  /** The hash of the result, if a text tells all of that. */
  #outcome: Outcome | undefined;
  readonly #memory = new Map<number, Memory>();
  /** Whether what it does now is to be done at once, when the actor begins. */
  isArranging = false;
  /** Things that belong to one run of the body: mapped ranges, open files, per-isolate values. */
  locals: Map<unknown, unknown> = new Map();
  /** The operation that this actor does next. */
  pending: Operation | undefined;
  /** Promises that nobody has settled yet. */
  waits: readonly Waiting[] = [];
  started = false;
  finished = false;
  dead = false;
  result: unknown;
  failure: unknown;

  constructor(index: number, name: string, code: Code) {
    this.index = index;
    this.name = name;
    this.#code = code;
  }

  #begin(): unknown {
    const { arrange, body } = this.#code;
    this.isArranging = arrange !== undefined;
    const arranged = arrange?.();
    this.isArranging = false;
    return body(arranged as never);
  }

  /**
   * One half of a hash of all that decides what the actor still does, or is found to have done: of
   * its log; of its result once it has finished; of nothing if it died before.
   */
  get hashA(): number {
    if (this.dead && !this.finished) return 0;
    return this.#outcome?.a ?? this.#hashA[this.#log.length]!;
  }

  /** The other half. */
  get hashB(): number {
    if (this.dead && !this.finished) return 0;
    return this.#outcome?.b ?? this.#hashB[this.#log.length]!;
  }

  // ---- called by leaves ----

  /** An operation on shared state. */
  operate<T>(operation: Operation<T>): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed(operation as Operation) as T;
    if (this.#direct) return operation.perform(this.index, 0) as T;
    this.pending = operation as Operation;
    this.#remember({ pending: this.pending });
    if (!this.#goesOnAtOnce?.()) throw this.#unwind();
    this.pending = undefined;
    return (this.#log[this.#cursor++] as { result: T }).result;
  }

  /** Something that only this actor can see, done at once, but only once. */
  local<T>(perform: () => T): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed() as T;
    const result = perform();
    if (this.#direct) return result;
    this.#append({ kind: "local", result });
    this.#cursor++;
    return result;
  }

  /** A promise that a thread of the pool settles with the operation's result. */
  promise<T>(operation: Operation<T>): Promise<T> {
    if (this.#unwinding) throw UNWIND;
    if (!this.#isReplaying()) this.#append({ kind: "begun" });
    if (this.#log[this.#cursor++]!.kind !== "begun") throw this.#unwindAsOther();
    const { promise, resolve } = Promise.withResolvers<T>();
    const settle = (result: unknown) => resolve(result as T);
    const thread = this.index + POOL * ++this.#promises;
    const wait = { operation: operation as Operation, thread, started: false, settle };
    this.waits = [...this.waits, wait];
    return promise;
  }

  /** Whether the log tells what happens next; that a thread of the pool began is no news. */
  #isReplaying(): boolean {
    for (; this.#cursor < this.#log.length; this.#cursor++) {
      const entry = this.#log[this.#cursor]!;
      if (entry.kind !== "started") return true;
      this.#setStarted(entry.thread);
    }
    return false;
  }

  /** The logged result; of memory that was private then and is shared by now, too. */
  #replayed(operation?: Operation): unknown {
    const entry = this.#log[this.#cursor++]!;
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
    this.waits = this.waits.map((wait) =>
      wait.thread === thread ? { ...wait, started: true } : wait
    );
  }

  #unwind(): Error {
    this.#unwinding = true;
    return UNWIND;
  }

  /** Ends a run that differs from the ones before it, so that the log does not tell its state. */
  #unwindAsOther(what = "something else"): Error {
    const message = `${this.name} is not deterministic: it did ${what} the second time`;
    return this.crash(new Error(message));
  }

  /** Ends with an error that no code can catch; gives what is to be thrown. */
  crash(error: Error): Error {
    if (this.#direct) return error;
    this.#fail(error);
    return this.#unwind();
  }

  // ---- called by the scheduler ----

  /** Runs the body with everything performed at once: for setting up. */
  runDirectly(): void {
    this.#direct = true;
    current = this;
    try {
      this.result = this.#begin();
    } finally {
      current = undefined;
    }
  }

  /**
   * Runs until the next operation that is not in the log. If `goesOnAtOnce` has performed that one
   * and noted its result, the code goes on with it, and need not be run again.
   */
  run(goesOnAtOnce?: () => boolean): void | Promise<void> {
    this.#goesOnAtOnce = goesOnAtOnce;
    this.#cursor = 0;
    this.#promises = 0;
    this.#runs++;
    this.#unwinding = false;
    this.pending = undefined;
    this.waits = [];
    this.locals = new Map();
    this.started = true;
    this.#outcome = undefined;
    current = this;
    try {
      const result = this.#begin();
      if (result instanceof Promise) return this.#runAsync(result);
      if (!this.#unwinding && this.#isReplaying()) this.#unwindAsOther();
      this.#finish(result);
    } catch (error) {
      this.#fail(error);
    }
    current = undefined;
  }

  /** Notes what the log leads to, if nothing but the last operation's result does. */
  #remember(memory: Memory): void {
    const last = this.#log[this.#log.length - 1];
    if (last?.kind !== "done" || this.waits.length > 0) return;
    if (this.#memory.size === MEMORIES) this.#memory.clear();
    this.#memory.set(this.#key(), memory);
  }

  #key(): number {
    const length = this.#log.length;
    return (this.#hashA[length]! >>> 0) * 2 ** 21 + (this.#hashB[length]! & 2 ** 21 - 1);
  }

  /** Brings it to its next operation without running, if an earlier run came to the same point. */
  recall(): boolean {
    const memory = this.#memory.get(this.#key());
    if (memory === undefined) return false;
    const { pending, outcome, result } = memory;
    this.pending = pending;
    if (pending !== undefined) return true;
    this.finished = true;
    this.result = result;
    this.#outcome = outcome;
    return true;
  }

  async #runAsync(result: Promise<unknown>): Promise<void> {
    result.then((value) => this.#finish(value), (error) => this.#fail(error));
    for (;;) {
      await quiet();
      if (this.#unwinding || !this.#isReplaying()) break;
      const entry = this.#log[this.#cursor++]!;
      const wait = entry.kind === "settled" &&
        this.waits.find(({ thread }) => thread === entry.thread);
      if (!wait) this.#unwindAsOther();
      else {
        this.waits = this.waits.filter((other) => other !== wait);
        wait.settle((entry as { result: unknown }).result);
      }
    }
    if (this.#unwinding) await quiet(); // whatever still runs must be out before the next actor
    current = undefined;
  }

  /** The body returned; on its way out after an operation, this is no news. */
  #finish(value: unknown): void {
    if (this.#unwinding) return;
    this.finished = true;
    this.result = value;
    const text = this.waits.length > 0 ? undefined : textOf(value);
    if (text === undefined) return;
    this.#outcome = { a: textHash(text, SEED_A), b: textHash(text, SEED_B) };
    this.#remember({ pending: undefined, outcome: this.#outcome, result: value });
  }

  #fail(error: unknown): void {
    if (this.#unwinding) return;
    this.finished = true;
    this.failure = error;
  }

  /** Notes the result of the pending operation; `run` must follow, or its code go on at once. */
  noteDone(result: unknown): void {
    this.#append({ kind: "done", operation: this.pending!, result });
  }

  /** Notes that the pool's thread has begun on a promise. */
  noteStarted(thread: number): void {
    this.#append({ kind: "started", thread });
    this.#setStarted(thread);
  }

  /** Notes the result of a promise; `run` must follow. */
  noteSettled(thread: number, result: unknown): void {
    this.#append({ kind: "settled", thread, result });
  }

  #append(entry: Entry): void {
    const result = "result" in entry ? entry.result : undefined;
    const detail = KINDS.indexOf(entry.kind) + ("thread" in entry ? 8 * entry.thread : 0);
    const { hashA, hashB } = this;
    const position = this.#log.push(entry);
    this.#hashA[position] = mix(hashA, hashOf(result, SEED_A), detail, position, SEED_A);
    this.#hashB[position] = mix(hashB, hashOf(result, SEED_B), detail, position, SEED_B);
  }

  /** Gives what brings this actor back to where it is now. */
  save(): () => void {
    const { pending, waits, started, finished, dead, result, failure } = this;
    const outcome = this.#outcome;
    const length = this.#log.length;
    return () => {
      this.#log.length = length;
      this.pending = pending;
      this.waits = waits;
      this.started = started;
      this.finished = finished;
      this.dead = dead;
      this.result = result;
      this.failure = failure;
      this.#outcome = outcome;
    };
  }
}

const KINDS: readonly Entry["kind"][] = ["done", "local", "begun", "started", "settled"];

/** Resolves once every microtask has run, and all that they began: nothing goes on by itself. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
