/**
 * The writing side of a VRing; how it works is told in vring.ts.
 *
 * @module
 */

import { isCount } from "../layout/sizes.ts";
import type { Word32 } from "../memory/word.ts";
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

/** What stands in the way of using a descriptor. */
const FREE = 0;
const UNREAD = 1;
const HELD = 2;

/** A reader that changes its word under the writer's eyes more often is not correct. */
const ATTEMPTS = 100;

/** No descriptor. */
export const NONE = -1;

/** How a writer deals with readers. */
export interface WriterOptions {
  /** Whether the oldest unread sample makes room where none is free. */
  readonly dropsOldest: boolean;
  /** How many of the last samples are kept for late joiners. */
  readonly history: number;
}

/** The one writer of a VRing. The caller holds its role. */
export class VRingWriter {
  readonly #ring: VRing;
  readonly #dropsOldest: boolean;
  readonly #history: number;
  readonly #order: Order; // by age, kept only where the oldest are dropped
  readonly #pinned: number[] = []; // the oldest first
  readonly #isPinned: Uint8Array;
  readonly #alive: Uint8Array; // of each reader, whether it was seen alive in this search
  #looked = false; // whether `#alive` has anything in it
  #online: ReaderWords[] = [];
  #members = -1; // as it was when `#online` was made: not yet
  #rows = 0;
  #taken: number; // from AVAIL
  #end: number; // of AVAIL, as it was last seen
  readonly #used: (number | undefined)[] = []; // of each reader: how many entries were put in
  #sequence: number;
  #nextStamp: number; // of the sample after that
  readonly #seen: Uint32Array; // of each reader: its word of what was found free last

  readonly #counted: Uint8Array; // of each descriptor: the references that were counted last

