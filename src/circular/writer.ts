/**
 * The writing end of a circular buffer; circular_buffer.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, inWords } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { type Claim, ClaimedMemory } from "../claim.ts";
import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf, sendsBytes } from "../encoder.ts";
import { isCount } from "../layout/sizes.ts";
import { copyIn, prefetchToWrite } from "../memory/word.ts";
import { type Bytes, type Input, sizeOfType, type Type, type View } from "../message.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { SeatState } from "../region/seats.ts";
import {
  corruptHead,
  corruptRing,
  Head,
  HEAD_BYTES,
  LAST_POSITION,
  loadLength,
  longestMessage,
  offsetAfter,
  type Ring,
  UNIT,
  unitsOf,
} from "./circular_buffer.ts";

const HEAD_UNITS = HEAD_BYTES / UNIT;

/** After a record of at most this many units (2 KiB), lines are fetched for the next one. */
const FETCHED_AHEAD = 2 ** 11 / UNIT;

/** The part of the ring that is free beyond what a message needs, so that most writes drop nothing. */
const SPARE = 1 / 64;

/**
 * Writes a circular buffer, which has one writer at a time. It never waits: it overwrites the
 * oldest messages. It has no `peers`, because readers leave no trace in the buffer.
 */
export class CircularBufferWriter<K extends Type = Bytes> implements Disposable {
  /** The name. */
  readonly name: string;
  /** The capacity in bytes, including the 32-byte head of each message. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #ring: Ring;
  readonly #codec: Codec<unknown>;
  readonly #encoder: Encoder<unknown>;
  readonly #sendsBytes: boolean;
  readonly #claim: ClaimedMemory<K>;
  /** The head at `#position`, for the next record. */
  readonly #head = new Head();
  #position: number; // equal to published, which only this writer moves
  #offset: number; // its byte in the data
  #oldest: number; // likewise
  #oldestOffset: number;
  #limit: number; // a record that ends beyond it overwrites, or is the end of all positions

