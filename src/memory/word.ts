/**
 * Atomic words and payload copies: the only code that touches memory another process may be
 * writing. Every word is sequentially consistent. A leaf: the explorer swaps this file for one that
 * a scheduler drives.
 *
 * The order of words is a promise of V8, not of ECMAScript. The standard orders `Atomics` on a
 * SharedArrayBuffer only, and memory that a process maps is an ordinary ArrayBuffer. V8 performs
 * `Atomics` with the same instructions on both: a store is an xchg on x86_64 and an stlr on aarch64.
 * A test plays store buffering between two threads on mapped memory: plain accesses break the order
 * in most rounds, words in none. An engine that takes an ordinary ArrayBuffer for memory of one
 * thread must reach all words through the native library, as 64-bit words are reached here.
 *
 * @module
 */

import { partOf } from "../arguments.ts";
import { ClosedError } from "../errors.ts";
import { LINE_BYTES } from "../layout/sizes.ts";
import { native } from "../native/load.ts";

/** Mapped memory: `bytes` begins at `address`. */
export interface Memory {
  /** Where the memory begins in this process. */
  readonly address: number;
  /** The memory itself. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as numbers: number `i` is bytes `8 * i` to `8 * i + 7`. */
  readonly doubles: Float64Array<ArrayBuffer>;
}

/** Where a word stands and what it is called; a field of a layout is one. */
export interface WordPlace {
  /** The name in traces, such as `spsc.head`. */
  readonly path: string;
  /** The offset from the beginning of the layout. */
  readonly offset: number;
}

/** A 32-bit word. Values are unsigned. */
export class Word32 {
  /** The name in traces, such as `spsc.head`. */
  readonly path: string;
  /** Where the word is in this process, for futexes. */
  readonly address: number;
  readonly #cell: Uint32Array<ArrayBuffer>;

  /** The word at `place` of a layout that begins at `base` of the memory. */
  constructor(memory: Memory, place: WordPlace, base = 0) {
    const offset = base + place.offset;
    this.path = place.path;
    this.address = memory.address + offset;
    this.#cell = new Uint32Array(memory.bytes.buffer, memory.bytes.byteOffset + offset, 1);
  }

