/**
 * The writing side of a VRing; vring.ts explains the algorithm.
 *
 * @module
 */

import { isCount } from "../layout/sizes.ts";
import { Errno, OsError } from "../errors.ts";
import { roundUp } from "../layout/sizes.ts";
import type { Word32 } from "../memory/word.ts";
import { pageSize } from "../os/page.ts";
import { Kept, type ReaderWords, type VRing } from "./vring.ts";
import {
  entryOf,
  referencesOf,
  stampAfter,
  stampOf,
  stampOfEntry,
  stampOfSequence,
  State,
  stateOf,
  wordOf,
} from "./vring_layout.ts";

/** The obstacles to using a descriptor. */
const FREE = 0;
const UNREAD = 1;
const HELD = 2;

/** The limit of attempts: a correct reader does not change its word more often meanwhile. */
const ATTEMPTS = 100;

/** No descriptor. */
export const NONE = -1;

/** The policy of a writer. */
export interface WriterOptions {
  /** Whether the oldest unread sample is dropped when no descriptor is free. */
  readonly dropsOldest: boolean;
  /** The number of last samples kept for late joiners. */
  readonly history: number;
}

/** The one writer of a VRing. The caller holds its role. */
export class VRingWriter {
  readonly #ring: VRing;
  readonly #dropsOldest: boolean;
  readonly #history: number;
  readonly #order: Order; // by age, maintained only if the oldest are dropped
  readonly #pinned: number[] = []; // oldest first
  readonly #isPinned: Uint8Array;
  readonly #alive: Uint8Array; // for each reader: found alive in this search
  #looked = false; // whether `#alive` has any entry
  #online: ReaderWords[] = [];
  #members = -1; // `members` when `#online` was made; -1 before
  #rows = 0;
  #taken: number; // from AVAIL
  #end: number; // of AVAIL, as last loaded
  readonly #used: (number | undefined)[] = []; // for each reader: the number of entries put in
  #sequence: number;
  #nextStamp: number; // of the sample after that
  readonly #seen: Uint32Array; // for each reader: its word of the descriptor last found free

  readonly #counted: Uint8Array; // for each descriptor: the references last counted

  /** Continues where the last writer stopped or died. */
  constructor(ring: VRing, options: WriterOptions) {
    const { depth, readers } = ring.plan;
    this.#ring = ring;
    this.#dropsOldest = options.dropsOldest;
    this.#history = options.history;
    this.#isPinned = new Uint8Array(depth);
    this.#alive = new Uint8Array(readers);
    this.#sequence = ring.kept(Kept.sequence);
    this.#nextStamp = stampOfSequence(this.#sequence + 1);
    this.#seen = new Uint32Array(readers);
    this.#counted = new Uint8Array(depth);
    if (!isCount(this.#sequence)) throw ring.corrupt(`its last sample is ${this.#sequence}`);
    const bySequence = Array.from({ length: depth }, (_, d) => d)
      .map((d) => ({ d, sequence: ring.described(d, "sequence") }))
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ d }) => d);
    this.#order = new Order(bySequence);
    for (const d of bySequence) this.#adoptPin(d);
    this.#finish();
    this.#trimPins();
    this.#refresh();
    this.#taken = this.#end = ring.available.load();
    for (const d of bySequence) {
      if (!this.#isPinned[d] && this.#obstacle(d) === FREE) ring.pushAvailable(d);
    }
    this.ringAll(); // the last writer may have died before ringing
  }

  /** Ends the journal, so that a successor has nothing to finish, and wakes all waiting readers. */
  close(): void {
    this.#ring.keep(Kept.journal, 0);
    this.ringAll();
  }

