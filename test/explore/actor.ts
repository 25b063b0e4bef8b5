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

import { mix, textHash } from "./world.ts";

/** An operation on shared state that the scheduler decides about. */
export interface Operation<T = unknown> {
  /** For people, such as `bell or 1`. */
  readonly label: () => string;
  /** Performs it; {@linkcode ASLEEP} if the thread now sleeps, and `wakeResult` gives the result. */
  readonly perform: (thread: number) => T | typeof ASLEEP;
  /** The result of a sleep that has ended. */
  readonly wakeResult?: (thread: number, why: "woken" | "timeout") => T;
}

/** What an operation gives whose thread has fallen asleep. */
export const ASLEEP = Symbol("asleep");

/** Thrown through an actor to stop it at an operation. */
export const UNWIND = new Error("this actor is being unwound");

/** A promise of an actor that a thread of its pool will settle. */
interface Waiting {
  readonly operation: Operation;
  /** Which thread of the pool it is: numbered in the order in which they were asked for. */
  readonly thread: number;
  started: boolean;
  settle(result: unknown): void;
}

type Entry =
  | { kind: "done"; result: unknown } // an operation, or a local fact that must not be done twice
  | { kind: "begun" } // a promise was asked for
  | { kind: "started"; thread: number } // the pool's thread fell asleep for it
  | { kind: "settled"; thread: number; result: unknown };

/** Threads of the pool are numbered apart from the actors' own. */
export const POOL = 64;

