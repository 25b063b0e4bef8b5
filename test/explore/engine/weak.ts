/**
 * Weak memory, as on Arm: a store may become visible after later operations of its thread, and a
 * load may be served before earlier ones. Without this file, memory is sequentially consistent.
 *
 * A thread has stores that are *pending*: performed in its program, and not visible to others. A
 * search decides at each store whether it is visible at once, and, in each later state, whether a
 * pending one becomes visible there. A thread also has a *history* of the changes since the last
 * operation that ordered its loads. A search decides at each load whether it returns the newest
 * value, or an older one of the history, as if it had been served before earlier plain loads. Each
 * pending store and each early load spends one of the run's reorderings.
 *
 * | operation           | stores                                  | loads                            |
 * | ------------------- | --------------------------------------- | -------------------------------- |
 * | plain store         | may become visible late                 |                                  |
 * | release (stlr)      | the same, and after all earlier stores  | later acquires come after it     |
 * | plain load          |                                         | may be early                     |
 * | acquire (ldar)      | earlier releases are visible before it  | may be early; later loads are    |
 * |                     |                                         | served after it                  |
 * | last load           | the same                                | not early; later loads are       |
 * | (dmb, ldar)         |                                         | served after it                  |
 * | all others, deaths  | all earlier stores are visible before   | no later load is early           |
 * | a barrier for       | all earlier stores of that thread are   | no later load of that thread is  |
 * | another thread      | visible before                          | early                            |
 *
 * A store never passes another of its thread to the same bytes, and loads of the same bytes never go
 * back. A thread's load of bytes that it has pending makes them visible first: a processor would
 * forward them.
 *
 * The rows follow from the architecture's order of memory: an `stlr` comes after everything before
 * it, and no later `ldar` passes it; an `ldar` comes before everything after it; a `dmb` and a
 * read-modify-write that acquires and releases (`ldaddal`, `casal`) order everything.
 *
 * The model leaves three things out. A store does not pass an earlier load of its thread (load
 * buffering), as the code needs the load's result first. Dependencies order nothing, though they
 * order some loads on Arm. And no plain store passes a read-modify-write, as one may where that is a
 * loop of `ldaxr` and `stlxr`.
 *
 * @module
 */

import type { Actor } from "./actor.ts";
import { mix, SEED_A, SEED_B } from "./hash.ts";
import type { Access, Cells, Operation } from "./operation.ts";
import { Fact, type Inode, type World } from "./world.ts";

/** A store that is not visible yet. */
interface PendingStore {
  readonly operation: Operation;
  readonly access: Access;
  /** The hash of the actor's log, which tells what is stored. */
  readonly log: number;
}

/** A word that another thread changed, or this one. */
interface Change {
  readonly inode: Inode;
  readonly index: number;
  readonly before: number;
  /** Changes of one operation have one number. */
  readonly operation: number;
  /** Whether no later load of the word returns what was there before. */
  readonly isSeen: boolean;
  /** Whether a release of this thread came later, so that no later acquire is served before it. */
  readonly isReleased: boolean;
}

/** Whether a plain load came since the last operation that ordered all loads; a release may follow. */
type Loaded = "no" | "yes" | "released";

interface Thread {
  readonly pending: readonly PendingStore[];
  /** Oldest first. The beginning is the earliest moment at which a load can still be served. */
  readonly history: readonly Change[];
  /** Two halves of a hash of the history. */
  readonly a: number;
  readonly b: number;
  readonly loaded: Loaded;
}

const IDLE: Thread = { pending: [], history: [], a: 0, b: 0, loaded: "no" };
const NOBODY = -1;

/** The pending stores and the histories of all actors. */
export class WeakMemory {
  readonly #world: World;
  readonly #actors: readonly Actor[];
  readonly #threads: Thread[];
  readonly #note: (actor: Actor, what: string) => void;
  #left: number;
  /** The thread that performs an operation. */
  #acting = NOBODY;
  #operations = 0;
  /** What the operation has changed. */
  #changes: Change[] = [];