  /** Wakes all waiting readers. */
  ringAll(): void {
    this.#refresh();
    for (const { bell } of this.#online) bell.ring();
  }

  /** The number of the last sample. */
  get sequence(): number {
    return this.#sequence;
  }

  /** C3: adopts a pin of the last writer. */
  #adoptPin(d: number): void {
    if (stateOf(this.#ring.pins[d]!.load()) !== State.ready) return;
    this.#isPinned[d] = 1;
    this.#pinned.push(d);
  }

  /** C2: finishes the publish during which the last writer died. */
  #finish(): void {
    const ring = this.#ring;
    const entry = ring.kept(Kept.journal);
    const stamp = stampOfEntry(entry);
    const d = ring.descriptorIn(entry);
    const next = this.#sequence + 1;
    if (stamp === stampOfSequence(next)) {
      if (d === NONE || ring.described(d, "sequence") !== next) {
        throw ring.corrupt(`its journal has ${entry} after sample ${this.#sequence}`);
      }
      this.#deliver(d);
    } else if (entry > 0 && d !== NONE) this.#hintAgain(d, stamp);
  }

  /** C2: repeats the hints of the last sample, which all readers have, though some may not know. */
  #hintAgain(d: number, stamp: number): void {
    this.#refresh();
    for (const reader of this.#online) {
      if (reader.row[d]!.load() !== wordOf(stamp, State.ready)) continue;
      this.#hint(reader, entryOf(stamp, d));
      this.#show(reader);
    }
  }

  /**
   * Returns a free descriptor, which stays free until it is published, or NONE. It checks the
   * readers that block it, and takes back the samples of dead ones.
   */
  acquire(): number {
    const hinted = this.acquireHinted();
    return hinted !== NONE ? hinted : this.#search();
  }

