/**
 * Descriptors by the age of their samples, for the policy that drops the oldest.
 *
 * @module
 */

import { NONE } from "./vring_layout.ts";

/**
 * Orders descriptors by the age of their samples, oldest first, in a doubly linked list. `first`
 * and `after` return NONE at the end.
 */
export class AgeOrder {
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