/** How many rounds of microtasks let everything that can go on in an actor go on. */
const ROUNDS = 40;

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
  readonly #body: () => unknown;
  #log: Entry[] = [];
  #hashes: (readonly [number, number])[] = [[0, 0]];
  #cursor = 0;
  #promises = 0;
  #unwinding = false;
  #direct = false;
  /** Things that belong to one run of the body: mapped ranges, open files, per-isolate values. */
  locals = new Map<unknown, unknown>();
  /** The operation that this actor does next. */
  pending: Operation | undefined;
  /** Promises that nobody has settled yet. */
  waits: Waiting[] = [];
  started = false;
  finished = false;
  dead = false;
  result: unknown;
  failure: unknown;

  constructor(index: number, name: string, body: () => unknown) {
    this.index = index;
    this.name = name;
    this.#body = body;
  }

  /** The hash of the log, which stands for the state of the actor. */
  get hash(): readonly [number, number] {
    return this.#hashes[this.#hashes.length - 1]!;
  }

  // ---- called by leaves ----

  /** An operation on shared state. */
  operate<T>(operation: Operation<T>): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed() as T;
    if (this.#direct) return operation.perform(this.index) as T;
    this.pending = operation as Operation;
    this.#unwinding = true;
    throw UNWIND;
  }

  /** Something that only this actor can see, done at once, but only once. */
  local<T>(perform: () => T): T {
    if (this.#unwinding) throw UNWIND;
    if (this.#isReplaying()) return this.#replayed() as T;
    const result = perform();
    if (this.#direct) return result;
    this.#append({ kind: "done", result });
    this.#cursor++;
    return result;
  }

  /** A promise that a thread of the pool settles with the operation's result. */
  promise<T>(operation: Operation<T>): Promise<T> {
    if (this.#unwinding) throw UNWIND;
    if (!this.#isReplaying()) this.#append({ kind: "begun" });
    this.#cursor++;
    const { promise, resolve } = Promise.withResolvers<T>();
    const settle = (result: unknown) => resolve(result as T);
    const thread = this.index + POOL * ++this.#promises;
    this.waits.push({ operation: operation as Operation, thread, started: false, settle });
    return promise;
  }

  /** Whether the log tells what happens next; that a thread of the pool fell asleep is no news. */
  #isReplaying(): boolean {
    for (; this.#cursor < this.#log.length; this.#cursor++) {
      const entry = this.#log[this.#cursor]!;
      if (entry.kind !== "started") return true;
      this.waits.find(({ thread }) => thread === entry.thread)!.started = true;
    }
    return false;
  }

  #replayed(): unknown {
    const entry = this.#log[this.#cursor++]!;
    if (entry.kind === "done") return entry.result;
    throw new Error(`${this.name} is not deterministic: it did something else the second time`);
  }

  // ---- called by the scheduler ----

  /** Runs the body with everything performed at once: for setting up. */
  runDirectly(): void {
    this.#direct = true;
    current = this;
    try {
      this.result = this.#body();
    } finally {
      current = undefined;
    }
  }

  /** Runs until the next operation that is not in the log. */
  run(): void | Promise<void> {
    this.#cursor = 0;
    this.#promises = 0;
    this.#unwinding = false;
    this.pending = undefined;
    this.waits = [];
    this.locals = new Map();
    this.started = true;
    current = this;
    try {
      const result = this.#body();
      if (result instanceof Promise) {
        return this.#runAsync(result);
      }
      this.#finish(result);
    } catch (error) {
      if (!this.#unwinding) this.#fail(error);
    }
    current = undefined;
  }

  async #runAsync(result: Promise<unknown>): Promise<void> {
    result.then((value) => {
      if (!this.#unwinding) this.#finish(value);
    }, (error) => {
      if (!this.#unwinding) this.#fail(error);
    });
    for (;;) {
      await quiet();
      if (this.#unwinding || !this.#isReplaying()) break;
      const entry = this.#log[this.#cursor++]!;
      if (entry.kind !== "settled") {
        throw new Error(`${this.name} is not deterministic: it waits where it did not`);
      }
      const at = this.waits.findIndex(({ thread }) => thread === entry.thread);
      this.waits.splice(at, 1)[0]!.settle(entry.result);
    }
    if (this.#unwinding) await quiet(); // whatever still runs must be out before the next actor
    current = undefined;
  }

  #finish(value: unknown): void {
    this.finished = true;
    this.result = value;
  }

  #fail(error: unknown): void {
    this.finished = true;
    this.failure = error;
  }

  /** Notes the result of the pending operation; `run` must follow. */
  noteDone(result: unknown): void {
    this.#append({ kind: "done", result });
  }

  /** Notes that the pool's thread has fallen asleep for a promise. */
  noteStarted(thread: number): void {
    this.#append({ kind: "started", thread });
    this.waits.find((wait) => wait.thread === thread)!.started = true;
  }

  /** Notes the result of a promise; `run` must follow. */
  noteSettled(thread: number, result: unknown): void {
    this.#append({ kind: "settled", thread, result });
  }

  #append(entry: Entry): void {
    this.#log.push(entry);
    const [a, b] = this.hash;
    const result = hashOf("result" in entry ? entry.result : 0);
    const detail = textHash(entry.kind) ^ ("thread" in entry ? entry.thread : 0);
    const position = this.#log.length;
    this.#hashes.push([
      mix(a, result, detail, position, 0x9e3779b1),
      mix(b, result, detail, position, 0x85ebca6b),
    ]);
  }

  /** Everything that `restore` needs to bring this actor back. */
  save(): () => void {
    const { pending, waits, locals, started, finished, dead, result, failure } = this;
    const length = this.#log.length;
    const startedWaits = waits.map((wait) => wait.started);
    return () => {
      this.#log.length = length;
      this.#hashes.length = length + 1;
      Object.assign(this, { pending, waits, locals, started, finished, dead, result, failure });
      waits.forEach((wait, i) => wait.started = startedWaits[i]!);
    };
  }
}

async function quiet(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) await null;
}

function hashOf(value: unknown): number {
  if (typeof value === "number") return mix(value, 1, 0, 0, 0x9e3779b1);
  if (typeof value === "string") return textHash(value);
  if (typeof value === "boolean") return value ? 3 : 2;
  if (value instanceof Uint8Array) return value.reduce((h, byte) => Math.imul(h, 31) + byte | 0, 7);
  if (value === undefined || value === null) return 5;
  return textHash(JSON.stringify(value));
}

// Code that is unwound can leave rejected promises behind that nobody waits for.
globalThis.addEventListener("unhandledrejection", (event) => {
  if (isUnwinding(event.reason)) event.preventDefault();
});

// What a listener throws, such as one of an abort signal, goes to the global scope.
globalThis.addEventListener("error", (event) => {
  if (isUnwinding(event.error)) event.preventDefault();
});

function isUnwinding(reason: unknown): boolean {
  if (reason === UNWIND) return true;
  if (!(reason instanceof SuppressedError)) return false;
  return isUnwinding(reason.error) || isUnwinding(reason.suppressed);
}
