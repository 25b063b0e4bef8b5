/**
 * The reading side of a VRing; vring.ts explains the algorithm.
 *
 * If the next entry of the USED ring names the sample after the last one taken, the reader takes
 * that sample. With any other entry, or after samples were lost, it searches its row. It then takes
 * all samples that are `ready` and not newer than the last published one, in the order of their
 * numbers. It continues in the ring from its position before the search.
 *
 * @module
 */

import type { Mapping } from "../memory/mapping.ts";
import { isTime, type Origin } from "../origin.ts";
import type { Role } from "../region/liveness.ts";
import type { TakenSeat } from "../region/seats.ts";
import { Kept, type ReaderWords, type VRing } from "./vring.ts";
import {
  MARK,
  NONE,
  stampAfter,
  stampOf,
  stampOfSequence,
  State,
  stateOf,
  wordOf,
} from "./vring_layout.ts";

/** The limit of attempts against a writer that drops samples faster than they can be taken. */
const ATTEMPTS = 100;

/** The sample that a reader has taken last. The reader owns the record and reuses it. */
export interface Taken {
  readonly descriptor: number;
  readonly stamp: number;
  readonly sequence: number;
  readonly length: number;
  /** The number of samples published since the one before, and not given to this reader. */
  readonly lost: number;
  /** The time of the publish in milliseconds since 1970. */
  readonly time: number;
  readonly origin: Origin | undefined;
}

