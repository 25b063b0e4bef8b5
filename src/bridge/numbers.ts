/**
 * The rules by which a bridge publishes each sample at most once and in order, whatever ways it took.
 * test/explore/scenarios/bridge.ts searches them with several bridges in a ring.
 *
 * N1  A sample that comes home, or has passed too many bridges, is dropped.
 * N2  Of one first publisher and incarnation, only numbers that grow are published. A number that was
 *     skipped counts as lost, and is dropped if it comes later by another way.
 * N3  An incarnation that another one followed has ended, as long as it is among the last REMEMBERED.
 *
 * @module
 */

import type { Stem } from "./message.ts";

const REMEMBERED = 8;

/** Whether a bridge takes a sample: it is not its own, and passed few enough bridges (N1). */
export function mayEnter({ host, hops }: Stem, own: string, hopsMax: number): boolean {
  return host !== own && hops <= hopsMax;
}

/** The numbers of one first publisher that a bridge has published. */
export class Numbers {
  /** The number of the last sample; undefined before the first. */
  last: number | undefined;
  /** The incarnation that these numbers belong to. */
  incarnation: number | undefined;
  readonly #ended: number[] = []; // oldest first

  /** Whether an incarnation is the one before that, or a new one, which then begins; or has ended. */
  enter(incarnation: number): "same" | "begun" | "ended" {
    if (incarnation === this.incarnation) return "same";
    if (this.#ended.includes(incarnation)) return "ended"; // N3
    if (this.incarnation !== undefined) this.#ended.push(this.incarnation);
    if (this.#ended.length >= REMEMBERED) this.#ended.shift();
    this.incarnation = incarnation;
    this.last = undefined;
    return "begun";
  }

  /** Takes a number; returns how many are missing before it, or undefined if it is not new (N2). */
  accept(sequence: number): number | undefined {
    const { last } = this;
    if (last !== undefined && sequence <= last) return undefined;
    this.last = sequence;
    return last === undefined ? 0 : sequence - last - 1;
  }
}
