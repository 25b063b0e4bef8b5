/**
 * The states that a search has entered, in a hash table of 64-bit keys. A `Set` of numbers is three
 * times as slow, and is full at 16 million.
 *
 * @module
 */

const FIRST_SLOTS = 2 ** 16;

/** A set of states, each with the highest number of preemptions that were left in it. */
export class SeenStates {
  #keys = new Uint32Array(2 * FIRST_SLOTS);
  #left = new Uint8Array(FIRST_SLOTS); // one more than were left; 0 is a free slot
  #size = 0;

  /** The number of states. */
  get size(): number {
    return this.#size;
  }

  /** Whether this state was entered with as many preemptions left. */
  has(a: number, b: number, preemptionsLeft: number): boolean {
    return this.#left[this.#slotOf(a >>> 0, b >>> 0)]! > Math.min(preemptionsLeft, 254);
  }

  /**
   * Enters a state, and returns whether that is of use: it is unless the state was entered with as
   * many preemptions left, because more preemptions allow everything that fewer allow.
   */
  enter(a: number, b: number, preemptionsLeft: number): boolean {
    const left = Math.min(preemptionsLeft, 254) + 1;
    const slot = this.#slotOf(a >>> 0, b >>> 0);
    const before = this.#left[slot]!;
    if (before >= left) return false;
    this.#left[slot] = left;
    if (before !== 0) return true;
    this.#keys[2 * slot] = a;
    this.#keys[2 * slot + 1] = b;
    if (++this.#size > 0.6 * this.#left.length) this.#grow();
    return true;
  }

  #slotOf(a: number, b: number): number {
    const mask = this.#left.length - 1;
    let slot = b & mask;
    while (this.#left[slot] !== 0) {
      if (this.#keys[2 * slot] === a && this.#keys[2 * slot + 1] === b) break;
      slot = slot + 1 & mask;
    }
    return slot;
  }

  #grow(): void {
    const [keys, left] = [this.#keys, this.#left];
    this.#keys = new Uint32Array(2 * keys.length);
    this.#left = new Uint8Array(2 * left.length);
    for (let i = 0; i < left.length; i++) {
      if (left[i] === 0) continue;
      const slot = this.#slotOf(keys[2 * i]!, keys[2 * i + 1]!);
      this.#keys[2 * slot] = keys[2 * i]!;
      this.#keys[2 * slot + 1] = keys[2 * i + 1]!;
      this.#left[slot] = left[i]!;
    }
  }
}
