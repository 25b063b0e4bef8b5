/**
 * The writing end of a circular buffer; circular_buffer.ts explains the algorithm.
 *
 * @module
 */

import { byteLengthOf, inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { isCount } from "../layout/sizes.ts";
import { claimView, commitView, copyIn, prefetchToWrite } from "../memory/word.ts";
import { disposeAtEnd } from "../os/clock.ts";
import { SeatState, takeRole } from "../region/seats.ts";
import { checkedBuffer, type CircularBufferOptions, openBuffer, unlinkBuffer } from "./geometry.ts";
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

/**
 * The one writer of a circular buffer. It never waits: it overwrites the oldest messages.
 *
 * @example Write to any number of readers
 * ```ts
 * import { CircularBufferReader, CircularBufferWriter } from "@vring/vring";
 *
 * using writer = CircularBufferWriter.open("example-ticker", { capacity: 65536 });
 * using reader = CircularBufferReader.open("example-ticker"); // as another process would
 * writer.write(new TextEncoder().encode("12.50"));
 * const outcome = reader.tryRead();
 * if (outcome.state === "ok") console.log(new TextDecoder().decode(outcome.message)); // 12.50
 * ```
 */
export class CircularBufferWriter implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, heads included. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #ring: Ring;
  /** The head at `#position`, for the next record. */
  readonly #head = new Head();
  #position: number; // equal to published, which only this writer moves
  #offset: number; // its byte in the data
  #oldest: number; // likewise
  #oldestOffset: number;
  #limit: number; // a record that ends beyond it overwrites, or is the end of all positions
  #claim: { view: Uint8Array<ArrayBuffer>; length: number } | undefined;

  private constructor(ring: Ring) {
    this.name = ring.name;
    this.capacity = ring.capacity;
    this.maxMessage = longestMessage(ring.capacity);
    this.#ring = ring;
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

  /**
   * Opens or creates the buffer as its writer; throws RoleTakenError if it has one. A reader that
   * opened first has decided the size: another capacity is a LayoutMismatchError.
   */
  static open(name: string, options: CircularBufferOptions = {}): CircularBufferWriter {
    options = checkedBuffer(name, options);
    using stack = new DisposableStack();
    const ring = openBuffer(name, options);
    stack.use(ring.region);
    takeRole(ring.region, ring.writer.role, {
      action: `write to ${ring.what}`,
      holder: "a writer",
    });
    const writer = new CircularBufferWriter(ring);
    stack.move();
    return writer;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return unlinkBuffer(name);
  }

  /** The number of messages written by all writers of this buffer. */
  get sequence(): number {
    return this.#head.sequence;
  }

  /** Writes a message. */
  write(message: Uint8Array): void {
    const length = byteLengthOf(message, "write to", this.#ring.what);
    const { mapping, dataOffset } = this.#reserve(length);
    copyIn(mapping, dataOffset + this.#offset + HEAD_BYTES, message, length); // past the seam, too
    this.#publish(length);
  }

  /**
   * Claims space in shared memory for a message of up to `maxMessage` bytes. `publish` makes it a
   * message; another claim or write discards it.
   */
  claim(length: number): Uint8Array<ArrayBuffer> {
    const { mapping, dataOffset } = this.#reserve(length);
    const view = claimView(mapping, dataOffset + this.#offset + HEAD_BYTES, length);
    this.#claim = { view, length };
    return view;
  }

  /** Publishes the first `length` bytes of the claimed space. */
  publish(length?: number): void {
    this.#checkOpen();
    const claim = this.#claim;
    const { mapping, dataOffset, what } = this.#ring;
    if (claim === undefined) {
      throw new VringError(`Cannot publish to ${what}: nothing is claimed; claim first`);
    }
    const published = length ?? claim.length;
    if (!isCount(published, claim.length)) {
      throw new RangeError(
        `Cannot publish ${inWords(published)} bytes to ${what}: ${claim.length} are claimed`,
      );
    }
    commitView(mapping, dataOffset + this.#offset + HEAD_BYTES, claim.view, published);
    this.#publish(published);
  }

  /** Discards the claimed space. */
  discard(): void {
    this.#claim = undefined;
  }

  /** Closes the writer; readers still get the messages in the buffer, and another may open it. */
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

  /** Moves `oldest` past all records that a record of this length overwrites. */
  #reserve(length: number): Ring {
    this.#checkOpen();
    const ring = this.#ring;
    if (!isCount(length, this.maxMessage)) {
      throw new RangeError(
        `Cannot write ${inWords(length)} bytes to ${ring.what}: of its ` +
          `${this.capacity} bytes a message can have ${this.maxMessage}; make it larger`,
      );
    }
    this.#claim = undefined;
    const end = this.#position + unitsOf(length) + HEAD_UNITS; // the next head is written too
    if (end > this.#limit) this.#makeRoom(end);
    return ring;
  }

  /** Moves `oldest` so that the writer can write up to `end`. */
  #makeRoom(end: number): void {
    const ring = this.#ring;
    if (end > LAST_POSITION) throw corruptRing(ring, "its positions are used up");
    // A 64th of the ring more than needed, so that most writes skip this step.
    const enough = end - ring.units * (63 / 64);
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
    this.#claim = undefined;
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

  #checkOpen(): void {
    this.#ring.region.checkOpen();
  }
}
