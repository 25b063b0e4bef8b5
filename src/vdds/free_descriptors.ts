/**
 * The free descriptors of a VRing, as its writer finds them; vring.ts explains the algorithm.
 *
 * A hint of AVAIL names one that is probably free. The words of all readers decide (I1). Without a
 * hint all descriptors are searched, the oldest sample first if the oldest are dropped.
 *
 * @module
 */

import { Errno, OsError } from "../errors.ts";
import { roundUp } from "../layout/sizes.ts";
import type { Word32 } from "../memory/word.ts";
import { pageSize } from "../os/page.ts";
import { AgeOrder } from "./age_order.ts";
import type { Audience } from "./audience.ts";
import { Kept, type VRing } from "./vring.ts";
import { NONE, stampOf, State, stateOf, wordOf } from "./vring_layout.ts";

/** The obstacles to using a descriptor. */
const FREE = 0;
const UNREAD = 1;
const HELD = 2;

/** The limit of attempts: a correct reader does not change its word more often meanwhile. */
const ATTEMPTS = 100;

/** The descriptors that the writer can take. */
export class FreeDescriptors {
  readonly #ring: VRing;
  readonly #audience: Audience;
  readonly #isPinned: Uint8Array;
  readonly #order: AgeOrder | undefined; // if the oldest are dropped
  readonly #isOut: Uint8Array; // for each descriptor: taken, and not published or given back
  #taken: number; // from AVAIL
  #end: number; // of AVAIL, as last loaded