  /** @ignore */
  constructor(ring: Ring, codec: Codec<unknown>) {
    this.name = ring.name;
    this.capacity = ring.capacity;
    this.maxMessage = longestMessage(ring.capacity);
    this.#ring = ring;
    this.#codec = codec;
    this.#encoder = encoderOf(codec, "write to", ring.what);
    this.#sendsBytes = sendsBytes(codec);
    this.#claim = new ClaimedMemory<K>({
      what: ring.what,
      mapping: ring.mapping,
      checkOpen: () => this.#checkOpen(),
      view: (bytes) => codec.view?.(bytes) as View<K>,
      publish: (length) => this.#publish(length),
    });
    this.#position = ring.published.load();
    this.#oldest = ring.oldest.load();
    const fits = isCount(this.#position, LAST_POSITION) && isCount(this.#oldest, this.#position) &&
      this.#position - this.#oldest <= ring.units - HEAD_UNITS;
    if (!fits) throw corruptRing(ring, `its positions are ${this.#oldest} and ${this.#position}`);
    this.#offset = this.#position % ring.units * UNIT;
    this.#oldestOffset = this.#oldest % ring.units * UNIT;
    this.#limit = Math.min(this.#oldest + ring.units, LAST_POSITION);
    this.#head.load(ring, this.#offset); // C1: intact, whatever the last writer was doing
    if (!this.#head.isSound) throw corruptHead(ring, this.#position, this.#head);
    ring.writer.state.store(SeatState.open); // C3
    ring.bell.ring(); // C2
    disposeAtEnd(this);
  }

  /** The number of messages written by all writers of this buffer. */
  get sequence(): number {
    return this.#head.sequence;
  }

  /** Whether this handle is closed. */
  get closed(): boolean {
    return this.#ring.region.closed;
  }

  /**
   * Writes a value, and overwrites the oldest messages if necessary. Never waits and always returns
   * true, unlike `trySend` of other products. Throws a RangeError if the message is longer than
   * `maxMessage`.
   */
  trySend(value: Input<K>): true {
    return this.#sendsBytes ? this.#write(value as Uint8Array) : this.#encode(value);
  }

  /**
   * Claims `length` bytes of shared memory for a message, by default the size of its type. Never
   * waits. A new claim, or a send, discards an earlier claim that was not published.
   */
  tryClaim(length?: number): Claim<K> {
    if (length === undefined) length = this.#typeSize();
    this.#encoder.checkIdle();
    const { dataOffset } = this.#reserve(length);
    return this.#claim.begin(dataOffset + this.#offset + HEAD_BYTES, length);
  }

  /**
   * Lets the handler fill a message in place, and publishes it; always returns true, as `trySend`
   * does. The handler returns the number of bytes to publish; undefined means all. If it throws,
   * nothing is published. Allocates only the array.
   */
  tryFill(
    handler: (claim: Claim<K>) => number | void,
    length?: number,
  ): true {
    if (length === undefined) length = this.#typeSize();
    checkHandler(handler, "write to", this.#ring.what);
    this.tryClaim(length);
    this.#claim.fill(handler);
    return true;
  }

  /**
   * Closes the writer. Readers still receive the messages in the buffer; another writer may open.
   */
  close(): void {
    this.#ring.region.close(() => {
      this.#ring.writer.state.store(SeatState.closed);
      this.#ring.bell.ring();
    });
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #write(message: Uint8Array): true {
    const length = byteLengthOf(message, "write to", this.#ring.what);
    const { mapping, dataOffset } = this.#reserve(length);
    copyIn(mapping, dataOffset + this.#offset + HEAD_BYTES, message, length); // past the seam, too
    this.#publish(length);
    return true;
  }

  #encode(value: unknown): true {
    this.#checkOpen();
    const encoder = this.#encoder;
    const prepared = encoder.prepare(value);
    const bound = encoder.bound(prepared);
    // A bound above the true length would drop messages that the value itself does not overwrite.
    if (!encoder.isExact && bound > this.capacity * SPARE) {
      return this.#write(encoder.toBytes(prepared));
    }
    const { mapping, dataOffset } = this.#reserve(bound);
    const at = dataOffset + this.#offset + HEAD_BYTES;
    const length = encoder.into(prepared, mapping, at, bound);
    this.#checkOpen(); // the code of the value or its type may have closed this writer
    this.#publish(length);
    return true;
  }

  #typeSize(): number {
    const size = sizeOfType(this.#codec);
    if (size !== undefined) return size;
    throw new TypeError(
      `Cannot claim in ${this.#ring.what}: its type "${this.#codec.type.name}" states no size; ` +
        "pass a length",
    );
  }

  /** Moves `oldest` past all records that a record of this length overwrites. */
  #reserve(length: number): Ring {
    this.#checkOpen();
    const ring = this.#ring;
    if (!isCount(length, this.maxMessage)) throw this.#tooLong(length);
    if (this.#claim.isOpen) this.#claim.end();
    const end = this.#position + unitsOf(length) + HEAD_UNITS; // the next head is written too
    if (end > this.#limit) this.#makeRoom(end);
    return ring;
  }

  /** Moves `oldest` so that the writer can write up to `end`. */
  #makeRoom(end: number): void {
    const ring = this.#ring;
    if (end > LAST_POSITION) throw corruptRing(ring, "its positions are used up");
    // A 64th of the ring more than needed, so that most writes skip this step.
    const enough = end - ring.units * (1 - SPARE);
    while (this.#oldest < enough && this.#oldest < this.#position) this.#dropOldest();
    this.#limit = Math.min(this.#oldest + ring.units, LAST_POSITION);
    ring.oldest.storeFirst(this.#oldest); // P1 before any byte below it is overwritten ..
  }

  /** Moves the private `oldest` past one record, written by this or an earlier writer. */
  #dropOldest(): void {
    const ring = this.#ring;
    const length = loadLength(ring, this.#oldestOffset);
    const units = unitsOf(length);
    if (!isCount(length, this.maxMessage) || this.#oldest + units > this.#position) {
      throw corruptRing(ring, `the record at ${this.#oldest} has a length of ${length}`);
    }
    this.#oldest += units;
    this.#oldestOffset = offsetAfter(ring, this.#oldestOffset, units);
  }

  #publish(length: number): void {
    const ring = this.#ring;
    const position = this.#position;
    const units = unitsOf(length);
    this.#head.storeLength(ring, this.#offset, length);
    this.#offset = offsetAfter(ring, this.#offset, units);
    this.#position = position + units;
    this.#head.storeNext(ring, this.#offset, position);
    ring.bell.publish(ring.published, this.#position); // P2 all above is visible once this is ..
    if (units <= FETCHED_AHEAD) this.#fetchAhead(units);
  }

  /**
   * Fetches the cache lines for a next message of the same length and the head after it. Readers
   * have them cached since the last lap, and the write would wait for them. The fetch changes no
   * data, so the lines may still hold messages that are not dropped yet.
   */
  #fetchAhead(units: number): void {
    const { mapping, dataOffset } = this.#ring;
    prefetchToWrite(mapping, dataOffset + this.#offset + HEAD_BYTES, units * UNIT);
  }

  #tooLong(length: number): RangeError {
    return new RangeError(
      `Cannot write ${
        inWords(length)
      } bytes to ${this.#ring.what}: of its ${this.capacity} bytes ` +
        `a message can have ${this.maxMessage}; make it larger`,
    );
  }

  #checkOpen(): void {
    this.#ring.region.checkOpen();
  }
}
