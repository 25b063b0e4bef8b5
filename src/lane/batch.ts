/**
 * Batches: several messages in place, of one lane or of many, released as they are acknowledged.
 *
 * The receiver reads ahead of the tail of each lane (lane.ts, I4). It records in `taken` that the
 * messages are shown before the caller has any of them. Acknowledging stores the tail, and
 * disposing goes back to it.
 *
 * I1  Of each lane, the messages of a batch are those that follow its tail, in order. So the first
 *     ones of the batch are, lane by lane, the first ones of each lane.
 * C1  The consumer dies with a batch: what it had not acknowledged is in [tail, taken) of its lane,
 *     and comes again, flagged, with the same numbers (lane.ts, C2 and I3).
 * C2  It dies while it acknowledges messages of several lanes: each lane has released its messages
 *     or none of them.
 * C3  It finds corrupt memory while it collects a batch: the messages before that are a batch of
 *     their own, and the next call throws the error. The lane may be excluded by then, and would
 *     not deliver them again.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import type { Type } from "../message.ts";
import type { SyncWaitOptions, WaitOptions } from "../wait/until.ts";
import type { LaneReceiver } from "./lane.ts";
import type { Holder, MessageBatch, Shown } from "./message.ts";
import { nextLength, recordBytes } from "./record.ts";
import type { LaneSource } from "./source.ts";

/** The default limit of a batch. */
export const USUAL_BATCH = 256;

/** The size of a batch, and the timeout. */
export interface SyncBatchOptions extends SyncWaitOptions {
  /** The most messages; 256 by default. */
  limit?: number | undefined;
}

/** The size of a batch, the timeout, and the signal that aborts the wait. */
export interface BatchOptions extends WaitOptions {
  /** The most messages; 256 by default. */
  limit?: number | undefined;
}

/** The receiver's side of a batch. */
export interface BatchOwner<K extends Type> extends Holder<K> {
  /** Keeps an error that was found after some messages, for the call after this batch. */
  defer(error: unknown): void;
  /** Ends the batch; `isRest` tells whether some of its messages were not acknowledged. */
  done(isRest: boolean): void;
}

/** The messages of a batch in one lane that are not acknowledged yet. */
interface Rest {
  bytes: number;
  count: number;
}

/** Messages that were collected. */
class Batch<K extends Type, F> implements MessageBatch<K, F> {
  readonly length: number;
  readonly #entries: readonly (Shown<K> & F)[];
  readonly #owner: BatchOwner<K>;
  readonly #rests = new Map<LaneReceiver, Rest>();
  #acknowledged = 0;
  #isDisposed = false;

  /** Shows messages that were just collected. */
  constructor(entries: readonly (Shown<K> & F)[], owner: BatchOwner<K>) {
    this.length = entries.length;
    this.#entries = entries;
    this.#owner = owner;
    for (const { lane, length } of entries) {
      const rest = this.#rests.get(lane!);
      if (rest === undefined) this.#rests.set(lane!, { bytes: recordBytes(length), count: 1 });
      else {
        rest.bytes += recordBytes(length);
        rest.count++;
      }
    }
    for (const lane of this.#rests.keys()) lane.take(0); // C1 before anything is shown
  }

  [Symbol.iterator](): IterableIterator<Shown<K> & F> {
    return this.#entries.values();
  }

  ack(count?: number): void {
    const { end: { what } } = this.#owner;
    if (this.#isDisposed) { // the others come again
      throw new VringError(
        `Cannot acknowledge messages of ${what}: the batch was disposed; acknowledge them before that`,
      );
    }
    this.#owner.end.checkOpen();
    const left = this.length - this.#acknowledged;
    const released = count === undefined ? left : count;
    if (!Number.isInteger(released) || released < 0 || released > left) {
      throw new RangeError(
        `Cannot acknowledge ${
          inWords(released)
        } messages of ${what}: ${left} of the batch are left`,
      );
    }
    const end = this.#acknowledged + released;
    const lanes = new Set<LaneReceiver>();
    for (let index = this.#acknowledged; index < end; index++) {
      const entry = this.#entries[index]!;
      const lane = entry.lane!;
      const rest = this.#rests.get(lane)!;
      rest.bytes -= recordBytes(entry.length);
      rest.count--;
      entry.release();
      lanes.add(lane);
    }
    this.#acknowledged = end;
    for (const lane of lanes) { // C2
      const { bytes, count } = this.#rests.get(lane)!;
      lane.announceAllBut(bytes, count); // I1
    }
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (let index = this.#acknowledged; index < this.length; index++) {
      this.#entries[index]!.release();
    }
    if (!this.#owner.end.closed) {
      for (const [lane, { bytes, count }] of this.#rests) if (count > 0) lane.rewind(bytes, count);
    }
    this.#owner.done(this.#acknowledged < this.length);
  }
}

/** Takes up to `limit` messages; returns undefined when all lanes are empty. */
export function takeBatch<K extends Type, F>(
  source: LaneSource<K, F>,
  owner: BatchOwner<K>,
  limit: number,
): MessageBatch<K, F> | undefined {
  const entries: (Shown<K> & F)[] = [];
  try {
    while (entries.length < limit) {
      const lane = source.next();
      if (lane === undefined) break;
      const length = nextLength(source, lane);
      entries.push(source.shown(owner).show(lane, length));
      lane.advance(recordBytes(length));
    }
  } catch (error) {
    if (entries.length === 0) throw error;
    owner.defer(error); // C3
  }
  return entries.length === 0 ? undefined : new Batch<K, F>(entries, owner);
}
