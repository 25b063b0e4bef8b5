/**
 * The bound on bytes in flight. The client of a network buffers without a bound, so a bridge counts
 * what it has published, and asks the carrier to flush once in a while: what was published before a
 * flush is no longer in flight once that resolves.
 *
 * @module
 */

import type { Carrier } from "./carrier.ts";

/** The bytes that a bridge has published and that have not left the machine yet. */
export class Window {
  readonly #carrier: Carrier;
  readonly #most: number;
  #inFlight = 0;
  #unflushed = 0;
  #flushing: Promise<void> | undefined;

  constructor(carrier: Carrier, most: number) {
    this.#carrier = carrier;
    this.#most = most;
  }

  /** The bytes in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether so many bytes more may be in flight, and the connection is there. */
  accepts(length: number): boolean {
    if (!this.#carrier.isConnected) return false;
    return this.#inFlight === 0 || this.#inFlight + length <= this.#most;
  }

  /** Counts bytes that were published. */
  add(length: number): void {
    this.#inFlight += length;
    this.#unflushed += length;
    if (this.#unflushed >= this.#most / 8) this.#flush();
  }

  /** Resolves once some of what is in flight has left, or the connection broke. */
  async drained(): Promise<void> {
    await (this.#flushing ?? this.#flush());
  }

  #flush(): Promise<void> {
    const bytes = this.#unflushed;
    this.#unflushed = 0;
    const settle = () => {
      this.#inFlight -= bytes; // sent, or lost with the connection
      if (this.#flushing === flushing) this.#flushing = undefined;
    };
    const flushing = this.#carrier.flush().then(settle, settle);
    return this.#flushing = flushing;
  }
}
