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
 *     their own, and the next call reports the error. A lane may be excluded by then, and would
 *     deliver them no more.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { peekView } from "../memory/word.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LaneReceiver } from "./lane.ts";
import type { BatchMessage, MessageBatch } from "./message.ts";
import { nextLength, RECORD_HEADER, recordBytes } from "./record.ts";
import type { LaneSource } from "./source.ts";

/** The most messages of a batch, if the caller does not say. */
export const USUAL_BATCH = 256;

const NO_BYTES = new Uint8Array(0);

/** The receiver's side of a batch. */
export interface BatchOwner<T> {
  readonly end: Endpoint;
  /** Decodes the message of this length at an offset of the mapping. */
  decode(lane: LaneReceiver, offset: number, length: number): T;
  /** Keeps an error that was found after some messages, for the call after this batch. */
  defer(error: unknown): void;
  /** Ends the batch; `isRest` is whether some of its messages come again. */
  done(isRest: boolean): void;
}

/** A message of a batch. */
export class Entry<T> implements BatchMessage<T> {
  readonly redelivered: boolean;
  readonly sequence: number;
  readonly lane: LaneReceiver;
  readonly length: number;
  readonly #offset: number;
  #owner: BatchOwner<T> | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /** Reads the header of the next message of a lane, and moves past it. */
  constructor(lane: LaneReceiver, length: number, owner: BatchOwner<T>) {
    this.lane = lane;
    this.length = length;
    this.redelivered = lane.redelivered > 0;
    this.sequence = lane.sequence;
    this.#offset = lane.offset + RECORD_HEADER;
    this.#owner = owner;
    lane.advance(recordBytes(length));
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#owner === undefined || this.#owner.end.closed) return NO_BYTES;
    return this.#bytes ??= peekView(this.lane.place.mapping, this.#offset, this.length);
  }

  get value(): T {
    if (this.#owner === undefined) {
      throw new TypeError("Cannot decode a message of a batch: it was released; decode it before");
    }
    this.#owner.end.checkOpen();
    return this.#owner.decode(this.lane, this.#offset, this.length);
  }

  /** Ends the use of the message. */
  release(): void {
    this.#owner = this.#bytes = undefined;
  }
}

/** What of a lane is not acknowledged yet. */
interface Rest {
  bytes: number;
  count: number;
}

/** Messages that were collected. */
class Batch<T, M extends BatchMessage<T>> implements MessageBatch<M> {
  readonly length: number;
  readonly #entries: readonly (Entry<T> & M)[];
  readonly #owner: BatchOwner<T>;
  readonly #rests = new Map<LaneReceiver, Rest>();
  #acknowledged = 0;
  #isDisposed = false;

  /** Shows messages that were just collected. */
  constructor(entries: readonly (Entry<T> & M)[], owner: BatchOwner<T>) {
    this.length = entries.length;
    this.#entries = entries;
    this.#owner = owner;
    for (const { lane, length } of entries) {
      const rest = this.#rests.get(lane);
      if (rest === undefined) this.#rests.set(lane, { bytes: recordBytes(length), count: 1 });
      else {
        rest.bytes += recordBytes(length);
        rest.count++;
      }
    }
    for (const lane of this.#rests.keys()) lane.take(0); // C1 before anything is shown
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.#entries.values();
  }

  ack(count?: number): void {
    const rest = this.length - this.#acknowledged;
    const left = this.#isDisposed ? 0 : rest; // the others come again
    const released = count === undefined ? rest : count;
    if (!this.#isDisposed) this.#owner.end.checkOpen();
    if (!Number.isInteger(released) || released < 0 || released > left) {
      throw new RangeError(
        `Cannot acknowledge ${inWords(released)} messages of ${this.#owner.end.what}: ` +
          `${left} of the batch are left`,
      );
    }
    const end = this.#acknowledged + released;
    const lanes = new Set<LaneReceiver>();
    for (let index = this.#acknowledged; index < end; index++) {
      const entry = this.#entries[index]!;
      const rest = this.#rests.get(entry.lane)!;
      rest.bytes -= recordBytes(entry.length);
      rest.count--;
      entry.release();
      lanes.add(entry.lane);
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
export function takeBatch<T, R, S, M extends BatchMessage<T>>(
  source: LaneSource<T, R, S, M>,
  owner: BatchOwner<T>,
  limit: number,
): MessageBatch<M> | undefined {
  const entries: (Entry<T> & M)[] = [];
  try {
    while (entries.length < limit) {
      const lane = source.next();
      if (lane === undefined) break;
      entries.push(source.entry(lane, nextLength(source, lane), owner));
    }
  } catch (error) {
    if (entries.length === 0) throw error;
    owner.defer(error); // C3
  }
  return entries.length === 0 ? undefined : new Batch<T, M>(entries, owner);
}
