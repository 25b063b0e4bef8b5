/**
 * Chance that can be repeated: the same words in, the same numbers out.
 *
 * @module
 */

/** A stream of numbers that is determined by the words it was made from. */
export class Random {
  #state: number;

  /** Streams made from different words have nothing to do with each other. */
  constructor(...from: readonly (string | number)[]) {
    let hash = 0x811c9dc5; // FNV-1a
    for (const character of from.join("/")) {
      hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    }
    this.#state = hash;
  }

  /** From 0 up to 1, without 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to `limit`, without `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A number between two others. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** A number between two others above 0, small ones far more often than large ones. */
  skewed(least: number, most: number): number {
    return least * Math.exp(this.next() * Math.log(most / least));
  }

  /** A whole number from 1 to `most`, small ones far more often than large ones. */
  small(most: number): number {
    return Math.floor(this.skewed(1, most + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of these. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}
