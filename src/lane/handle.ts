/**
 * The common part of the handles of rings, senders and receivers.
 *
 * @module
 */

import { disposeAtEnd } from "../os/clock.ts";
import { waitForPeers } from "../region/peers.ts";
import type { WaitOptions } from "../wait/until.ts";
import type { Endpoint } from "./endpoint.ts";

/** A handle of a ring. */
export abstract class RingHandle implements Disposable {
  /** The name. */
  readonly name: string;
  /** The capacity in bytes: of the ring, or with many producers of each lane. */
  readonly capacity: number;
  readonly #end: Endpoint;

  /** @ignore */
  constructor(end: Endpoint, capacity: number) {
    this.name = end.name;
    this.capacity = capacity;
    this.#end = end;
    disposeAtEnd(this);
  }

  /** @ignore */
  protected get endpoint(): Endpoint {
    return this.#end;
  }

  /** The number of bytes in the ring that the consumer has not released. */
  abstract readonly available: number;

  /** The number of living parties at the other end. */
  get peers(): number {
    return this.#end.peerCount;
  }

  /** Resolves once the other end has at least `count` living parties. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: this.#end.peerName, what: this.#end.what }, options);
  }

  /** Whether this end is closed. */
  get closed(): boolean {
    return this.#end.closed;
  }

  /** Closes this end. */
  abstract close(): void;

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
