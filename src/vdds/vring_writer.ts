/**
 * The writing side of a VRing; vring.ts explains the algorithm.
 *
 * @module
 */

import { isCount } from "../layout/sizes.ts";
import type { Word32 } from "../memory/word.ts";
import type { Origin } from "../origin.ts";
import { time } from "../os/clock.ts";
import { Audience } from "./audience.ts";
import { FreeDescriptors } from "./free_descriptors.ts";
import { Quota } from "./quota.ts";
import { Kept, type VRing } from "./vring.ts";
import {
  entryOf,
  MARK,
  NONE,
  referencesOf,
  stampAfter,
  stampOf,
  stampOfEntry,
  stampOfSequence,
  State,
  stateOf,
  wordOf,
} from "./vring_layout.ts";

/** The limit of attempts: a correct reader does not change its word more often meanwhile. */
const ATTEMPTS = 100;

/** The policy of a writer. */
export interface WriterOptions {
  /** Whether the oldest unread sample is dropped when no descriptor is free. */
  readonly dropsOldest: boolean;
  /** The number of last samples kept for late joiners. */
  readonly history: number;
  /** The most samples that one reader can have; 0 for no limit, the default. */
  readonly quota?: number;
}

/** The one writer of a VRing. The caller holds its role. */
export class VRingWriter {
  readonly #ring: VRing;
  readonly #history: number;
  readonly #audience: Audience;
  readonly #free: FreeDescriptors;
  readonly #quota: Quota;
  readonly #pinned: number[] = []; // oldest first
  readonly #isPinned: Uint8Array;
  readonly #counted: Uint8Array; // for each descriptor: the references last counted
  #spare = NONE; // acquired for the next sample
  #sequence: number;
  #nextStamp: number; // of the sample after that
  #published: number; // counters that no other party changes
  #delivered: number;
  #given = 0; // readers that were given the last sample

