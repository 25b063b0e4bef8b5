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
import { RECORD_BYTES, type Samples, type Stem } from "./message.ts";

/** The samples of a message that wait. */
interface Waiting {
  readonly samples: Samples;
  readonly payload: Uint8Array;
  readonly stem: Stem;
  /** For each sample its place in the payload, its length, its number, and those lost before it. */
  readonly rows: number[];
  next: Waiting | undefined;
}

const ROW = 4;

/** The most bytes that wait for one topic, and what each sample takes besides its own. */
const WAITING_MAX = 2 ** 25;
const EACH_BYTES = RECORD_BYTES + 8 * ROW;

/** Publishes samples in order, each with the number of those that were lost before it. */
export class Outlet {
  /** The samples that were published. */
  published = 0;
  /** The samples lost since the last one that was published or waits. */
  lostBefore = 0;
  publisher: Publisher<Bytes> | undefined;
  readonly #onDrop: () => void;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #row = 0; // the index of the row of the first sample that waits
  #count = 0; // of samples that wait
  #waitingBytes = 0;
  #sent = Infinity; // the last number before the send that is being awaited
  readonly #marked = { origin: { host: "", incarnation: 0, sequence: 0, hops: 0 } }; // of each sample
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

  /** Publishes the current sample, at once or later, or counts it as dropped. */
  send(publisher: Publisher<Bytes> | undefined, samples: Samples, stem: Stem): void {
    const { length, sequence } = samples;
    if (publisher === undefined || length > publisher.maxSample) return this.#drop();
    if (this.#count === 0) {
      this.#tellLost(publisher);
      if (publisher.trySend(samples.bytes, this.#mark(stem, sequence))) {
        this.published++;
        return;
      }
    }
    if (!this.#blocks) return this.#onDrop(); // the topic has counted it
    const isFull = this.#waitingBytes + EACH_BYTES + length > WAITING_MAX;
    if (isFull && this.#count > 0) return this.#drop();
    this.#keep(samples, stem);
    if (this.#count === 1) {
      this.#sending = this.#sendWaiting(publisher, this.#end.signal);
    }
  }

  /** Lets the current sample wait. */
  #keep(samples: Samples, stem: Stem): void {
    let last = this.#last;
    if (last === undefined || last.samples !== samples) {
      last = { samples, payload: samples.keep(), stem, rows: [], next: undefined };
      if (this.#last === undefined) this.#first = last;
      else this.#last.next = last;
      this.#last = last;
    }
    last.rows.push(samples.at, samples.length, samples.sequence, this.lostBefore);
    this.lostBefore = 0;
    this.#count++;
    this.#waitingBytes += EACH_BYTES + samples.length;
  }

  /** Returns the options that mark a sample with its origin, until the next call. */
  #mark({ host, incarnation, hops }: Stem, sequence: number): { origin: Origin } {
    const { origin } = this.#marked;
    origin.host = host;
    origin.incarnation = incarnation;
    origin.hops = hops;
    origin.sequence = sequence;
    return this.#marked;
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
      for (let first; (first = this.#first) !== undefined;) {
        const { payload, stem, rows } = first;
        while (this.#row < rows.length) {
          const [at, length, sequence, lostBefore] = rowAt(rows, this.#row);
          if (lostBefore > 0) publisher.countLost(lostBefore);
          rows[this.#row + ROW - 1] = 0; // told
          const bytes = payload.subarray(at, at + length);
          if (!publisher.trySend(bytes, this.#mark(stem, sequence))) {
            this.#sent = publisher.sequence;
            await publisher.send(bytes, { origin: { ...stem, sequence }, signal });
            if (signal.aborted) return; // close() has seen that this one was sent
            this.#sent = Infinity;
          }
          this.#pass();
        }
        this.#first = first.next;
        this.#row = 0;
      }
      this.#last = undefined;
      if (this.#ends) this.close();
    } catch (error) {
      if (!signal.aborted && !(error instanceof ClosedError)) throw error;
    }
  }

  /** Counts the first of those that wait as published. */
  #pass(): void {
    this.published++;
    this.#count--;
    this.#waitingBytes -= EACH_BYTES + this.#first!.rows[this.#row + 1]!;
    this.#row += ROW;
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
    if (this.publisher !== undefined && this.publisher.sequence > this.#sent) this.#pass();
    this.#sent = Infinity;
    for (; this.#first !== undefined; this.#first = this.#first.next, this.#row = 0) {
      for (const { rows } = this.#first; this.#row < rows.length; this.#row += ROW) {
        this.lostBefore += rows[this.#row + ROW - 1]!;
        this.#drop();
      }
    }
    this.#last = undefined;
    this.#row = this.#count = this.#waitingBytes = 0;
    this.publisher?.close();
    this.publisher = undefined;
  }
}

function rowAt(rows: readonly number[], i: number): [number, number, number, number] {
  return [rows[i]!, rows[i + 1]!, rows[i + 2]!, rows[i + 3]!];
}
