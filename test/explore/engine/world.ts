/**
 * The simulated machine: memory, files, record locks, sleepers and time, with an undo log and a
 * running hash of everything.
 *
 * Every change appends to the undo log and updates the hash. So a search can step forward and back,
 * and recognises a state that it has entered before. The hash is the exclusive-or of one mixed pair
 * of numbers per fact, so it does not depend on the order in which the facts came about.
 *
 * @module
 */

import { mix, SEED_A, SEED_B, textHash } from "./hash.ts";

/** A simulated file: its bytes, and how many names it has. */
export interface Inode {
  readonly id: number;
  readonly label: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  /** The names of words in traces, by the index of the word. */
  readonly names: Map<number, string>;
  links: number;
  mode: number;
  /** Whether an actor other than its creator can reach it. Private memory needs no scheduling. */
  shared: boolean;
}

/** A thread asleep on words of memory; one that sleeps on no word only pauses. */
export interface Sleeper {
  readonly thread: number;
  readonly words: readonly { readonly inode: Inode; readonly index: number }[];
  readonly deadline: number;
  /** The time at which the sleep began. */
  readonly since: number;
  /** Why the sleep is over; empty while it lasts. */
  woken: "" | Wakening;
}

/** Why a sleep ended. */
export type Wakening = "woken" | "timeout";

/** Returned by an operation whose thread has fallen asleep. */
export const ASLEEP = Symbol("asleep");

/** Kinds of facts in the hash; sleepers and locks add 16 times their own type. */
export const Fact = {
  word: 1,
  name: 2,
  lock: 3,
  asleep: 4,
  time: 5,
  mode: 6,
  pending: 7,
  history: 8,
  reorderings: 9,
} as const;

/** A lock on a byte of a file, by the number of the open file that holds it. */
interface HeldLock {
  readonly file: number;
  readonly inode: number;
  readonly byte: number;
  readonly type: number;
}

const READ = 0;
const WRITE = 1;

/** A machine that actors share. */
export class World {
  readonly names = new Map<string, Inode>();
  readonly inodes: Inode[] = [];
  readonly sleepers = new Map<number, Sleeper>();
  /** Called for each word that changes, and not when the change is undone. */
  onChange: ((inode: Inode, index: number, before: number) => void) | undefined;
  /** For each actor a barrier in its thread; none if memory is not weak. */
  barriers: readonly (() => void)[] = [];
  readonly #made = new Map<string, Inode>();
  #locks: HeldLock[] = [];
  #time = 0;
  #undo: (() => void)[] = [];
  #hashA = 0;
  #hashB = 0;

  /** Returns a point to go back to. */
  mark(): number {
    return this.#undo.length;
  }