  constructor(
    world: World,
    actors: readonly Actor[],
    reorderings: number,
    note: (actor: Actor, what: string) => void,
  ) {
    this.#world = world;
    this.#actors = actors;
    this.#threads = actors.map(() => IDLE);
    this.#left = reorderings;
    this.#note = note;
    world.barriers = actors.map((actor) => () => this.end(actor));
    world.onChange = (inode, index, before) => this.#noteChange(inode, index, before);
  }

  // ---- the ways in which an operation can go ----

  /** Returns in how many ways an operation can go: beside the first, each spends a reordering. */
  ways(actor: Actor, { access, choices }: Operation): number {
    if (access === undefined) return choices?.(this.#world) ?? 1;
    if (this.#left === 0) return 1;
    if (isStore(access)) return 2;
    return 1 + this.#olderValues(actor.index, access).length;
  }

  /** Performs an operation in one of these ways. */
  perform(actor: Actor, operation: Operation, choice: number): unknown {
    const { access } = operation;
    if (access === undefined) {
      this.end(actor);
      return this.#act(actor, operation, choice);
    }
    if (isStore(access)) return this.#store(actor, operation, access, choice);
    return this.#load(actor, operation, access, choice);
  }

  /** Says in a trace how an operation went. */
  describe({ access }: Operation, choice: number): string {
    if (access === undefined || choice === 0) return "";
    return isStore(access) ? "(not visible yet)" : "(served early)";
  }

  #act(actor: Actor, operation: Operation, choice: number): unknown {
    this.#acting = actor.index;
    this.#operations++;
    const result = operation.perform(this.#world, actor.index, choice);
    this.#acting = NOBODY;
    if (this.#changes.length > 0) this.#remember(actor, this.#changes);
    this.#changes = [];
    return result;
  }

  // ---- stores ----

  #store(actor: Actor, operation: Operation, access: Access, choice: number): unknown {
    const isRelease = access.how === "release";
    if (isRelease && this.#thread(actor).loaded === "yes") {
      this.#set(actor.index, { loaded: "released" });
    }
    if (choice > 0) {
      this.#spend();
      const pending = [...this.#thread(actor).pending];
      pending.push({ operation, access, log: actor.hashA });
      return this.#set(actor.index, { pending });
    }
    this.#settleBefore(actor, access);
    return this.#show(actor, operation, access);
  }

  /** Performs a store where others see it. */
  #show(actor: Actor, operation: Operation, access: Access): unknown {
    const result = this.#act(actor, operation, 0);
    const thread = actor.index;
    const { history, loaded } = this.#threads[thread]!;
    if (loaded === "no" && history.length === 0 || this.#left === 0) return result;
    const own = access.cells.map(({ inode, from }): Change => {
      const index = from >> 2;
      const before = inode.words[index]!;
      return { inode, index, before, operation: 0, isSeen: true, isReleased: false };
    });
    const all = [...seen(history, access), ...own];
    this.#set(thread, { history: access.how === "release" ? all.map(released) : all });
    return result;
  }

  /** Returns the numbers of the pending stores that may become visible now. */
  visible(actor: Actor): number[] {
    const { pending } = this.#thread(actor);
    return pending.flatMap(({ access }, i) =>
      pending.slice(0, i).some((earlier) => follows(access, earlier.access)) ? [] : [i]
    );
  }

  /** Makes a pending store visible. */
  makeVisible(actor: Actor, i: number): void {
    const { pending } = this.#thread(actor);
    const { operation, access } = pending[i]!;
    this.#set(actor.index, { pending: pending.toSpliced(i, 1) });
    this.#note(actor, `(its store becomes visible) ${operation.label()}`);
    this.#show(actor, operation, access);
  }

  /** Makes all pending stores of an actor visible, in order. */
  settle(actor: Actor): void {
    while (this.#thread(actor).pending.length > 0) this.makeVisible(actor, 0);
  }

  /**
   * Ends what an actor could still reorder: one that begins or dies, that another one follows, or
   * that another one puts a barrier into.
   */
  end(actor: Actor): void {
    this.settle(actor);
    this.#orderLoads(actor.index);
  }

  /** Makes those visible that others see before they see this access. */
  #settleBefore(actor: Actor, access: Access): void {
    const { pending } = this.#thread(actor);
    if (pending.length === 0) return;
    const first = pending.map((store, i) => ({ access: store.access, i, isDue: false }));
    for (const store of first.toReversed()) {
      store.isDue = follows(access, store.access) ||
        first.slice(store.i + 1).some((later) =>
          later.isDue && follows(later.access, store.access)
        );
    }
    let gone = 0;
    for (const { i, isDue } of first) if (isDue) this.makeVisible(actor, i - gone++);
  }

  // ---- loads ----

  #load(actor: Actor, operation: Operation, access: Access, choice: number): unknown {
    this.#settleBefore(actor, access);
    const thread = actor.index;
    if (access.how === "last load") this.#orderLoads(thread);
    const { at, changes } = choice === 0
      ? { at: Infinity, changes: [] }
      : this.#olderValues(thread, access)[choice - 1]!;
    if (choice > 0) this.#spend();
    const newest = changes.map(({ inode, index }) => inode.words[index]!);
    for (const { inode, index, before } of changes) inode.words[index] = before;
    const result = this.#act(actor, operation, 0);
    changes.forEach(({ inode, index }, i) => inode.words[index] = newest[i]!);
    if (access.how === "plain load") this.#notePlainLoad(thread, access, at);
    else this.#noteAcquire(thread, access, at);
    return result;
  }

  /** Later loads of these bytes return nothing older than this one did. */
  #notePlainLoad(thread: number, access: Access, at: number): void {
    const { history } = this.#threads[thread]!;
    this.#set(thread, { history: seen(history, access, at), loaded: "yes" });
  }

  /**
   * Later loads are served after this one. It may have been served as early as its value was there,
   * and not before a release of the thread.
   */
  #noteAcquire(thread: number, access: Access, at: number): void {
    const { history, loaded } = this.#threads[thread]!;
    if (loaded !== "yes") return this.#orderLoads(thread);
    const first = history.findLastIndex((change, i) =>
      change.isReleased || i < at && touches(access, change)
    );
    if (first >= 0) this.#set(thread, { history: history.slice(first + 1) });
  }

