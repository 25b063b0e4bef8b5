/**
 * The most samples that one subscriber can keep from the publisher.
 *
 * The publisher counts what it gives to each reader, as an upper bound. At the quota it counts the
 * words of the reader's row, which costs a load for each descriptor, and only a reader that has
 * released little since the last time. Words that a hostile reader stores count against itself. What
 * a reader requests of the history comes on top.
 *
 * C1  A publisher dies: its successor knows no bounds and counts each row before it gives anything.
 *
 * @module
 */

import type { ReaderWords, VRing } from "./vring.ts";
import { stampOf, State, stateOf } from "./vring_layout.ts";

/** The quota of the readers of a topic, for its publisher. */
export class Quota {
  readonly #most: number;
  readonly #depth: number;
  readonly #countsUnread: boolean;
  readonly #given: Uint16Array; // for each reader at least as many as it has

  /** No quota if `most` is 0. Unread samples count unless the publisher can drop them. */
  constructor(ring: VRing, most: number, countsUnread: boolean) {
    const { depth, readers } = ring.plan;
    this.#most = most;
    this.#depth = depth;
    this.#countsUnread = countsUnread;
    this.#given = new Uint16Array(readers).fill(most); // C1
  }

  /** Notes that a reader was given a sample. */
  note({ k }: ReaderWords): void {
    this.#given[k]!++;
  }

  /** Whether a reader has its quota, and was not given this sample before. */
  refuses(reader: ReaderWords, d: number, stamp: number): boolean {
    if (this.#most === 0 || this.#given[reader.k]! < this.#most) return false;
    const count = this.#given[reader.k] = this.#count(reader);
    return count >= this.#most && stampOf(reader.row[d]!.load()) !== stamp;
  }

  /** Counts the samples that a reader has. */
  #count({ row }: ReaderWords): number {
    let count = 0;
    for (let d = 0; d < this.#depth; d++) {
      const state = stateOf(row[d]!.load());
      if (state === State.held || state === State.ready && this.#countsUnread) count++;
    }
    return count;
  }
}
