/**
 * The simulated machine: memory, files, record locks, sleepers and time, with an undo log and a
 * running hash of everything.
 *
 * Every change notes how to take it back and toggles the hash of the fact that it changes; so a
 * search can step forward and back, and can tell that it has been in a state before. The hash is
 * the exclusive-or of one mixed pair of numbers per fact, so the order in which facts came about
 * does not show in it.
 *
 * @module
 */

/** A simulated file: its bytes, and how many names it has. */
export interface Inode {
  readonly id: number;
  readonly label: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  /** What words are called, by their index; for traces. */
  readonly names: Map<number, string>;
  links: number;
  mode: number;
  /** Whether more than its creator can reach it: what nobody else can see needs no scheduling. */
  shared: boolean;
}

/** A thread asleep on words of memory. */
export interface Sleeper {
  readonly thread: number;
  readonly words: readonly { inode: Inode; index: number }[];
  readonly deadline: number;
  /** When the sleep began. */
  readonly since: number;
  /** Why it may go on, if it may. */
  woken: "" | "woken" | "timeout";
}

/** Which fact a hash contribution is about; sleepers and locks add 16 times what kind they are. */
const Fact = { word: 1, name: 2, lock: 3, asleep: 4, time: 5, mode: 6 } as const;

/** A lock on a byte of a file, by the number of the open file that holds it. */
interface HeldLock {
  readonly file: number;
  readonly inode: number;
  readonly byte: number;
  readonly kind: number;
}

const READ = 0;
const WRITE = 1;

/** The simulated machine. */
export class World {
  readonly names = new Map<string, Inode>();
  readonly inodes: Inode[] = [];
  readonly sleepers = new Map<number, Sleeper>();
  readonly #made = new Map<string, Inode>();
  #locks: HeldLock[] = [];
  #time = 0;
  #undo: (() => void)[] = [];
  #hashA = 0;
  #hashB = 0;

  /** The point to go back to. */
  mark(): number {
    return this.#undo.length;
  }

