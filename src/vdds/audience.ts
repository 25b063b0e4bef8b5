/**
 * The readers of a VRing as its writer knows them; vring.ts explains the algorithm.
 *
 * @module
 */

import type { ReaderWords, VRing } from "./vring.ts";
import { NONE, State, stateOf } from "./vring_layout.ts";

/** The readers, and what the writer keeps for each. */
export class Audience {
  readonly #ring: VRing;
  readonly #alive: Uint8Array; // for each reader: found alive in this search
  #looked = false; // whether `#alive` has any entry
  readonly #used: (number | undefined)[] = []; // for each reader: the number of entries put in
  #members = -1; // `members` when `online` was made; -1 before
  /** The readers that are online. */
  online: readonly ReaderWords[] = [];
  /** The number of rows that may have words. */
  rows = 0;
  /** For each reader: its word for descriptor `seenOf` if its state was `none`; otherwise 0. */
  readonly seen: Uint32Array;
  seenOf = NONE;

  constructor(ring: VRing) {
    this.#ring = ring;
    this.#alive = new Uint8Array(ring.plan.readers);
    this.seen = new Uint32Array(ring.plan.readers);
  }

  /**
   * Updates `online` and `rows` if a reader has joined or left. A new reader gets the samples after
   * `sequence`.
   */
  refresh(sequence: number): void {
    const ring = this.#ring;
    const members = ring.members.load();
    if (members === this.#members) return;
    this.#members = members;
    this.rows = ring.seats.used;
    const online: ReaderWords[] = [];
    for (let k = 0; k < this.rows; k++) {
      const reader = ring.reader(k);
      if (reader.online.load() === 0) continue;
      reader.first.compareExchange(0, sequence + 1);
      this.#used[k] ??= reader.used.load();
      online.push(reader);
    }
    this.online = online;
  }

  /** Loads the words of a descriptor that the writer holds into `seen`, unless they are there. */
  look(d: number): void {
    if (this.seenOf === d) return;
    for (let k = 0; k < this.rows; k++) {
      const word = this.#ring.reader(k).row[d]!.load();
      this.seen[k] = stateOf(word) === State.none ? word : 0;
    }
    this.seenOf = d;
  }

  /** Puts an entry into a USED ring, without showing it to the reader yet. */
  hint(reader: ReaderWords, entry: number): void {
    const index = this.#used[reader.k]!;
    this.#ring.storeUsed(reader, index, entry);
    this.#used[reader.k] = (index + 1) >>> 0;
  }

  /** Shows a reader the entries of its USED ring, and wakes it if it waits. */
  show(reader: ReaderWords): void {
    reader.bell.publish(reader.used, this.#used[reader.k]!); // P5
  }

  /** Forgets which readers the last search found alive. */
  forgetLife(): void {
    if (this.#looked) this.#alive.fill(0);
    this.#looked = false;
  }

  /** C4: clears the row of a reader if it is dead; returns whether it was. */
  takeBack(k: number): boolean {
    if (this.#alive[k]) return false;
    this.#looked = true;
    const repaired = this.#ring.seats.repair(k, () => this.#ring.clear(k));
    if (!repaired) this.#alive[k] = 1;
    return repaired;
  }
}
