/**
 * The end of an import: the publisher of the topic here, and the samples that wait for it.
 *
 * Only under the policy "block" does a sample wait, until subscribers here have released one. What
 * waits is bounded; more is dropped and counted, so that a slow subscriber of one topic does not
 * hold up others.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { Origin } from "../origin.ts";
import type { Loan, Publisher } from "../vdds/publisher.ts";

/** A sample that waits. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly origin: Origin;
  readonly lostBefore: number;
}

/** The most bytes that wait for one topic, and the most samples. */
const WAITING_BYTES = 2 ** 25;
const WAITING_MAX = 2 ** 18;

/** Publishes samples in order, each with the number of those that were lost before it. */
export class Outlet {
  /** The samples that were published. */
  published = 0;
  /** The samples lost since the last one that was published or waits. */
  lostBefore = 0;
  publisher: Publisher<Bytes> | undefined;
  readonly #onDrop: () => void;
  #waiting: Waiting[] = [];
  #next = 0; // the index of the first that still waits
  #waitingBytes = 0;
  #end = new AbortController();
  #blocks = false;
  #ends = false;
  #sending: Promise<void> = Promise.resolve();

  /** @param onDrop Called for each sample that is dropped here. */
  constructor(onDrop: () => void) {
    this.#onDrop = onDrop;
  }

  /** Uses this publisher from now on. */
  open(publisher: Publisher<Bytes>, policy: string): void {
    this.close();
    this.#end = new AbortController();
    this.publisher = publisher;
    this.#blocks = policy === "block";
  }

  /** Publishes a sample, at once or later, or counts it as dropped. Keeps the bytes. */
  send(publisher: Publisher<Bytes> | undefined, bytes: Uint8Array, origin: Origin): void {
    if (publisher === undefined || bytes.length > publisher.maxSample) return this.#drop();
    if (this.#count === 0 && this.#trySend(publisher, bytes, origin)) return;
    if (!this.#blocks) return this.#onDrop(); // the topic has counted it
    const isFull = this.#count >= WAITING_MAX || this.#waitingBytes + bytes.length > WAITING_BYTES;
    if (isFull && this.#count > 0) return this.#drop();
    this.#waiting.push({ bytes, origin, lostBefore: this.lostBefore });
    this.lostBefore = 0;
    this.#waitingBytes += bytes.length;
    if (this.#count === 1) {
      this.#sending = this.#sendWaiting(publisher, this.#end.signal);
    }
  }

  /** Resolves once nothing waits; with false if it was dropped instead. */
  async settled(): Promise<boolean> {
    const { signal } = this.#end;
    while (this.#count > 0) await this.#sending;
    return !signal.aborted;
  }

  /** Loans memory for a sample; undefined if it must wait. */
  loan(publisher: Publisher<Bytes>, length: number): Loan<Bytes> | undefined {
    return this.#count > 0 || publisher.maxSample < length
      ? undefined
      : publisher.tryLoan({ length });
  }

  /** Publishes a sample that was received into a loan. */
  publish(publisher: Publisher<Bytes>, loan: Loan<Bytes>, origin: Origin): void {
    this.#tellLost(publisher);
    loan.publish(loan.length, { origin });
    this.published++;
  }

  #trySend(publisher: Publisher<Bytes>, bytes: Uint8Array, origin: Origin): boolean {
    this.#tellLost(publisher);
    if (!publisher.trySend(bytes, { origin })) return false;
    this.published++;
    return true;
  }

  /** The samples that wait. */
  get #count(): number {
    return this.#waiting.length - this.#next;
  }

  #clear(): void {
    this.#waiting = [];
    this.#next = this.#waitingBytes = 0;
  }

  #tellLost(publisher: Publisher<Bytes>): void {
    if (this.lostBefore > 0) publisher.countLost(Math.min(this.lostBefore, 2 ** 29));
    this.lostBefore = 0;
  }

  #drop(): void {
    this.lostBefore++;
    this.#onDrop();
  }

  async #sendWaiting(publisher: Publisher<Bytes>, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const first = this.#waiting[this.#next];
        if (first === undefined) return this.#ends ? this.close() : undefined;
        const { bytes, origin, lostBefore } = first;
        if (lostBefore > 0) publisher.countLost(lostBefore);
        if (!publisher.trySend(bytes, { origin })) await publisher.send(bytes, { origin, signal });
        this.#waitingBytes -= bytes.length;
        this.published++;
        this.#next++;
        if (this.#count === 0) this.#clear();
        else if (this.#next >= WAITING_MAX) {
          this.#waiting = this.#waiting.slice(this.#next); // once in a while: a shift() moves all
          this.#next = 0;
        }
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof ClosedError)) throw error;
    }
  }

  /** Closes the publisher once it has published what waits for it. */
  end(): void {
    if (this.#count === 0) this.close();
    else this.#ends = true;
  }

  /** Closes the publisher, and drops what waits for it. */
  close(): void {
    this.#ends = false;
    this.#end.abort();
    for (const { lostBefore } of this.#waiting.slice(this.#next)) {
      this.lostBefore += lostBefore;
      this.#drop();
    }
    this.#clear();
    this.publisher?.close();
    this.publisher = undefined;
  }
}
