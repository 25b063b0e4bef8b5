/**
 * The calls of a client that have no answer yet, whatever carries them.
 *
 * A call ends at a position: how many bytes of requests the client has ever sent, this one included.
 * So a position of the lane of requests tells which calls a server has taken: those that end before.
 *
 * @module
 */

/** A call without an answer. */
export interface Call<S> {
  /** Its number; none repeats within a generation of the client. */
  readonly number: number;
  /** Where it ends among all bytes that this client ever sent. */
  readonly end: number;
  readonly resolve: (value: S) => void;
  readonly reject: (error: unknown) => void;
}

/** The calls of one client that have no answer yet, the oldest first. */
export class PendingCalls<S> {
  readonly #calls = new Map<number, Call<S>>();
  #lastNumber = 0;
  #sentBytes = 0;

  /** How many there are. */
  get size(): number {
    return this.#calls.size;
  }

  /** How many bytes of requests were ever sent. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Adds a call whose request has so many bytes, and gives it its number. */
  add(
    bytes: number,
    resolve: (value: S) => void,
    reject: (error: unknown) => void,
  ): Call<S> {
    this.#sentBytes += bytes;
    const call = { number: ++this.#lastNumber, end: this.#sentBytes, resolve, reject };
    this.#calls.set(call.number, call);
    return call;
  }

  /** The call with this number, unless it has an answer or was given up. */
  get(number: number): Call<S> | undefined {
    return this.#calls.get(number);
  }

  /** Removes a call: it has its answer, or its caller gave it up. */
  delete(number: number): void {
    this.#calls.delete(number);
  }

  /** Whether the oldest call ends at a position, or before it. */
  oldestEndsBy(position: number): boolean {
    for (const { end } of this.#calls.values()) return end <= position;
    return false;
  }

  /** Rejects every call that ends at a position, or before it; all of them by default. */
  rejectUpTo(error: unknown, position: number = Infinity): void {
    for (const call of [...this.#calls.values()]) {
      if (call.end > position) continue;
      this.#calls.delete(call.number);
      call.reject(error);
    }
  }
}
