/**
 * The usual first ring, written as well as possible: positions that only grow, masked at a capacity
 * that is a power of two, and a copy in two parts where a message wraps. `MirrorRing` is measured
 * against it.
 *
 * @module
 */

import { Mapping } from "../src/memory/mapping.ts";

/** A byte ring over one piece of memory, mapped once. */
export class MaskedRing implements Disposable {
  /** How many bytes the ring holds: a power of two. */
  readonly capacity: number;
  readonly #mask: number;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  // Kept as 32-bit integers, which the engine holds without a heap number; their difference is right.
  #head = 0;
  #tail = 0;
  #claimed = 0;

  /** Makes an empty ring; the capacity is a power of two up to 2^30. */
  constructor(capacity: number) {
    if (!(capacity > 0 && capacity <= 2 ** 30) || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`Cannot make a masked ring of ${capacity} bytes: not a power of two`);
    }
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#mapping = Mapping.anonymous(capacity, "a masked ring"); // shared memory, like the other's
    this.#bytes = this.#mapping.bytes;
  }

  /** How many bytes can be read. */
  get available(): number {
    return (this.#head - this.#tail) | 0;
  }

  /** How many bytes can be written. */
  get free(): number {
    return this.capacity - this.available;
  }

  /** Copies in as many of the bytes as fit; returns their number. */
  write(source: Uint8Array): number {
    const free = this.free;
    const part = source.length <= free ? source : source.subarray(0, free);
    const at = this.#head & this.#mask;
    const first = this.capacity - at;
    if (part.length <= first) {
      this.#bytes.set(part, at);
    } else {
      this.#bytes.set(part.subarray(0, first), at);
      this.#bytes.set(part.subarray(first), 0);
    }
    this.#head = (this.#head + part.length) | 0;
    return part.length;
  }

  /** Copies out and removes unread bytes, up to the target's length; returns their number. */
  read(target: Uint8Array): number {
    const available = this.available;
    const length = target.length <= available ? target.length : available;
    const at = this.#tail & this.#mask;
    const first = this.capacity - at;
    if (length <= first) {
      target.set(this.#bytes.subarray(at, at + length));
    } else {
      target.set(this.#bytes.subarray(at));
      target.set(this.#bytes.subarray(0, length - first), first);
    }
    this.#tail = (this.#tail + length) | 0;
    return length;
  }

  /** Free space to write into in place, up to the end of the memory at most. */
  claim(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#head & this.#mask;
    if (!(length >= 0 && length <= this.free && at + length <= this.capacity)) {
      throw new RangeError(`Cannot claim ${length} bytes in one piece`);
    }
    this.#claimed = length;
    return this.#bytes.subarray(at, at + length);
  }

  /** Makes the first `length` bytes of the last claim readable. */
  commit(length: number): void {
    if (!(length >= 0 && length <= this.#claimed)) {
      throw new RangeError(`Cannot commit ${length} bytes: ${this.#claimed} are claimed`);
    }
    this.#head = (this.#head + length) | 0;
    this.#claimed = 0;
  }

  /** Removes the first `length` readable bytes. */
  consume(length: number): void {
    if (!(length >= 0 && length <= this.available)) {
      throw new RangeError(`Cannot consume ${length} bytes: ${this.available} are available`);
    }
    this.#tail = (this.#tail + length) | 0;
  }

  /** Gives the memory back. */
  close(): void {
    this.#mapping.close();
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