/** One of the readers of a VRing. */
export class VRingReader {
  readonly #ring: VRing;
  readonly #mapping: Mapping;
  readonly #k: number;
  readonly #role: Role;
  readonly #asked: Uint32Array; // stamps of requested samples, which count no reference
  #found: { d: number; stamp: number }[] = []; // by the last search, newest first
  #index: number; // in the USED ring
  #end: number; // of the USED ring, as last loaded
  #expected = 0; // the number of the sample that follows the last one taken; 0 before the first
  #nextStamp = 0; // its stamp
  readonly #free: Uint16Array; // given back, but the writer has no hint yet
  #freeCount = 0;
  readonly words: ReaderWords;
  #lost = 0; // in all
  #again = false; // the next `take` returns the last sample again
  readonly #last: { -readonly [F in keyof Taken]: Taken[F] } = {
    descriptor: NONE,
    stamp: 0,
    sequence: 0,
    length: 0,
    lost: 0,
    time: 0,
    origin: undefined,
  };

  private constructor(ring: VRing, k: number, role: Role) {
    this.#ring = ring;
    this.#mapping = ring.region.mapping;
    this.#k = k;
    this.#role = role;
    this.#asked = new Uint32Array(ring.plan.depth);
    this.#free = new Uint16Array(Math.max(1, ring.plan.depth >> 2));
    this.words = ring.reader(k);
    this.#index = this.#end = this.words.used.load();
  }

  /**
   * Becomes one of the readers. Returns undefined when all their seats are held by readers that are
   * online, and "busy" when one of them is joining, leaving or being repaired.
   */
  static join(ring: VRing, history: number): VRingReader | "busy" | undefined {
    const taken = ring.seats.take({ clear: (k) => ring.clear(k) }); // C4
    if (taken !== undefined) return VRingReader.#online(ring, taken, history);
    for (let k = 0; k < ring.seats.count; k++) {
      if (ring.reader(k).online.load() === 0) return "busy";
    }
    return undefined;
  }

  static #online(ring: VRing, { index: k, role }: TakenSeat, history: number): VRingReader {
    using stack = new DisposableStack();
    stack.use(role);
    const reader = new VRingReader(ring, k, role);
    reader.words.first.store(0);
    reader.words.online.store(1);
    ring.members.add(1);
    reader.#askForHistory(history); // P4 once it is online ..
    reader.#search();
    ring.spaceBell.ring();
    stack.move();
    return reader;
  }

  /** Requests pinned samples, and takes those that stay pinned. */
  #askForHistory(history: number): void {
    if (history === 0) return;
    const { plan, descriptors } = this.#ring;
    const { pins } = descriptors;
    const pinned: { d: number; sequence: number }[] = [];
    for (let d = 0; d < plan.depth; d++) {
      if (stateOf(pins[d]!.load()) !== State.ready) continue;
      pinned.push({ d, sequence: descriptors.load(d, "sequence") });
    }
    pinned.sort((a, b) => b.sequence - a.sequence);
    for (const { d } of pinned.slice(0, history)) this.#ask(d);
  }

  #ask(d: number): void {
    const word = this.words.row[d]!;
    const pin = this.#ring.descriptors.pins[d]!;
    const before = word.load();
    const pinned = pin.load();
    if (stateOf(before) !== State.none || stateOf(pinned) !== State.ready) return;
    const asking = wordOf(stampOf(pinned), State.asking);
    if (word.compareExchange(before, asking) !== before) return; // it was given
    if (pin.load() !== pinned) word.compareExchange(asking, before); // .. P3 too late
    else if (word.compareExchange(asking, pinned) === asking) this.#asked[d] = stampOf(pinned);
  }

  /** The sample that was taken last. */
  get taken(): Taken {
    return this.#last;
  }

  /** The number of samples lost before the one taken last, in all. */
  get lost(): number {
    return this.#lost;
  }

  /** Throws if a peer has taken memory away: after the last access of an operation. */
  checkWhole(): void {
    this.#mapping.checkWhole();
  }

  /** Whether a peer has taken memory away. */
  get isLost(): boolean {
    return this.#mapping.isLost;
  }

  /** Whether the memory is unusable; then its samples are, or will be, given back. */
  get closed(): boolean {
    return !this.#mapping.usable;
  }

  /** Whether a sample seems to be available. */
  hasNews(): boolean {
    if (this.#again || this.#found.length > 0 || this.#index !== this.#end) return true;
    this.#end = this.words.used.load();
    return this.#index !== this.#end;
  }

  /** Whether this reader has no sample left, neither unread nor held. */
  isDone(): boolean {
    return this.words.row.every((word) => stateOf(word.load()) === State.none);
  }

  /** Makes the next `take` return the last sample again, which the caller could not use. */
  takeAgain(): void {
    this.#again = true;
  }

  /** Makes the next `take` return the last sample again, without its loss, which was reported. */
  takeAgainWithoutLoss(): void {
    this.#last.lost = 0;
    this.#again = true;
  }

  /** Takes the oldest sample; returns undefined if none is available. */
  take(): Taken | undefined {
    if (this.#again) {
      this.#again = false;
      return this.#last;
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#found.length > 0) {
        const { d, stamp } = this.#found.pop()!;
        if (this.#hold(d, stamp)) return this.#taken(d, stamp);
      } else {
        if (!this.hasNews()) return undefined;
        const stamp = this.#nextStamp;
        const d = this.#next(stamp);
        if (this.#expected > 0 && d !== NONE && this.#hold(d, stamp)) {
          this.#index = (this.#index + 1) >>> 0;
          return this.#taken(d, stamp);
        }
        this.#search(); // the sample was dropped, or the hint is wrong
      }
    }
    return undefined;
  }

  /**
   * Takes the newest sample and gives older ones back; returns undefined if none is available.
   * After a corrupt sample the next `take` returns the one before it.
   */
  takeLatest(): Taken | undefined {
    if (this.take() === undefined) return undefined;
    const last = this.#last;
    try {
      for (let i = 0; i < 2 * this.#ring.plan.depth; i++) { // a faster writer is not chased further
        const { descriptor, stamp, lost } = last;
        if (this.take() === undefined) break;
        last.lost += lost;
        this.release(descriptor, stamp);
      }
    } catch (error) {
      this.takeAgain();
      throw error;
    }
    return last;
  }

  /** Returns the descriptor of the next sample according to the ring. */
  #next(stamp: number): number {
    const isLast = ((this.#index + 1) >>> 0) === this.#end;
    const d = isLast ? this.#ring.newestUsed(this.words, stamp) : NONE;
    return d !== NONE ? d : this.#ring.usedAt(this.words, this.#index, stamp);
  }

  #hold(d: number, stamp: number): boolean {
    const ready = wordOf(stamp, State.ready);
    return this.words.row[d]!.compareExchange(ready, wordOf(stamp, State.held)) === ready; // .. P1
  }

  #taken(descriptor: number, stamp: number): Taken {
    const ring = this.#ring;
    const { descriptors } = ring;
    const sequence = descriptors.load(descriptor, "sequence");
    const time = descriptors.load(descriptor, "time");
    const marked = descriptors.load(descriptor, "length");
    const isMarked = marked >= MARK;
    const length = isMarked ? marked - MARK : marked;
    const origin = isMarked ? descriptors.loadOrigin(descriptor) : undefined;
    const isNumber = sequence === this.#expected && stamp === this.#nextStamp ||
      Number.isSafeInteger(sequence) && sequence >= this.#expected &&
        stampOfSequence(sequence) === stamp;
    const isSound = isNumber && isTime(time) && isMarked === (origin !== undefined) &&
      Number.isInteger(length) && length >= 0 && descriptors.hasMemory(descriptor, length);
    if (!isSound) {
      this.release(descriptor, stamp);
      throw ring.corrupt(
        `descriptor ${descriptor} has sample ${sequence} with ${length} bytes at ${time}` +
          (isMarked && origin === undefined ? " and no origin" : ""),
      );
    }
    if (this.#expected === 0) {
      const first = this.words.first.load(); // a sample of the history is older
      this.#expected = first > 0 && first < sequence ? first : sequence;
    }
    const last = this.#last;
    last.descriptor = descriptor;
    last.stamp = stamp;
    last.sequence = sequence;
    last.length = length;
    last.time = time;
    last.origin = origin;
    this.#lost += last.lost = sequence - this.#expected;
    this.#expected = sequence + 1;
    this.#nextStamp = stampAfter(stamp);
    this.#mapping.checkWhole();
    return last;
  }

  /** Finds all samples that can be taken. */
  #search(): void {
    const ring = this.#ring;
    this.#index = this.#end = this.words.used.load();
    // A newer sample may arrive while the row is searched, and would come before older ones. It is
    // in the ring from here on.
    const newest = ring.kept(Kept.sequence);
    this.words.first.loadLast(); // orders the load above before all that follow
    const found: { d: number; stamp: number; sequence: number }[] = [];
    for (let d = 0; d < ring.plan.depth; d++) {
      const word = this.words.row[d]!.load();
      if (stateOf(word) !== State.ready) continue;
      const sequence = ring.descriptors.load(d, "sequence");
      const stamp = stampOf(word);
      const isNew = sequence > newest && this.#asked[d] !== stamp;
      if (!isNew) found.push({ d, stamp, sequence });
    }
    this.#found = found.sort((a, b) => b.sequence - a.sequence);
  }

  /** Gives a sample back, and notifies the writer. */
  release(d: number, stamp: number): void {
    const isLast = this.#giveBack(d, stamp);
    this.#hint();
    if (isLast) this.#ring.pushAvailable(d);
    this.#ring.spaceBell.ring(); // P5 even if other readers seem to hold it: they may be dead
  }

  /** Gives a sample back. Notifies a writer that is awake of several samples together. */
  releaseSoon(d: number, stamp: number): void {
    if (this.#giveBack(d, stamp)) this.#free[this.#freeCount++] = d;
    const many = this.#freeCount === this.#free.length;
    if (many || this.#ring.isWriterAsleep()) this.announce(); // P5
  }

  /** Gives a sample back; returns true for its last holder, which owes the writer a hint. */
  #giveBack(d: number, stamp: number): boolean {
    const ring = this.#ring;
    const held = wordOf(stamp, State.held);
    if (this.words.row[d]!.compareExchange(held, wordOf(stamp, State.none)) !== held) { // P2 ..
      throw ring.corrupt(`descriptor ${d} was taken from this reader while it held it`);
    }
    if (this.#asked[d] !== stamp) return ring.descriptors.isLastReference(d, stamp);
    this.#asked[d] = 0;
    return true;
  }

  /** Notifies the writer of the samples that were given back. */
  announce(): void {
    this.#hint();
    this.#ring.spaceBell.ring(); // P5
  }

  #hint(): void {
    if (this.#freeCount === 0) return;
    this.#ring.pushAllAvailable(this.#free, this.#freeCount);
    this.#freeCount = 0;
  }

  /** Gives all samples back, and leaves. */
  leave(): void {
    this.announce();
    this.#ring.clear(this.#k);
    this.#ring.spaceBell.ring();
    this.#role.close();
  }
}