  /**
   * Returns the older values that a load may return, the newest of them first: the changes to take
   * back, one for each word, and where in the history the load is then served.
   */
  #olderValues(thread: number, access: Access): { changes: Change[]; at: number }[] {
    const { history, pending, loaded } = this.#threads[thread]!;
    if (loaded === "no" || history.length === 0 || access.how === "last load") return [];
    if (access.how === "acquire" && loaded === "released") return [];
    if (pending.some((store) => follows(access, store.access))) return [];
    const end = history.findLastIndex((change) =>
      change.isSeen && touches(access, change) || access.how === "acquire" && change.isReleased
    );
    const may = history.filter((change, i) => i > end && touches(access, change));
    const values: { changes: Change[]; at: number }[] = [];
    const known = new Set([valueOf(may, [])]);
    for (let i = may.length - 1; i >= 0; i--) {
      if (may[i]!.operation === may[i - 1]?.operation) continue;
      const changes = oldestEach(may.slice(i));
      const value = valueOf(may, changes);
      if (known.has(value)) continue;
      known.add(value);
      values.push({ changes, at: history.indexOf(may[i]!) });
    }
    return values;
  }

  #noteChange(inode: Inode, index: number, before: number): void {
    if (this.#left === 0 || this.#acting === NOBODY || !inode.shared) return;
    const operation = this.#operations;
    this.#changes.push({ inode, index, before, operation, isSeen: false, isReleased: false });
  }

  /** Adds changes to the history of each thread that may not have seen them when it loads. */
  #remember(by: Actor, changes: readonly Change[]): void {
    for (const { index: thread, pending } of this.#actors) {
      if (thread === by.index) continue;
      const { history, loaded, a, b } = this.#threads[thread]!;
      if (loaded === "no" && pending?.access?.how !== "plain load") continue;
      const all = [...history, ...changes];
      this.#replace(thread, { history: all, ...hashOf(all, history.length, a, b) });
    }
  }

  // ---- state ----

  #thread(actor: Actor): Thread {
    return this.#threads[actor.index]!;
  }

  #spend(): void {
    const before = this.#left;
    const put = (left: number) => {
      this.#world.toggle(Fact.reorderings, this.#left, 0, 0);
      this.#left = left;
      this.#world.toggle(Fact.reorderings, this.#left, 0, 0);
    };
    put(before - 1);
    this.#world.onUndo(() => put(before));
    if (this.#left > 0) return;
    for (const { index } of this.#actors) this.#set(index, { history: [] });
  }

  /** No later load is served before this moment. */
  #orderLoads(thread: number): void {
    const { history, loaded } = this.#threads[thread]!;
    if (history.length > 0 || loaded !== "no") this.#set(thread, { history: [], loaded: "no" });
  }

  #set(thread: number, parts: Partial<Omit<Thread, "a" | "b">>): void {
    const { history } = parts;
    const isOther = history !== undefined && history !== this.#threads[thread]!.history;
    this.#replace(thread, isOther ? { ...parts, ...hashOf(history) } : parts);
  }

  #replace(thread: number, parts: Partial<Thread>): void {
    const before = this.#threads[thread]!;
    const after = { ...before, ...parts };
    const put = (next: Thread) => {
      this.#toggle(thread, this.#threads[thread]!);
      this.#threads[thread] = next;
      this.#toggle(thread, next);
    };
    put(after);
    this.#world.onUndo(() => put(before));
  }

  /** The log of the actor tells whether it has loaded. */
  #toggle(thread: number, { pending, a, b }: Thread): void {
    for (const { log } of pending) this.#world.toggle(Fact.pending, thread, log, 0);
    this.#world.toggle(Fact.history, thread, a, b);
  }
}