  /** Returns a free descriptor that a hint names, or NONE. This is cheap enough to try often. */
  acquireHinted(): number {
    const ring = this.#ring;
    if (this.#history > 0) this.#refresh(); // new readers may have asked for a sample now unpinned
    this.#forgetWhoIsAlive();
    for (;;) {
      if (this.#taken === this.#end && !this.#lookForHints()) return NONE;
      const d = ring.availableAt(this.#taken);
      if (d === NONE) return NONE; // not stored yet, or corrupt, or its reader died
      this.#taken = (this.#taken + 1) >>> 0;
      if (!this.#isPinned[d] && this.#obstacle(d) === FREE) return d;
    }
  }

  /**
   * Gives memory for so many bytes to an acquired descriptor, unless its sample was that large before.
   * With the file system full another free descriptor takes its place, one that has memory; if there
   * is none, the OsError (ENOSPC) is thrown, and the descriptor is free again.
   */
  commit(d: number, length: number): number {
    if (this.#hasMemory(d, length)) return d;
    const { region, plan } = this.#ring;
    const committed = Math.min(roundUp(length, pageSize()), plan.sampleBytes);
    try {
      region.allocate(this.#ring.sampleAt(d), committed);
      this.#ring.describe(d, "committed", committed);
      return d;
    } catch (error) {
      const isFull = error instanceof OsError && error.errno === Errno.ENOSPC;
      const other = isFull ? this.#acquireWithMemory(length) : NONE;
      this.#ring.pushAvailable(d); // for a sample that comes when there is more
      if (other !== NONE) return other;
      throw error;
    }
  }

  #hasMemory(d: number, length: number): boolean {
    return this.#ring.described(d, "committed") >= length;
  }

  /** A free descriptor that has memory for so many bytes; or none. */
  #acquireWithMemory(length: number): number {
    const unfit: number[] = [];
    let found = this.acquireHinted();
    while (found !== NONE && !this.#hasMemory(found, length)) {
      unfit.push(found);
      found = this.acquireHinted();
    }
    for (const d of unfit) this.#ring.pushAvailable(d);
    return found;
  }

  #lookForHints(): boolean {
    const { available, plan } = this.#ring;
    const end = this.#end = available.load();
    const ahead = (end - this.#taken) >>> 0;
    if (ahead > plan.entries) this.#taken = (end - plan.entries) >>> 0;
    return ahead > 0;
  }

  #forgetWhoIsAlive(): void {
    if (this.#looked) this.#alive.fill(0);
    this.#looked = false;
  }

  /** Searches all descriptors, the oldest sample first if the oldest are dropped. */
  #search(): number {
    this.#refresh();
    this.#forgetWhoIsAlive();
    if (this.#taken !== this.#end) this.#taken = (this.#taken + 1) >>> 0; // no hint after all
    const order = this.#order;
    for (let d = order.first; d !== NONE; d = order.after(d)) {
      if (this.#isPinned[d]) continue;
      const obstacle = this.#obstacle(d);
      if (obstacle === FREE) return d;
      if (obstacle === UNREAD && this.#dropsOldest && this.#drop(d)) return d;
    }
    return NONE;
  }

  /** Returns the obstacle to using a descriptor that is not pinned. */
  #obstacle(d: number): number {
    let found = FREE;
    for (let k = 0; k < this.#rows; k++) {
      const word = this.#ring.reader(k).row[d]!;
      const seen = word.load(); // .. P2, and if it is `none` nobody reads the sample any more
      const isNone = stateOf(seen) === State.none && stampOf(seen) !== this.#nextStamp;
      this.#seen[k] = isNone ? seen : 0;
      if (isNone) continue;
      const state = this.#cancelRequest(word, seen);
      if (state === State.none || this.#takeBack(k)) continue;
      if (state === State.held) return HELD;
      found = UNREAD;
    }
    return found;
  }

  /** Cancels a request (`asking`), and returns the state of the word after that. */
  #cancelRequest(word: Word32, seen: number): number {
    let before = seen;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const state = stateOf(before);
      const again = state === State.none && stampOf(before) === this.#nextStamp; // I4
      if (state !== State.asking && !again) return state; // .. P2, likewise
      const found = word.compareExchange(before, again ? 0 : wordOf(stampOf(before), State.none));
      if (found === before) return State.none; // .. P3 and it will not get what it asks for
      before = found;
    }
    return State.held;
  }

  /** C4: clears the row of a reader if it is dead. */
  #takeBack(k: number): boolean {
    if (this.#alive[k]) return false;
    this.#looked = true;
    const repaired = this.#ring.seats.repair(k, () => {
      this.#ring.clear(k);
      this.#ring.membersBell.ring();
    });
    if (!repaired) this.#alive[k] = 1;
    return repaired;
  }

  /**
   * Takes a sample from all readers that have not taken it yet; returns false if one takes it
   * meanwhile.
   */
  #drop(d: number): boolean {
    let dropped = 0;
    let free = true;
    for (let k = 0; k < this.#rows && free; k++) {
      const word = this.#ring.reader(k).row[d]!;
      if (this.#cancelRequest(word, word.load()) === State.none) continue;
      const before = word.load();
      const after = wordOf(stampOf(before), State.none);
      free = stateOf(before) === State.ready && word.compareExchange(before, after) === before;
      if (free) dropped++;
    }
    this.#ring.count(Kept.dropped, dropped);
    return free;
  }

  /** Publishes the sample in a descriptor. */
  publish(d: number, length: number): void {
    const ring = this.#ring;
    ring.describe(d, "sequence", this.#sequence + 1);
    ring.describe(d, "length", length);
    ring.keep(Kept.journal, entryOf(this.#nextStamp, d)); // from here on it is published: C2
    this.#deliver(d);
  }

  /** Gives a sample to all online readers that do not have it yet. */
  #deliver(d: number): void {
    const ring = this.#ring;
    const stamp = this.#nextStamp;
    const isPinned = this.#history > 0;
    if (isPinned) this.#pin(d, stamp);
    this.#refresh(); // .. P4 after the pin
    const online = this.#online;
    this.#countReferences(d, stamp, online.length + (isPinned ? 1 : 0));
    let given = 0;
    for (let i = 0; i < online.length; i++) {
      const reader = online[i]!;
      if (give(reader.row[d]!, stamp, this.#seen[reader.k]!)) given++;
      else {
        ring.dropReference(d, stamp);
        if (reader.row[d]!.load() !== wordOf(stamp, State.ready)) continue;
      }
      this.#hint(reader, entryOf(stamp, d));
    }
    this.#advance(); // from here on the journal serves only hints
    for (let i = 0; i < online.length; i++) this.#show(online[i]!);
    if (this.#dropsOldest) this.#order.moveToEnd(d);
    ring.count(Kept.published, 1);
    ring.count(Kept.delivered, given);
    if (isPinned) this.#trimPins();
    else if (online.length === 0) ring.pushAvailable(d);
  }

  #countReferences(d: number, stamp: number, count: number): void {
    if (count === 1 && this.#counted[d] === 1) return; // nobody changes that
    this.#counted[d] = count;
    this.#ring.references[d]!.store(referencesOf(stamp, count));
  }

  /** Puts an entry into a USED ring, without showing it to the reader yet. */
  #hint(reader: ReaderWords, entry: number): void {
    const index = this.#used[reader.k]!;
    this.#ring.storeUsed(reader, index, entry);
    this.#used[reader.k] = (index + 1) >>> 0;
  }

  /** Shows a reader the entries of its USED ring, and wakes it if it waits. */
  #show(reader: ReaderWords): void {
    reader.bell.publish(reader.used, this.#used[reader.k]!); // P5
  }

  #advance(): void {
    this.#nextStamp = stampAfter(this.#nextStamp);
    this.#ring.keep(Kept.sequence, ++this.#sequence);
  }

  #pin(d: number, stamp: number): void {
    this.#ring.pins[d]!.store(wordOf(stamp, State.ready));
    if (this.#isPinned[d]) return; // pinned by the writer that died while publishing it
    this.#isPinned[d] = 1;
    this.#pinned.push(d);
  }

  #trimPins(): void {
    while (this.#pinned.length > this.#history) {
      const d = this.#pinned.shift()!;
      this.#isPinned[d] = 0;
      const pin = this.#ring.pins[d]!.exchange(0); // P3 before the words are checked ..
      this.#ring.dropReference(d, stampOf(pin));
    }
  }

  /** Counts a sample as dropped because no descriptor is free. */
  skip(): void {
    const ring = this.#ring;
    ring.keep(Kept.journal, 0); // a stale entry could match a repeated stamp (I4)
    this.#advance();
    ring.count(Kept.dropped, this.#online.length);
  }

  /** Updates the list of online readers, if one has joined or left. */
  #refresh(): void {
    const ring = this.#ring;
    const members = ring.members.load();
    if (members === this.#members) return;
    this.#members = members;
    this.#rows = ring.seats.used;
    this.#online = [];
    for (let k = 0; k < this.#rows; k++) {
      const reader = ring.reader(k);
      if (reader.online.load() === 0) continue;
      reader.first.compareExchange(0, this.#sequence + 1);
      this.#used[k] ??= reader.used.load();
      this.#online.push(reader);
    }
  }
}

/**
 * Makes a word `ready`, unless the reader was given this sample before. `seen` is a guess at the
 * word: one in state `none`, or 0. A wrong guess costs only a second CAS.
 */
function give(word: Word32, stamp: number, seen: number): boolean {
  if (stampOf(seen) !== stamp && seen === word.compareExchange(seen, wordOf(stamp, State.ready))) {
    return true; // P1 ..
  }
  let before = word.load();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = stateOf(before);
    const had = state === State.none ? stampOf(before) === stamp : state !== State.asking; // I3
    if (had) return false;
    const found = word.compareExchange(before, wordOf(stamp, State.ready)); // P1 ..
    if (found === before) return true;
    before = found;
  }
  return false;
}

/** A list of descriptors by the age of their samples, oldest first, with two links for each. */
class Order {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #end: number; // comes before the first and after the last

  constructor(descriptors: readonly number[]) {
    const end = this.#end = descriptors.length;
    this.#next = new Int32Array(end + 1).fill(end);
    this.#previous = new Int32Array(end + 1).fill(end);
    for (const d of descriptors) this.#append(d);
  }

  get first(): number {
    return this.#at(this.#next[this.#end]!);
  }

  after(d: number): number {
    return this.#at(this.#next[d]!);
  }

  moveToEnd(d: number): void {
    const [before, after] = [this.#previous[d]!, this.#next[d]!];
    this.#next[before] = after;
    this.#previous[after] = before;
    this.#append(d);
  }

  #append(d: number): void {
    const end = this.#end;
    const last = this.#previous[end]!;
    this.#next[last] = d;
    this.#previous[d] = last;
    this.#next[d] = end;
    this.#previous[end] = d;
  }

  #at(d: number): number {
    return d === this.#end ? NONE : d;
  }
}