  /** Has something outside of the machine taken back together with the machine. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Takes back everything since a mark. */
  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
  }

  /** One half of the hash of the whole machine. */
  get hashA(): number {
    return this.#hashA;
  }

  /** The other half. */
  get hashB(): number {
    return this.#hashB;
  }

  #toggle(fact: number, a: number, b: number, c: number): void {
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
    this.#toggle(Fact.time, this.#time, 0, 0);
    this.#toggle(Fact.time, value, 0, 0);
    this.#time = value;
  }

  // ---- memory ----

  /**
   * The number is its maker's business, so that it tells nothing of who came first. Made again after
   * going back it is the same object, as what actors remember refers to it; all that was done with
   * it was taken back.
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
    this.#putWord(inode, index, value);
    this.#undo.push(() => this.#putWord(inode, index, before));
  }

  #putWord(inode: Inode, index: number, value: number): void {
    this.#toggle(Fact.word, inode.id, index, inode.words[index]!);
    inode.words[index] = value;
    this.#toggle(Fact.word, inode.id, index, inode.words[index]!);
  }

  setBytes(inode: Inode, offset: number, source: Uint8Array): void {
    if (source.length === 0) return;
    const first = offset >> 2;
    const last = (offset + source.length - 1) >> 2;
    const before = inode.words.slice(first, last + 1);
    for (let i = first; i <= last; i++) this.#toggle(Fact.word, inode.id, i, inode.words[i]!);
    inode.bytes.set(source, offset);
    for (let i = first; i <= last; i++) this.#toggle(Fact.word, inode.id, i, inode.words[i]!);
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
      this.#toggle(Fact.name, textHash(path), before.id, 0);
      this.names.delete(path);
    }
    if (inode !== undefined) {
      inode.links++;
      this.#toggle(Fact.name, textHash(path), inode.id, 0);
      this.names.set(path, inode);
    }
  }

  setMode(inode: Inode, mode: number): void {
    const before = inode.mode;
    const put = (value: number) => {
      this.#toggle(Fact.mode, inode.id, inode.mode, 0);
      this.#toggle(Fact.mode, inode.id, value, 0);
      inode.mode = value;
    };
    put(mode);
    this.#undo.push(() => put(before));
  }

  // ---- record locks ----

  /** The locks of other open files that a lock of this kind would meet. */
  conflicts(file: number, inode: Inode, byte: number, kind: number): HeldLock[] {
    return this.#locks.filter((held) =>
      held.file !== file && held.inode === inode.id && held.byte === byte &&
      (held.kind === WRITE || kind === WRITE)
    );
  }

  /** Where some lock of another open file within a range of bytes begins. */
  lockWithin(file: number, inode: Inode, byte: number, count: number): number | undefined {
    return this.#locks.find((held) =>
      held.file !== file && held.inode === inode.id && held.byte >= byte && held.byte < byte + count
    )?.byte;
  }

  /** Sets the lock of an open file on a byte; any kind but read and write drops it. */
  setLock(file: number, inode: Inode, byte: number, kind: number): void {
    const rest = this.#locks.filter((held) =>
      held.file !== file || held.inode !== inode.id || held.byte !== byte
    );
    const holds = kind === READ || kind === WRITE;
    this.#putLocks(holds ? [...rest, { file, inode: inode.id, byte, kind }] : rest);
  }

  /** Drops every lock of an open file, as its close does. */
  dropLocks(file: number): void {
    if (!this.#locks.some((held) => held.file === file)) return;
    this.#putLocks(this.#locks.filter((held) => held.file !== file));
  }

  /** The open files in a range of numbers through which locks are held. */
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

  #toggleLock({ file, inode, byte, kind }: HeldLock): void {
    this.#toggle(Fact.lock + 16 * kind, file, inode, byte);
  }

  // ---- sleepers ----

  fallAsleep(sleeper: Sleeper): void {
    this.#putSleeper(sleeper.thread, sleeper);
    this.#undo.push(() => this.#putSleeper(sleeper.thread, undefined));
  }

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
    this.#toggle(Fact.asleep + 16 * state, thread, deadline, since);
  }

  /** Who sleeps, in an order that does not depend on how that came about. */
  sleepersInOrder(): Sleeper[] {
    return [...this.sleepers.values()].sort((a, b) => a.thread - b.thread);
  }

  /** Who sleeps on a word. */
  sleepersOn(inode: Inode, index: number): Sleeper[] {
    if (this.sleepers.size === 0) return [];
    return this.sleepersInOrder().filter(({ woken, words }) =>
      woken === "" && words.some((word) => word.inode === inode && word.index === index)
    );
  }

  /** Wakes up to `count` sleepers on a word, beginning with the one at `first`; gives how many. */
  wake(inode: Inode, index: number, count: number, first = 0): number {
    const asleep = this.sleepersOn(inode, index);
    const woken = Math.min(count, asleep.length);
    for (let i = 0; i < woken; i++) this.rouse(asleep[(first + i) % asleep.length]!, "woken");
    return woken;
  }

  /** Lets a sleeper go on. */
  rouse(sleeper: Sleeper, why: "woken" | "timeout"): void {
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

/** The hash is made twice, from two seeds. */
export const SEED_A = 0x9e3779b1;
export const SEED_B = 0x85ebca6b;

/** Mixes numbers into 32 bits. */
export function mix(a: number, b: number, c: number, d: number, seed: number): number {
  let hash = stir(stir(stir(stir(seed, a), b), c), d);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash | 0;
}

function stir(hash: number, value: number): number {
  hash = Math.imul(hash ^ (value | 0), 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  if ((value | 0) !== value) hash ^= Math.imul(value / 2 ** 32 | 0, 0x27d4eb2f);
  return Math.imul(hash, 0x1b873593) + 0x52dce729 | 0;
}

/** A number that stands for a text. */
export function textHash(text: string, seed: number = SEED_A): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = stir(hash, text.charCodeAt(i));
  return hash;
}

/** A number that stands for bytes. */
export function bytesHash(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < bytes.length; i++) hash = stir(hash, bytes[i]!);
  return hash;
}