  /** Registers `undo`, for state outside of the machine that goes back together with it. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Undoes every change since a mark. */
  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
  }

  /** The first half of the hash of the whole machine. */
  get hashA(): number {
    return this.#hashA;
  }

  /** The second half of the hash of the whole machine. */
  get hashB(): number {
    return this.#hashB;
  }

  /** Adds a fact to the hash, or takes it out. */
  toggle(fact: number, a: number, b: number, c: number): void {
    this.#hashA ^= mix(fact, a, b, c, SEED_A);
    this.#hashB ^= mix(fact, a, b, c, SEED_B);
  }

  get time(): number {
    return this.#time;
  }

  set time(value: number) {
    const before = this.#time;
    this.#setTime(value);
    this.#undo.push(() => this.#setTime(before));
  }

  #setTime(value: number): void {
    this.toggle(Fact.time, this.#time, 0, 0);
    this.toggle(Fact.time, value, 0, 0);
    this.#time = value;
  }

  // ---- memory ----

  /**
   * Makes an inode. The caller chooses its number, so that the number does not depend on the order
   * in which actors act. An inode that is made again after going back is the same object, because
   * the results that actors log refer to it; every change to it was undone.
   */
  makeInode(id: number, label: string, sizeBytes: number): Inode {
    const key = `${id} ${sizeBytes} ${label}`;
    let inode = this.#made.get(key);
    if (inode === undefined) this.#made.set(key, inode = newInode(id, label, sizeBytes));
    this.inodes.push(inode);
    this.#undo.push(() => this.inodes.pop());
    return inode;
  }

  share(inode: Inode): void {
    if (inode.shared) return;
    inode.shared = true;
    this.#undo.push(() => inode.shared = false);
  }

  setWord(inode: Inode, index: number, value: number): void {
    const before = inode.words[index]!;
    this.onChange?.(inode, index, before);
    this.#putWord(inode, index, value);
    this.#undo.push(() => this.#putWord(inode, index, before));
  }

  #putWord(inode: Inode, index: number, value: number): void {
    this.toggle(Fact.word, inode.id, index, inode.words[index]!);
    inode.words[index] = value;
    this.toggle(Fact.word, inode.id, index, inode.words[index]!);
  }

  setBytes(inode: Inode, offset: number, source: Uint8Array): void {
    if (source.length === 0) return;
    const first = offset >> 2;
    const last = (offset + source.length - 1) >> 2;
    const before = inode.words.slice(first, last + 1);
    for (let i = first; i <= last; i++) this.toggle(Fact.word, inode.id, i, inode.words[i]!);
    inode.bytes.set(source, offset);
    for (let i = first; i <= last; i++) this.toggle(Fact.word, inode.id, i, inode.words[i]!);
    if (this.onChange !== undefined) {
      before.forEach((word, i) => {
        if (word !== inode.words[first + i]) this.onChange!(inode, first + i, word);
      });
    }
    this.#undo.push(() => before.forEach((word, i) => this.#putWord(inode, first + i, word)));
  }

  // ---- names ----

  setName(path: string, inode: Inode | undefined): void {
    const before = this.names.get(path);
    this.#putName(path, inode);
    this.#undo.push(() => this.#putName(path, before));
  }

  #putName(path: string, inode: Inode | undefined): void {
    const before = this.names.get(path);
    if (before !== undefined) {
      before.links--;
      this.toggle(Fact.name, textHash(path), before.id, 0);
      this.names.delete(path);
    }
    if (inode !== undefined) {
      inode.links++;
      this.toggle(Fact.name, textHash(path), inode.id, 0);
      this.names.set(path, inode);
    }
  }

  setMode(inode: Inode, mode: number): void {
    const before = inode.mode;
    const put = (value: number) => {
      this.toggle(Fact.mode, inode.id, inode.mode, 0);
      this.toggle(Fact.mode, inode.id, value, 0);
      inode.mode = value;
    };
    put(mode);
    this.#undo.push(() => put(before));
  }

  // ---- record locks ----

  /** Returns the locks of other open files that conflict with a lock of this type. */
  conflicts(file: number, inode: Inode, byte: number, type: number): HeldLock[] {
    return this.#locks.filter((held) =>
      held.file !== file && held.inode === inode.id && held.byte === byte &&
      (held.type === WRITE || type === WRITE)
    );
  }

  /** Returns the first locked byte within a range, not counting the open file's own locks. */
  lockWithin(file: number, inode: Inode, byte: number, count: number): number | undefined {
    return this.#locks.find((held) =>
      held.file !== file && held.inode === inode.id && held.byte >= byte && held.byte < byte + count
    )?.byte;
  }

  /** Locks a byte for an open file; a type other than read and write drops the lock. */
  setLock(file: number, inode: Inode, byte: number, type: number): void {
    const rest = this.#locks.filter((held) =>
      held.file !== file || held.inode !== inode.id || held.byte !== byte
    );
    const holds = type === READ || type === WRITE;
    this.#putLocks(holds ? [...rest, { file, inode: inode.id, byte, type }] : rest);
  }

  /** Drops every lock of an open file, as the kernel does when the file is closed. */
  dropLocks(file: number): void {
    if (!this.#locks.some((held) => held.file === file)) return;
    this.#putLocks(this.#locks.filter((held) => held.file !== file));
  }

  /** Returns the open files within a range of numbers that hold locks. */
  lockFiles(firstFile: number, endFile: number): number[] {
    const found: number[] = [];
    for (const { file } of this.#locks) {
      if (file >= firstFile && file < endFile && !found.includes(file)) found.push(file);
    }
    return found.sort((a, b) => a - b);
  }

  #putLocks(locks: HeldLock[]): void {
    const before = this.#locks;
    const put = (next: HeldLock[]) => {
      for (const lock of this.#locks) this.#toggleLock(lock);
      this.#locks = next;
      for (const lock of next) this.#toggleLock(lock);
    };
    put(locks);
    this.#undo.push(() => put(before));
  }

  #toggleLock({ file, inode, byte, type }: HeldLock): void {
    this.toggle(Fact.lock + 16 * type, file, inode, byte);
  }

  // ---- sleepers ----

  /** Puts a thread to sleep on words, or on none for a pause, until the deadline at the latest. */
  fallAsleep(thread: number, words: Sleeper["words"], deadline: number): typeof ASLEEP {
    this.#addSleeper({ thread, words, deadline, since: this.#time, woken: "" });
    return ASLEEP;
  }

  /** Adds a thread of a pool whose operation returned at once and that waits to be heard. */
  answer(thread: number): void {
    this.#addSleeper({ thread, words: [], deadline: Infinity, since: 0, woken: "woken" });
  }

  #addSleeper(sleeper: Sleeper): void {
    this.#putSleeper(sleeper.thread, sleeper);
    this.#undo.push(() => this.#putSleeper(sleeper.thread, undefined));
  }

  /** Removes a thread from the sleepers. */

  getUp(thread: number): void {
    const before = this.sleepers.get(thread);
    if (before === undefined) return;
    this.#putSleeper(thread, undefined);
    this.#undo.push(() => this.#putSleeper(thread, before));
  }

  #putSleeper(thread: number, sleeper: Sleeper | undefined): void {
    const before = this.sleepers.get(thread);
    if (before !== undefined) this.#toggleSleeper(before);
    if (sleeper === undefined) this.sleepers.delete(thread);
    else {
      this.sleepers.set(thread, sleeper);
      this.#toggleSleeper(sleeper);
    }
  }

  #toggleSleeper({ thread, woken, deadline, since }: Sleeper): void {
    const state = woken === "" ? 0 : woken === "woken" ? 1 : 2;
    this.toggle(Fact.asleep + 16 * state, thread, deadline, since);
  }

  /** Returns all sleepers by thread, which does not depend on the order in which they fell asleep. */
  sleepersInOrder(): Sleeper[] {
    return [...this.sleepers.values()].sort((a, b) => a.thread - b.thread);
  }

  /** Returns the threads that sleep on a word. */
  sleepersOn(inode: Inode, index: number): Sleeper[] {
    if (this.sleepers.size === 0) return [];
    return this.sleepersInOrder().filter(({ woken, words }) =>
      woken === "" && words.some((word) => word.inode === inode && word.index === index)
    );
  }

  /** Wakes up to `count` sleepers on a word, from the one at `first`, and returns how many. */
  wake(inode: Inode, index: number, count: number, first = 0): number {
    const asleep = this.sleepersOn(inode, index);
    const woken = Math.min(count, asleep.length);
    for (let i = 0; i < woken; i++) this.rouse(asleep[(first + i) % asleep.length]!, "woken");
    return woken;
  }

  /** Ends a sleep; the thread continues when the scheduler lets it. */
  rouse(sleeper: Sleeper, why: Wakening): void {
    const put = (value: Sleeper["woken"]) => {
      this.#toggleSleeper(sleeper);
      sleeper.woken = value;
      this.#toggleSleeper(sleeper);
    };
    put(why);
    this.#undo.push(() => put(""));
  }
}

function newInode(id: number, label: string, sizeBytes: number): Inode {
  const bytes = new Uint8Array(Math.ceil(sizeBytes / 8) * 8);
  const words = new Uint32Array(bytes.buffer);
  return { id, label, bytes, words, names: new Map(), links: 0, mode: 0o600, shared: false };
}