/** Returns the hash of a history, of which the first changes may have been hashed before. */
function hashOf(history: readonly Change[], from = 0, a = 0, b = 0): { a: number; b: number } {
  for (let i = from; i < history.length; i++) {
    const { inode, index, before, operation, isSeen, isReleased } = history[i]!;
    const isSame = operation === history[i - 1]?.operation;
    const flags = (isSame ? 1 : 0) + (isSeen ? 2 : 0) + (isReleased ? 4 : 0);
    const place = inode.id * 2 ** 24 + index;
    a = mix(a, flags, place, before, SEED_A);
    b = mix(b, flags, place, before, SEED_B);
  }
  return { a, b };
}

function isStore({ how }: Access): boolean {
  return how === "plain store" || how === "release";
}

/** Whether others see an earlier store of the thread before a later access of it. */
function follows(later: Access, earlier: Access): boolean {
  if (later.how === "release") return true;
  const isLoad = later.how === "acquire" || later.how === "last load";
  return isLoad && earlier.how === "release" || overlap(later.cells, earlier.cells);
}

function overlap(some: readonly Cells[], others: readonly Cells[]): boolean {
  return some.some(({ inode, from, to }) =>
    others.some((other) => inode === other.inode && from < other.to && other.from < to)
  );
}

function touches({ cells }: Access, { inode, index }: Change): boolean {
  return overlap(cells, [{ inode, from: 4 * index, to: 4 * index + 4 }]);
}

/** Marks what happened to these bytes before a place in a history as seen. */
function seen(history: readonly Change[], access: Access, before = Infinity): readonly Change[] {
  if (history.length === 0) return history;
  return history.map((change, i) =>
    i < before && touches(access, change) ? { ...change, isSeen: true } : change
  );
}

function released(change: Change): Change {
  return { ...change, isReleased: true };
}

/** Returns the first change of each word. */
function oldestEach(changes: readonly Change[]): Change[] {
  return changes.filter(({ inode, index }, i) =>
    changes.findIndex((other) => other.inode === inode && other.index === index) === i
  );
}

/** Returns the values of all words that changed, once some changes are taken back. */
function valueOf(changes: readonly Change[], back: readonly Change[]): string {
  return oldestEach(changes).map(({ inode, index }) => {
    const change = back.find((other) => other.inode === inode && other.index === index);
    return change?.before ?? inode.words[index];
  }).join();
}