  /**
   * Adopts the free descriptors; `byAge` lists all of them, and `isPinned` marks the pinned ones.
   */
  constructor(
    ring: VRing,
    audience: Audience,
    { byAge, isPinned, dropsOldest }: {
      byAge: readonly number[];
      isPinned: Uint8Array;
      dropsOldest: boolean;
    },
  ) {
    this.#ring = ring;
    this.#audience = audience;
    this.#isPinned = isPinned;
    this.#order = dropsOldest ? new AgeOrder(byAge) : undefined;
    this.#isOut = new Uint8Array(ring.plan.depth);
    this.#taken = this.#end = ring.available.load();
    for (const d of byAge) {
      if (this.#isFree(d)) ring.pushAvailable(d);
    }
  }

  /**
   * Returns a free descriptor that a hint names, or NONE. If samples are pinned, the caller
   * refreshes the audience first: new readers may have asked for a sample that is now unpinned.
   */
  takeHinted(): number {
    const ring = this.#ring;
    this.#audience.forgetLife();
    for (;;) {
      if (this.#taken === this.#end && !this.#lookForHints()) return NONE;
      const d = ring.availableAt(this.#taken);
      if (d === NONE) return NONE; // not stored yet, or corrupt, or its reader died
      this.#taken = (this.#taken + 1) >>> 0;
      if (this.#isFree(d)) return this.#takeOut(d);
    }
  }

  #isFree(d: number): boolean {
    return !this.#isPinned[d] && !this.#isOut[d] && this.#obstacle(d) === FREE;
  }

  #takeOut(d: number): number {
    this.#isOut[d] = 1;
    return d;
  }

  #lookForHints(): boolean {
    const { available, plan } = this.#ring;
    const end = this.#end = available.load();
    const ahead = (end - this.#taken) >>> 0;
    if (ahead > plan.entries) this.#taken = (end - plan.entries) >>> 0;
    return ahead > 0;
  }

  /**
   * Searches all descriptors for a free one, or returns NONE. It checks the readers that block it,
   * and takes back the samples of dead ones. The caller refreshes the audience before.
   */
  search(): number {
    this.#audience.forgetLife();
    if (this.#taken !== this.#end) this.#taken = (this.#taken + 1) >>> 0; // no hint after all
    const order = this.#order;
    if (order === undefined) return this.#searchUnordered();
    for (let d = order.first; d !== NONE; d = order.after(d)) {
      if (this.#isPinned[d] || this.#isOut[d]) continue;
      const obstacle = this.#obstacle(d);
      if (obstacle === FREE || obstacle === UNREAD && this.#drop(d)) return this.#takeOut(d);
    }
    return NONE;
  }

  #searchUnordered(): number {
    for (let d = 0; d < this.#ring.plan.depth; d++) {
      if (this.#isFree(d)) return this.#takeOut(d);
    }
    return NONE;
  }

  /** Makes a taken descriptor free again. */
  giveBack(d: number): void {
    this.#isOut[d] = 0;
    this.#ring.pushAvailable(d);
  }

  /** Records that a taken descriptor was published, and so has the newest sample. */
  published(d: number): void {
    this.#isOut[d] = 0;
    this.#order?.moveToEnd(d);
  }

  /** Returns the obstacle to using a descriptor that is not pinned. */
  #obstacle(d: number): number {
    const audience = this.#audience;
    const { rows, seen } = audience;
    audience.seenOf = d;
    let found = FREE;
    for (let k = 0; k < rows; k++) {
      const word = this.#ring.reader(k).row[d]!;
      const now = word.load(); // .. P2, and if it is `none` nobody reads the sample any more
      const isNone = stateOf(now) === State.none;
      seen[k] = isNone ? now : 0;
      if (isNone) continue;
      const state = cancelRequest(word, now);
      if (state === State.none || audience.takeBack(k)) continue;
      if (state === State.held) return HELD;
      found = UNREAD;
    }
    return found;
  }

  /**
   * Takes a sample from all readers that have not taken it yet; returns false if one takes it
   * meanwhile.
   */
  #drop(d: number): boolean {
    let dropped = 0;
    let free = true;
    for (let k = 0; k < this.#audience.rows && free; k++) {
      const word = this.#ring.reader(k).row[d]!;
      if (cancelRequest(word, word.load()) === State.none) continue;
      const before = word.load();
      const after = wordOf(stampOf(before), State.none);
      free = stateOf(before) === State.ready && word.compareExchange(before, after) === before;
      if (free) dropped++;
    }
    this.#ring.count(Kept.dropped, dropped);
    return free;
  }

  /**
   * Allocates memory for `length` bytes of a taken descriptor, unless it has that much, and returns
   * the descriptor. When the file system is full, returns another free descriptor that has memory.
   * If there is none, throws the OsError (ENOSPC). In both cases the first descriptor is free
   * again.
   */
  commit(d: number, length: number): number {
    const { region, plan, descriptors } = this.#ring;
    if (descriptors.hasMemory(d, length)) return d;
    const committed = Math.min(roundUp(length, pageSize()), plan.sampleBytes);
    try {
      region.allocate(descriptors.sampleAt(d), committed);
      descriptors.commit(d, committed);
      return d;
    } catch (error) {
      const isFull = error instanceof OsError && error.errno === Errno.ENOSPC;
      const other = isFull ? this.#takeWithMemory(length) : NONE;
      this.giveBack(d); // for a sample that comes when there is more
      if (other !== NONE) return other;
      throw error;
    }
  }

  /** Returns a free descriptor that has memory for so many bytes, or NONE. */
  #takeWithMemory(length: number): number {
    const unfit: number[] = [];
    let found = this.takeHinted();
    while (found !== NONE && !this.#ring.descriptors.hasMemory(found, length)) {
      unfit.push(found);
      found = this.takeHinted();
    }
    for (const d of unfit) this.giveBack(d);
    return found;
  }
}

/** Cancels a request (`asking`), and returns the state of the word after that. */
function cancelRequest(word: Word32, seen: number): number {
  let before = seen;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = stateOf(before);
    if (state !== State.asking) return state; // .. P2, likewise
    const found = word.compareExchange(before, wordOf(stampOf(before), State.none));
    if (found === before) return State.none; // .. P3 and it will not get what it asks for
    before = found;
  }
  return State.held;
}
