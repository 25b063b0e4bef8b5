/**
 * The translation lookaside buffer: the last translations, so that not every access walks.
 *
 * It does not see changes of the tables. Whoever changes an entry has to invalidate it here, or the
 * machine goes on with the old frame and the old permissions. Real processors are the same.
 *
 * @module
 */

import type { Translation } from "./tables.ts";

/** A few translations, the oldest of which makes room for a new one. */
export class Tlb {
  /** The number of translations that fit. */
  readonly size: number;
  /** The accesses that found their translation here .. */
  hits = 0;
  /** .. and those that had to walk. */
  misses = 0;
  readonly #entries = new Map<number, Translation>();

  /** Makes an empty TLB. */
  constructor(size: number) {
    this.size = size;
  }

  /** Returns the translation of a page; undefined if it is not here. */
  lookUp(page: number): Translation | undefined {
    const found = this.#entries.get(page);
    if (found === undefined) this.misses++;
    else this.hits++;
    return found;
  }

  /** Remembers a translation, in place of the oldest if there is no room. */
  insert(translation: Translation): void {
    if (this.size === 0) return;
    if (!this.#entries.has(translation.page) && this.#entries.size === this.size) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(translation.page, translation);
  }

  /** Forgets the translation of a page. */
  invalidate(page: number): void {
    this.#entries.delete(page);
  }

  /** Forgets everything. */
  invalidateAll(): void {
    this.#entries.clear();
  }

  /** The translations, oldest first. */
  get entries(): readonly Translation[] {
    return [...this.#entries.values()];
  }
}
