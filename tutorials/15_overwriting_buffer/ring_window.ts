/**
 * A look into an overwriting ring from outside, as a third process could take it.
 *
 * @module
 */

import { retrySync } from "../../src/region/poll.ts";
import { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import {
  CIRCULAR_BUFFER,
  Head,
  type Ring,
  ringOf,
  UNIT,
} from "../../src/circular/circular_buffer.ts";

/** How many bytes a head has. */
export const HEAD_BYTES = 32;

/** A mapping of a ring for reading only. */
export class RingWindow implements Disposable {
  readonly #region: Region;
  readonly #ring: Ring;

  /** Looks into the ring of this name, which must be there. */
  constructor(name: string) {
    const path = regionPath(CIRCULAR_BUFFER.name, name);
    this.#region = retrySync(() => Region.joinOnce(CIRCULAR_BUFFER, path, { readOnly: true }))!;
    this.#ring = ringOf(name, this.#region);
  }

  /** The position of the oldest message that is intact. */
  get oldest(): number {
    return this.#ring.oldest.loadLast();
  }

  /** The position behind the last message. */
  get published(): number {
    return this.#ring.published.load();
  }

  /** How many positions there are in one lap; each stands for {@linkcode UNIT} bytes. */
  get lap(): number {
    return this.#ring.units;
  }

  /** The head at a position. */
  head(position: number): Head {
    const head = new Head();
    head.load(this.#ring, this.#offset(position));
    return head;
  }

  /** The bytes behind the head at a position, in place, whatever they are by now. */
  payload(position: number, length: number): Uint8Array {
    const start = this.#ring.dataOffset + this.#offset(position) + HEAD_BYTES;
    return this.#ring.mapping.bytes.subarray(start, start + length);
  }

  /** Stops looking. */
  [Symbol.dispose](): void {
    this.#region.close();
  }

  #offset(position: number): number {
    return position % this.#ring.units * UNIT;
  }
}

/** How many messages fill a ring once round, when each has `lap / CELLS` positions. */
export const CELLS = 32;