  /** Takes up where the last writer stopped, or died. */
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
    this.ringAll(); // for what the last writer may not have come to
  }

  /** Stops in order: nothing is left to a successor, and all who wait look. */
  close(): void {
    this.#ring.keep(Kept.journal, 0);
    this.ringAll();
  }

  /** Wakes all readers that wait. */
  ringAll(): void {
    this.#refresh();
    for (const { bell } of this.#online) bell.ring();
  }

  /** The number of the last sample. */
  get sequence(): number {
    return this.#sequence;
  }

  /** C3: a pin of the last writer. */
  #adoptPin(d: number): void {
    if (stateOf(this.#ring.pins[d]!.load()) !== State.ready) return;
    this.#isPinned[d] = 1;
    this.#pinned.push(d);
  }

  /** C2: what the last writer was publishing. */
  #finish(): void {
    const ring = this.#ring;
    const entry = ring.kept(Kept.journal);
    const stamp = stampOfEntry(entry);
    const d = ring.descriptorIn(entry);
    const next = this.#sequence + 1;
    if (stamp === stampOfSequence(next)) {
      if (d === NONE || ring.described(d, "sequence") !== next) {
        throw ring.corrupt(`its journal says ${entry} after sample ${this.#sequence}`);
      }
      this.#deliver(d);
    } else if (entry > 0 && d !== NONE) this.#hintAgain(d, stamp);
  }

  /** C2: all have got the last sample, but there may be some who do not know. */
  #hintAgain(d: number, stamp: number): void {
    this.#refresh();
    for (const reader of this.#online) {
      if (reader.row[d]!.load() !== wordOf(stamp, State.ready)) continue;
      this.#hint(reader, entryOf(stamp, d));
      this.#tell(reader);
    }
  }

  /**
   * A free descriptor, which stays free until it is published; or none. The readers that are found
   * in the way are looked at, and what the dead among them have is taken back.
   */
  acquire(): number {
    const hinted = this.acquireHinted();
    return hinted !== NONE ? hinted : this.#search();
  }

  /** The same as far as hints tell, at the cost of a look: what is worth trying often. */
  acquireHinted(): number {
    const ring = this.#ring;
    if (this.#history > 0) this.#refresh(); // who may have asked for what is unpinned now
    this.#forgetWhoIsAlive();
    for (;;) {
      if (this.#taken === this.#end && !this.#lookForHints()) return NONE;
      const d = ring.availableAt(this.#taken);
      if (d === NONE) return NONE; // it is just being put in, or spoilt, or whoever did is dead
      this.#taken = (this.#taken + 1) >>> 0;
      if (!this.#isPinned[d] && this.#obstacle(d) === FREE) return d;
    }
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

  /** Looks at all descriptors; the oldest sample first, if the oldest are dropped. */
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

  /** What stands in the way of using a descriptor that is not pinned. */
  #obstacle(d: number): number {
    let found = FREE;
    for (let k = 0; k < this.#rows; k++) {
      const word = this.#ring.reader(k).row[d]!;
      const seen = word.load(); // .. P2, and if it is `none` nobody reads it any more
      const isNone = stateOf(seen) === State.none && stampOf(seen) !== this.#nextStamp;
      this.#seen[k] = isNone ? seen : 0;
      if (isNone) continue;
      const state = this.#callOff(word, seen);
      if (state === State.none || this.#takeBack(k)) continue;
      if (state === State.held) return HELD;
      found = UNREAD;
    }
    return found;
  }

  /** The state of a word, once it is not `asking` any more. */
  #callOff(word: Word32, seen: number): number {
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

  /** C4: clears what a reader has if it is dead. */
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

  /** Takes a sample from all who have not taken it yet; false if one of them has, meanwhile. */
  #drop(d: number): boolean {
    let dropped = 0;
    let free = true;
    for (let k = 0; k < this.#rows && free; k++) {
      const word = this.#ring.reader(k).row[d]!;
      if (this.#callOff(word, word.load()) === State.none) continue;
      const before = word.load();
      const after = wordOf(stampOf(before), State.none);
      free = stateOf(before) === State.ready && word.compareExchange(before, after) === before;
      if (free) dropped++;
    }
    this.#ring.count(Kept.dropped, dropped);
    return free;
  }

  /** Publishes what was written into a descriptor. */
  publish(d: number, length: number): void {
    const ring = this.#ring;
    ring.describe(d, "sequence", this.#sequence + 1);
    ring.describe(d, "length", length);
    ring.keep(Kept.journal, entryOf(this.#nextStamp, d)); // from here on it is published: C2
    this.#deliver(d);
  }

  /** Gives a sample to everybody, as far as that was not done yet. */
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
    this.#advance(); // the journal is done with, but for hints
    for (let i = 0; i < online.length; i++) this.#tell(online[i]!);
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

  /** Puts an entry into a USED ring; the reader is yet to be told. */
  #hint(reader: ReaderWords, entry: number): void {
    const index = this.#used[reader.k]!;
    this.#ring.storeUsed(reader, index, entry);
    this.#used[reader.k] = (index + 1) >>> 0;
  }

  /** Shows a reader the entries of its USED ring, and wakes it if it waits. */
  #tell(reader: ReaderWords): void {
    reader.bell.publish(reader.used, this.#used[reader.k]!); // P5
  }

  #advance(): void {
    this.#nextStamp = stampAfter(this.#nextStamp);
    this.#ring.keep(Kept.sequence, ++this.#sequence);
  }

  #pin(d: number, stamp: number): void {
    this.#ring.pins[d]!.store(wordOf(stamp, State.ready));
    if (this.#isPinned[d]) return; // by the writer that died while it published this
    this.#isPinned[d] = 1;
    this.#pinned.push(d);
  }

  #trimPins(): void {
    while (this.#pinned.length > this.#history) {
      const d = this.#pinned.shift()!;
      this.#isPinned[d] = 0;
      const pin = this.#ring.pins[d]!.exchange(0); // P3 before anyone looks whether it is free ..
      this.#ring.dropReference(d, stampOf(pin));
    }
  }

  /** Counts a sample that is not published because no descriptor is free. */
  skip(): void {
    const ring = this.#ring;
    ring.keep(Kept.journal, 0); // or the number of the last one might come again before the next (I4)
    this.#advance();
    ring.count(Kept.dropped, this.#online.length);
  }

  /** Sees who is online, if anyone has come or gone. */
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
 * Makes a word `ready`, unless the reader was given this sample before. When it was `seen`, or some
 * other word was, it was `none`.
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

/** Descriptors by the age of their samples, the oldest first: a list with two links for each. */
class Order {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #end: number; // stands before the first and after the last

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
