/**
 * Reading the samples of a VRing without any right to write; vring.ts, P6 and P7, explains how.
 *
 * @module
 */

import { isCount } from "../layout/sizes.ts";
import { copyOut } from "../memory/word.ts";
import { isTime, type Origin } from "../origin.ts";
import { Kept, type VRing } from "./vring.ts";
import { MARK, NONE } from "./vring_layout.ts";

/** A copied sample. The cursor owns the record and reuses it. */
export interface ObservedSample {
  readonly sequence: number;
  /** The number of samples before this one that were overwritten, or never sent. */
  readonly lost: number;
  readonly time: number;
  readonly origin: Origin | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The samples that the cursors of an observer have lost in all. */
export interface Tally {
  lost: number;
}

/** Returns an array of a length, to copy a sample into. */
export type RoomFor = (length: number) => Uint8Array<ArrayBuffer>;

/** A position in the samples of one topic. */
export class TopicCursor {
  readonly ring: VRing;
  #next: number;
  #countedFrom: number; // the first sample whose loss counts; all do once one was copied
  #place = 0; // the descriptor of the sample found last
  readonly #tally: Tally;
  #lost = 0; // since the last sample that was copied
  #isBroken = false;
  readonly #last = {
    sequence: 0,
    lost: 0,
    time: 0,
    origin: undefined as Origin | undefined,
    bytes: new Uint8Array(0),
  };

  /**
   * Begins with the last `history` samples, or with the first sample ever if it is undefined.
   * Adds the samples that it loses to a tally.
   */
  constructor(ring: VRing, history: number | undefined, tally: Tally = { lost: 0 }) {
    this.ring = ring;
    this.#tally = tally;
    const after = history === undefined ? 0 : this.#checkedNewest();
    this.#next = Math.max(1, after - (history ?? 0) + 1);
    this.#countedFrom = after + 1;
  }

  /** Whether the words of the topic were corrupt, so that no sample can be found. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The number of the newest sample; NaN if the words are corrupt. */
  #newest(): number {
    const low = this.ring.latest.load(); // .. P7
    const sequence = this.ring.kept(Kept.sequence); // as old as `latest`, or newer
    const newest = sequence - ((sequence - low) >>> 0);
    return isCount(newest) ? newest : NaN;
  }

  #checkedNewest(): number {
    const newest = this.#newest();
    if (!Number.isNaN(newest)) return newest;
    this.#isBroken = true;
    const { ring } = this;
    throw ring.corrupt(
      `its last sample is ${ring.kept(Kept.sequence)}, and ${ring.latest.load()} for observers`,
    );
  }

  /**
   * Whether a sample was published that has been neither copied nor counted as lost. Also true if the
   * words are corrupt: taking one reports it.
   */
  hasNews(): boolean {
    return !(this.#newest() < this.#next);
  }

  /**
   * Copies the next sample that was not overwritten; returns undefined after the last. If samples
   * were lost before it and `staysAfterLoss` is set, the next call returns it again, without the
   * loss.
   */
  take(roomFor: RoomFor, staysAfterLoss = false): ObservedSample | undefined {
    const newest = this.#checkedNewest();
    while (this.#next <= newest) {
      const d = this.#find(newest);
      if (d !== NONE && this.#copy(d, roomFor)) {
        this.#last.lost = this.#lost;
        this.#lost = 0;
        this.#countedFrom = 0;
        if (!staysAfterLoss || this.#last.lost === 0) this.#next++;
        return this.#last;
      }
      this.#skipTo(d === NONE ? newest + 1 : this.#next + 1);
    }
    return undefined;
  }

  /**
   * Returns the descriptor of the oldest sample from the next one to `newest` that is still there,
   * and makes that the next one; returns NONE if all are gone. Samples in a row are mostly in
   * descriptors in a row.
   */
  #find(newest: number): number {
    const { descriptors } = this.ring;
    const { depth } = descriptors;
    let found = NONE;
    let oldest = Infinity;
    for (let i = 1; i <= depth && oldest !== this.#next; i++) {
      const d = (this.#place + i) % depth;
      const sequence = descriptors.load(d, "sequence");
      const isWanted = sequence >= this.#next && sequence <= newest && sequence < oldest;
      if (isWanted && Number.isInteger(sequence)) [found, oldest] = [d, sequence];
    }
    if (found === NONE) return NONE;
    this.#skipTo(oldest);
    this.#place = found;
    return found;
  }

  /** Counts the samples before another one as lost. */
  #skipTo(sequence: number): void {
    const lost = Math.max(0, sequence - Math.max(this.#next, this.#countedFrom));
    this.#lost += lost;
    this.#tally.lost += lost;
    this.#next = Math.max(this.#next, sequence);
  }

  /** Copies the next sample; returns false if it was overwritten. */
  #copy(d: number, roomFor: RoomFor): boolean {
    const { ring } = this;
    const { descriptors } = ring;
    const sequence = this.#next;
    const look = descriptors.look(d);
    const time = descriptors.load(d, "time");
    const marked = descriptors.load(d, "length");
    const isMarked = marked >= MARK;
    const length = isMarked ? marked - MARK : marked;
    const origin = isMarked ? descriptors.loadOrigin(d) : undefined;
    const isSound = isTime(time) && isMarked === (origin !== undefined) &&
      isCount(length) && descriptors.hasMemory(d, length);
    if (!isSound) {
      if (!descriptors.isStill(d, sequence, look)) return false; // it was being overwritten
      this.#skipTo(sequence + 1);
      throw ring.corrupt(`descriptor ${d} has sample ${sequence} with ${length} bytes at ${time}`);
    }
    const bytes = roomFor(length);
    copyOut(ring.region.mapping, descriptors.sampleAt(d), bytes, length);
    if (!descriptors.isStill(d, sequence, look)) return false;
    const last = this.#last;
    last.sequence = sequence;
    last.time = time;
    last.origin = origin;
    last.bytes = bytes;
    return true;
  }
}