  /** Continues where the last writer stopped or died. */
  constructor(ring: VRing, { dropsOldest, history, quota = 0 }: WriterOptions) {
    const { depth } = ring.plan;
    this.#ring = ring;
    this.#history = history;
    this.#audience = new Audience(ring);
    this.#quota = new Quota(ring, quota, !dropsOldest);
    const isPinned = this.#isPinned = new Uint8Array(depth);
    this.#counted = new Uint8Array(depth);
    this.#sequence = ring.kept(Kept.sequence);
    this.#nextStamp = stampOfSequence(this.#sequence + 1);
    this.#published = ring.kept(Kept.published);
    this.#delivered = ring.kept(Kept.delivered);
    if (!isCount(this.#sequence)) throw ring.corrupt(`its last sample is ${this.#sequence}`);
    const byAge = ring.descriptors.byAge();
    for (const d of byAge) this.#adoptPin(d);
    this.#finish();
    this.#invalidateUnpublished();
    this.#trimPins();
    this.#refresh();
    this.#free = new FreeDescriptors(ring, this.#audience, { byAge, isPinned, dropsOldest });
    this.ringAll(); // the last writer may have died before ringing
    ring.latest.store(this.#sequence >>> 0); // or before it showed the sample to observers
  }

  /** Ends the journal, so that a successor has nothing to finish, and wakes all waiting readers. */
  close(): void {
    this.#ring.keep(Kept.journal, 0);
    this.ringAll();
  }

  /** Wakes all waiting readers. */
  ringAll(): void {
    this.#refresh();
    for (const { bell } of this.#audience.online) bell.ring();
  }

  #refresh(): void {
    this.#audience.refresh(this.#sequence);
  }

  /** The number of the last sample. */
  get sequence(): number {
    return this.#sequence;
  }

  /** C3: adopts a pin of the last writer. */
  #adoptPin(d: number): void {
    if (stateOf(this.#ring.descriptors.pins[d]!.load()) !== State.ready) return;
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
      if (d === NONE || ring.descriptors.load(d, "sequence") !== next) {
        throw ring.corrupt(`its journal has ${entry} after sample ${this.#sequence}`);
      }
      this.#deliver(d);
    } else if (entry > 0 && d !== NONE) this.#hintAgain(d, stamp);
  }

  /** C1: a sample that the last writer described and did not publish has the number of the next. */
  #invalidateUnpublished(): void {
    const { descriptors } = this.#ring;
    for (let d = 0; d < descriptors.depth; d++) {
      if (descriptors.load(d, "sequence") > this.#sequence) descriptors.invalidate(d);
    }
  }

  /** C2: repeats the hints of the last sample, which all readers have, though some may not know. */
  #hintAgain(d: number, stamp: number): void {
    this.#refresh();
    for (const reader of this.#audience.online) {
      if (reader.row[d]!.load() !== wordOf(stamp, State.ready)) continue;
      this.#audience.hint(reader, entryOf(stamp, d));
      this.#audience.show(reader);
    }
  }

  /**
   * Acquires a descriptor for the next sample, by a hint or a search; returns false without one.
   */
  stock(): boolean {
    if (this.stockHinted()) return true;
    this.#refresh();
    return this.#stockWith(this.#free.search());
  }

  /** Acquires a descriptor for the next sample only if a hint names one; cheap to try often. */
  stockHinted(): boolean {
    return this.#spare !== NONE || this.#stockWith(this.#takeHinted());
  }

  #takeHinted(): number {
    if (this.#history > 0) this.#refresh();
    return this.#free.takeHinted();
  }

  #stockWith(d: number): boolean {
    if (d === NONE) return false;
    this.#ring.descriptors.invalidate(d);
    this.#spare = d;
    return true;
  }

  /**
   * Takes the stocked descriptor, and allocates memory for `length` bytes. The caller owns it until
   * it publishes the descriptor or gives it back.
   */
  take(length: number): number {
    const d = this.#spare;
    this.#spare = NONE;
    const taken = this.#free.commit(d, length);
    if (taken !== d) this.#ring.descriptors.invalidate(taken);
    return taken;
  }

  /** Takes a descriptor back that was not published. */
  giveBack(d: number): void {
    if (this.#spare === NONE) this.#spare = d;
    else this.#free.giveBack(d);
  }

  /** Publishes the sample in a descriptor, with its origin if a bridge republishes it. */
  publish(d: number, length: number, origin?: Origin): void {
    const ring = this.#ring;
    const { descriptors } = ring;
    const stamp = this.#nextStamp;
    this.#clearRepeated(d, wordOf(stamp, State.none));
    if (origin !== undefined) descriptors.storeOrigin(d, origin);
    descriptors.store(d, "sequence", this.#sequence + 1);
    descriptors.store(d, "time", time());
    descriptors.store(d, "length", origin === undefined ? length : length + MARK);
    ring.keep(Kept.journal, entryOf(stamp, d)); // from here on it is published: C2
    this.#deliver(d);
    this.#free.published(d);
    if (this.#history === 0 && this.#given === 0) ring.pushAvailable(d);
    this.#prepareNext();
    ring.latest.storeInOrder(this.#sequence >>> 0); // P7 .. and P6 for the next descriptor
    ring.region.mapping.checkWhole();
  }

  /** Acquires a descriptor for the next sample, while the readers are busy with this one. */
  #prepareNext(): void {
    if (this.#spare !== NONE) return;
    try {
      this.#spare = this.#takeHinted();
    } catch {
      return; // this sample is published, and the next call reports the error
    }
    if (this.#spare !== NONE) this.#ring.descriptors.invalidateSoon(this.#spare); // P6
  }

  /** I4: clears the words of a descriptor that seem to have been given the next sample. */
  #clearRepeated(d: number, repeated: number): void {
    const audience = this.#audience;
    const { online, seen } = audience; // readers that join later clear their rows
    audience.look(d);
    for (let i = 0; i < online.length; i++) {
      const { k, row } = online[i]!;
      if (seen[k] !== repeated) continue;
      row[d]!.compareExchange(repeated, 0);
      seen[k] = 0;
    }
  }

  /** Gives a sample to all online readers that do not have it yet. */
  #deliver(d: number): void {
    const ring = this.#ring;
    const audience = this.#audience;
    const stamp = this.#nextStamp;
    const entry = entryOf(stamp, d);
    const isPinned = this.#history > 0;
    if (isPinned) this.#pin(d, stamp);
    this.#refresh(); // .. P4 after the pin
    const { online } = audience;
    this.#countReferences(d, stamp, online.length + (isPinned ? 1 : 0));
    let given = 0;
    let refused = 0;
    for (let i = 0; i < online.length; i++) {
      const reader = online[i]!;
      if (this.#quota.refuses(reader, d, stamp)) {
        ring.dropReference(d, stamp);
        refused++;
        continue;
      }
      if (give(reader.row[d]!, stamp, audience.seen[reader.k]!)) {
        this.#quota.note(reader);
        given++;
      } else {
        ring.dropReference(d, stamp);
        if (reader.row[d]!.load() !== wordOf(stamp, State.ready)) continue;
      }
      audience.hint(reader, entry);
    }
    this.#advance(); // from here on the journal serves only hints
    for (let i = 0; i < online.length; i++) audience.show(online[i]!);
    ring.keep(Kept.published, ++this.#published);
    ring.keep(Kept.delivered, this.#delivered += given);
    if (refused > 0) ring.count(Kept.dropped, refused);
    this.#given = given;
    if (isPinned) this.#trimPins();
  }

  #countReferences(d: number, stamp: number, count: number): void {
    if (count === 1 && this.#counted[d] === 1) return; // no reader changes that
    this.#counted[d] = count;
    this.#ring.descriptors.references[d]!.store(referencesOf(stamp, count));
  }

  #advance(): void {
    this.#nextStamp = stampAfter(this.#nextStamp);
    this.#ring.keep(Kept.sequence, ++this.#sequence);
  }

  #pin(d: number, stamp: number): void {
    this.#ring.descriptors.pins[d]!.store(wordOf(stamp, State.ready));
    if (this.#isPinned[d]) return; // pinned by the writer that died while publishing it
    this.#isPinned[d] = 1;
    this.#pinned.push(d);
  }

  #trimPins(): void {
    while (this.#pinned.length > this.#history) {
      const d = this.#pinned.shift()!;
      this.#isPinned[d] = 0;
      const pin = this.#ring.descriptors.pins[d]!.exchange(0); // P3 before the words are checked ..
      this.#ring.dropReference(d, stampOf(pin));
    }
  }

  /** Counts samples as dropped: no descriptor is free, or they were lost on their way here. */
  skip(count = 1): void {
    const ring = this.#ring;
    ring.keep(Kept.journal, 0); // a stale entry could match a repeated stamp (I4)
    this.#sequence += count - 1;
    this.#nextStamp = stampOfSequence(this.#sequence + 1);
    this.#advance();
    ring.count(Kept.dropped, count * this.#audience.online.length);
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
