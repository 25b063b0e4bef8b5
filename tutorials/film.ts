/**
 * Notes what parties do while an answer is judged, as tracks for the picture of its failure.
 *
 * @module
 */

import type { TrackRow, TracksPicture } from "./stage/story.ts";

type Value = number | string;

/** As many operations fit beside a failure. */
const SHOWN = 14;

/** Operations in order, each with the words after it. */
export class Film<Party extends string> {
  readonly #parties: readonly Party[];
  readonly #words: Readonly<Record<string, () => Value>>;
  readonly #rows: TrackRow[] = [];

  /** The words are read after each operation. */
  constructor(parties: readonly Party[], words: Readonly<Record<string, () => Value>>) {
    this.#parties = parties;
    this.#words = words;
  }

  /** How many operations there are. */
  get length(): number {
    return this.#rows.length;
  }

  /** Adds an operation. */
  add(party: Party, text: string): void {
    const values = Object.values(this.#words).map((read) => {
      const value = read();
      return Number.isFinite(value) ? value : `${value}`; // JSON has no NaN
    });
    this.#rows.push({ party: this.#parties.indexOf(party), text, values });
  }

  /** Draws the last operations, or those before `end`. A party that does nothing has no track. */
  picture(title: string, end = this.length): TracksPicture {
    const shown = this.#rows.slice(Math.max(0, end - SHOWN), end);
    const parties = this.#parties.filter((_, i) => shown.some(({ party }) => party === i));
    const rows = shown.map((row) => ({
      ...row,
      party: parties.indexOf(this.#parties[row.party]!),
    }));
    return { kind: "tracks", id: "tracks", title, parties, words: Object.keys(this.#words), rows };
  }
}