  /** The value. */
  load(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Replaces the value. */
  store(value: number): void {
    Atomics.store(this.#cell, 0, value);
  }

  /** Adds modulo 2^32; gives the value before. */
  add(value: number): number {
    return Atomics.add(this.#cell, 0, value);
  }

  /** Subtracts modulo 2^32; gives the value before. */
  sub(value: number): number {
    return Atomics.sub(this.#cell, 0, value);
  }

  /** Sets bits; gives the value before. */
  or(bits: number): number {
    return Atomics.or(this.#cell, 0, bits);
  }

  /** Keeps only these bits; gives the value before. */
  and(bits: number): number {
    return Atomics.and(this.#cell, 0, bits);
  }

  /** Replaces the value; gives the value before. */
  exchange(value: number): number {
    return Atomics.exchange(this.#cell, 0, value);
  }

  /** Replaces the value if it is `expected`; gives the value before, `expected` if it was done. */
  compareExchange(expected: number, desired: number): number {
    return Atomics.compareExchange(this.#cell, 0, expected, desired);
  }

  /** Replaces the value, then loads another word: the same as `store` and `load`, in one call. */
  storeThenLoad(value: number, other: Word32): number {
    if (this.#cell.length === 0) throw closed(this.path);
    return native().vring_publish32(this.address, value, other.address);
  }

  /** Watches the word for up to `budget` nanoseconds; true as soon as it is not `expected`. */
  spinWhile(expected: number, budget: number): boolean {
    if (this.#cell.length === 0) throw closed(this.path);
    return native().vring_spin(this.address, expected, budget) === 1;
  }
}

/**
 * A 64-bit word that counts: values are JavaScript numbers, exact from 0 to 2^53. Goes through the
 * native library, as `Atomics` on 64 bits allocates a BigInt each time. What a broken peer stored
 * beyond 2^53 reads as a rounded number: check it against private limits like any other value.
 */
export class Word64 {
  /** The name in traces, such as `buffer.published`. */
  readonly path: string;
  /** Where the word is in this process. */
  readonly address: number;
  readonly #cell: Uint8Array<ArrayBuffer>; // of length 0 once the memory is closed

  /** The word at `place` of a layout that begins at `base` of the memory. */
  constructor(memory: Memory, place: WordPlace, base = 0) {
    const offset = base + place.offset;
    this.path = place.path;
    this.address = memory.address + offset;
    this.#cell = new Uint8Array(memory.bytes.buffer, memory.bytes.byteOffset + offset, 8);
    if (this.address % 8 !== 0) {
      throw new RangeError(
        `Cannot use word "${place.path}": offset ${offset} is not a multiple of 8`,
      );
    }
  }

  #open(): number {
    if (this.#cell.length === 0) throw closed(this.path);
    return this.address;
  }

  /** The value. */
  load(): number {
    return native().vring_load64(this.#open());
  }

  /** Replaces the value. */
  store(value: number): void {
    native().vring_store64(this.#open(), value);
  }

  /** Replaces the value, and keeps every plain access that follows behind it (on ARM too). */
  storeFirst(value: number): void {
    native().vring_store64(this.#open(), value);
  }

  /** Replaces the value, then loads another word: the same as `store` and `load`, in one call. */
  storeThenLoad(value: number, other: Word32): number {
    return native().vring_publish64(this.#open(), value, other.address);
  }

  /** The value, and keeps every plain read that came before in front of it (on ARM too). */
  loadLast(): number {
    return native().vring_load64(this.#open());
  }

  /** Adds modulo 2^64; gives the value before. */
  add(value: number): number {
    return native().vring_add64(this.#open(), value);
  }

  /** Subtracts modulo 2^64; gives the value before. */
  sub(value: number): number {
    return native().vring_add64(this.#open(), -value);
  }

  /** Sets bits; gives the value before. */
  or(bits: number): number {
    return native().vring_or64(this.#open(), bits);
  }

  /** Keeps only these bits; gives the value before. */
  and(bits: number): number {
    return native().vring_and64(this.#open(), bits);
  }

  /** Replaces the value; gives the value before. */
  exchange(value: number): number {
    return native().vring_exchange64(this.#open(), value);
  }

  /** Replaces the value if it is `expected`; gives the value before, `expected` if it was done. */
  compareExchange(expected: number, desired: number): number {
    return native().vring_compare_exchange64(this.#open(), expected, desired);
  }
}

function closed(path: string): ClosedError {
  return new ClosedError(`Cannot use word "${path}": the memory is closed`);
}

/** What a call into the native library takes as a length: what is longer would wrap. */
const LONGEST_COPY = 2 ** 32 - 1;

/** Copies the first `length` bytes of `source`, all of them by default, into memory at `offset`. */
export function copyIn(
  memory: Memory,
  offset: number,
  source: Uint8Array,
  length: number = source.length,
): void {
  // An array over a SharedArrayBuffer may have grown since its length was taken.
  memory.bytes.set(source.length === length ? source : partOf(source, 0, length), offset);
}

/** Fills the first `length` bytes of `target`, less than 4 GiB, from shared memory at `offset`. */
export function copyOut(
  memory: Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): void {
  checkInside(memory, offset, target, length);
  native().vring_copy_out(target, memory.address + offset, length, 0);
}

/** The same as `copyOut` and then `loadLast` of a word of the same memory, in one call. */
export function copyOutThenLoad(
  memory: Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  word: Word64,
): number {
  checkInside(memory, offset, target, length);
  return native().vring_copy_out(target, memory.address + offset, length, word.address);
}

function checkInside(memory: Memory, offset: number, target: Uint8Array, length: number): void {
  if (memory.bytes.length === 0) throw new TypeError("Cannot copy: the memory is closed");
  if (length > LONGEST_COPY) {
    throw new RangeError(`Cannot copy ${length} bytes at once: at most ${LONGEST_COPY}`);
  }
  const inside = offset >= 0 && length >= 0 && offset + length <= memory.bytes.length;
  if (!inside || length > target.length) {
    throw new RangeError(`Cannot copy ${length} bytes from ${offset}: the memory or array ends`);
  }
}

/** Copies a few numbers into shared memory at `offset`, a multiple of 8. */
export function copyDoublesIn(memory: Memory, offset: number, source: Float64Array): void {
  const { doubles } = memory;
  const at = offset / 8;
  for (let i = 0; i < source.length; i++) doubles[at + i] = source[i]!;
}

/** Fills a few numbers from shared memory at `offset`, a multiple of 8. */
export function copyDoublesOut(memory: Memory, offset: number, target: Float64Array): void {
  const { doubles } = memory;
  const at = offset / 8;
  for (let i = 0; i < target.length; i++) target[i] = doubles[at + i]!;
}

/** Stores one number at `offset`, a multiple of 8. */
export function storeDouble(memory: Memory, offset: number, value: number): void {
  memory.doubles[offset / 8] = value;
}

/** The number at `offset`, a multiple of 8. */
export function loadDouble(memory: Memory, offset: number): number {
  return memory.doubles[offset / 8]!;
}

const fetched = new Float64Array(1); // a store to it keeps the engine from dropping the load

/** Has the processor fetch the number at `offset`, a multiple of 8; means nothing otherwise. */
export function prefetch(memory: Memory, offset: number): void {
  fetched[0] = memory.doubles[offset / 8]!;
}

/**
 * Has the processor fetch memory that is written soon, in place of waiting for each line then. The
 * bytes stay as they are, but nobody else may be writing there.
 */
export function prefetchToWrite(memory: Memory, offset: number, length: number): void {
  const { bytes } = memory;
  const last = offset + length - 1;
  for (let at = offset; at < last; at += LINE_BYTES) bytes[at] = bytes[at]!;
  bytes[last] = bytes[last]!;
}

/**
 * Shared memory to write into in place; `commitView` must follow before it is published. `last` is
 * the view that was made of this place before: if it has this length it is given again.
 */
export function claimView(
  memory: Memory,
  offset: number,
  length: number,
  last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return last?.length === length ? last : viewOf(memory, offset, length);
}

/** Ends the writing into a claimed view. Nothing to do here: the bytes are already in place. */
export function commitView(
  _memory: Memory,
  _offset: number,
  _view: Uint8Array,
  _length: number,
): void {}

/**
 * Shared memory to read in place. What it shows is provisional until it is validated. `last` is as
 * for `claimView`.
 */
export function peekView(
  memory: Memory,
  offset: number,
  length: number,
  last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return last?.length === length ? last : viewOf(memory, offset, length);
}

/** In place of `subarray`, which takes half as long again. */
function viewOf({ bytes }: Memory, offset: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
}
