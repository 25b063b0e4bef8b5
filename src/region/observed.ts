/**
 * The region that has a name, as an observer follows it through removal and creation.
 *
 * ```
 *   absent --- a region has the name ---> attached --- another region has the name ---.
 *                                            ^                                        |
 *                                            '--- close the old one, attach to this --'
 * ```
 *
 * An observer holds no lock, so no process waits for it and no event reports that a region was
 * removed. It checks the name from time to time: at most once a slice, and only when its region has
 * nothing new. It stays attached to a region that lost its name until another region takes the
 * name, because members may still use the old one. It stops reading a region that is corrupt.
 *
 * P1  The members of a region publish, and then the name goes. An observer that sees the name
 *     elsewhere looks for news once more before it leaves: nothing published before the name went
 *     is missed.
 *
 * @module
 */

import { now } from "../os/clock.ts";
import { Again } from "./poll.ts";
import type { Region } from "./region.ts";

/** The shortest time between two checks of the name, for an observer that reads again and again. */
export const OBSERVER_SLICE_NS = 10e6;

/** A region as an observer attaches to it. */
export interface Subject {
  readonly region: Region;
  /** Whether the observer has unread messages there; omitted by observers that read a state. */
  readonly hasMore?: () => boolean;
}

/** The attachment of an observer, which it replaces when another region takes the name. */
export class Observed<A extends Subject> implements Disposable {
  readonly #attach: () => A | Again | undefined;
  #current: A | undefined;
  #nextLook = 0;
  #regions = 0;
  #isCorrupt = false;
  #closed = false;

  /**
   * Attaches to the region that has the name, if there is one. `attach` performs one step of that,
   * as `joinOnce` does with `readOnly`.
   */
  constructor(attach: () => A | Again | undefined) {
    this.#attach = attach;
    this.look();
  }

  /** The attachment; undefined while no region has had the name. */
  get current(): A | undefined {
    return this.#current;
  }

  /** The attachment, unless its region is corrupt. */
  get readable(): A | undefined {
    return this.#isCorrupt ? undefined : this.#current;
  }

  /** Stops reading from the current region because it is corrupt. */
  abandon(): void {
    this.#isCorrupt = true;
  }

  /**
   * Throws once if a peer has taken memory of the region away, and then stops reading from it. Call it
   * where nothing was found: zeros look like nothing.
   */
  checkWhole(): void {
    const mapping = this.#current?.region.mapping;
    if (this.#closed || this.#isCorrupt || !mapping?.isLost) return;
    this.#isCorrupt = true;
    mapping.checkWhole();
  }

  /** The number of regions that were attached to so far. */
  get regions(): number {
    return this.#regions;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Attaches to the region that has the name now and returns the attachment; returns undefined if
   * it is the current one, or if that has more to read. Throws the error of attaching, such as a
   * LayoutMismatchError, and looks again at the next call.
   */
  look(): A | undefined {
    this.#nextLook = now() + OBSERVER_SLICE_NS;
    if (this.#closed) return undefined;
    this.checkWhole();
    if (this.#current?.region.hasName()) return undefined;
    if (this.readable?.hasMore?.()) return undefined; // P1
    const found = this.#attach();
    if (found === undefined || found instanceof Again) return undefined;
    this.#current?.region.close();
    this.#current = found;
    this.#isCorrupt = false;
    this.#regions++;
    return found;
  }

  /** Calls `look()` unless a slice has not passed since the last look. */
  lookEachSlice(): A | undefined {
    return now() < this.#nextLook ? undefined : this.look();
  }

  /** Detaches. */
  close(): void {
    this.#closed = true;
    this.#current?.region.close();
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
