/**
 * The common part of the byte rings within one process, whose memory is mapped in two windows.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { byteLengthOf, fill, partOf } from "../arrays.ts";
import type { Mapping } from "../memory/mapping.ts";
import { noteOpen } from "../region/registry.ts";

const CAPACITY_LIMIT = 2 ** 36;

/** Throws unless a ring can have this capacity. */
export function checkCapacity(minCapacity: number): void {
  if (Number.isSafeInteger(minCapacity) && minCapacity >= 1 && minCapacity <= CAPACITY_LIMIT) {
    return;
  }
  throw new RangeError(
    `Cannot make a ring of ${
      inWords(minCapacity)
    } bytes: the capacity is a whole number of bytes ` +
      `from 1 to ${CAPACITY_LIMIT}`,
  );
}

function isWithin(length: number, limit: number): boolean {
  return Number.isInteger(length) && length >= 0 && length <= limit;
}

/** A byte ring within this process. All readable bytes are contiguous, and so is all free space. */
export abstract class WindowedRing implements Disposable {
  /** The capacity in bytes: the requested minimum, rounded up to whole pages. */
  readonly capacity: number;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #forget: () => void;
  #available = 0;
  #claimed = 0;

  /** @ignore */
  constructor(mapping: Mapping, capacity: number, what: string) {
    this.#mapping = mapping;
    this.#bytes = mapping.bytes;
    this.capacity = capacity;
    this.#forget = noteOpen(this, `${what} of ${capacity} bytes`);
  }

  /** The offset in the mapping of the first readable byte.
   * @ignore */
  protected abstract readonly readAt: number;

  /** Shows the next `length` free bytes in one piece, and returns their offset in the mapping.
   * @ignore */
  protected abstract reach(length: number): number;

  /** Moves `readAt` by this many bytes.
   * @ignore */
  protected abstract pass(length: number): void;

  /** @ignore */
  protected get mapping(): Mapping {
    return this.#mapping;
  }

  /** The number of readable bytes. */
  get available(): number {
    return this.#available;
  }

  /** The number of free bytes. */
  get free(): number {
    return this.capacity - this.#available;
  }

  /** Copies as many bytes into the ring as fit; returns their number. */
  write(source: Uint8Array): number {
    this.checkOpen();
    const given = byteLengthOf(source, "write to", "the ring");
    const length = Math.min(given, this.free);
    const part = length === given ? source : partOf(source, 0, length);
    this.#claimed = 0;
    this.#bytes.set(part, this.reach(length)); // may run past the seam: the windows make it contiguous
    this.#available += length;
    return length;
  }

  /**
   * Copies as many readable bytes into the target as fit and removes them; returns their number.
   */
  read(target: Uint8Array): number {
    this.checkOpen();
    const length = Math.min(byteLengthOf(target, "read from", "the ring"), this.#available);
    fill(target, this.#view(this.readAt, length));
    this.#consumed(length);
    return length;
  }

  /**
   * Returns contiguous free space to write in place; `commit` makes the bytes readable. The next
   * claim or `write` discards this claim. Throws a RangeError if less space is free.
   */
  claim(length?: number): Uint8Array<ArrayBuffer> {
    if (length === undefined) length = this.free;
    this.checkOpen();
    if (!isWithin(length, this.free)) {
      throw new RangeError(
        `Cannot claim ${
          inWords(length)
        } bytes of the ring: ${this.free} of ${this.capacity} are free`,
      );
    }
    this.#claimed = 0;
    const at = this.reach(length);
    this.#claimed = length;
    return this.#view(at, length);
  }

  /** Makes the first `length` bytes of the last claim readable. */
  commit(length?: number): void {
    if (length === undefined) length = this.#claimed;
    this.checkOpen();
    if (!isWithin(length, this.#claimed)) {
      throw new RangeError(
        `Cannot commit ${inWords(length)} bytes to the ring: ${this.#claimed} are claimed`,
      );
    }
    this.#available += length;
    this.#claimed = 0;
  }

  /** Returns the first `length` readable bytes in place, contiguous; all of them by default. */
  peek(length?: number): Uint8Array<ArrayBuffer> {
    if (length === undefined) length = this.#available;
    this.checkOpen();
    if (!isWithin(length, this.#available)) throw this.#tooFew("peek at", length);
    return this.#view(this.readAt, length);
  }

  /** Removes the first `length` readable bytes. */
  consume(length: number): void {
    this.checkOpen();
    if (!isWithin(length, this.#available)) throw this.#tooFew("consume", length);
    this.#consumed(length);
  }

  #consumed(length: number): void {
    this.pass(length);
    this.#available -= length;
  }

  #tooFew(doing: string, length: number): RangeError {
    return new RangeError(
      `Cannot ${doing} ${inWords(length)} bytes of the ring: ${this.#available} are readable`,
    );
  }

  /** In place of `subarray`, which takes longer. */
  #view(start: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#mapping.buffer, start, length);
  }

  /** Closes the ring: empties every view of it and releases its memory and its addresses. */
  close(): void {
    this.#forget();
    this.#mapping.close();
  }

  /** Closes the ring, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  protected checkOpen(): void {
    if (this.#bytes.length === 0) throw this.#mapping.whyUnusable("the ring");
  }
}
