/**
 * The word that tells whether a peer has taken memory of a mapping away: see mapping.ts.
 *
 * The handler of SIGBUS stores it (native/signals.c), on the thread that touched the memory, before
 * that thread continues. So a load that comes after the touch in the compiled code finds it set: a
 * processor repeats everything that comes after an access that faults. V8 keeps the order of loads
 * from arrays and eliminates none, because another thread may store to them; a test looks at that in
 * compiled code. `Atomics.load` would take 8 to 30 ns, and this load takes less than one.
 *
 * @module
 */

import { faultWordOf } from "../os/files.ts";

/** Set, and never cleared, once a range of memory is unusable. */
export class Fault {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #place: number;

  /** Finds the word of the range that begins at this address. */
  constructor(address: number) {
    ({ words: this.#words, place: this.#place } = faultWordOf(address));
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#words[this.#place] !== 0;
  }

  /** Sets it, where the file was found changed before a touch found that. */
  set(): void {
    this.#words[this.#place] = 1;
  }
}
