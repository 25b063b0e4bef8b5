/**
 * Atomic words and payload copies: the only code that touches memory while another process may
 * write to it. Every word is sequentially consistent. A leaf: the explorer replaces this file with
 * one that a scheduler drives.
 *
 * The order of words is a promise of V8, not of ECMAScript. The standard orders `Atomics` on a
 * SharedArrayBuffer only, and memory that a process maps is an ordinary ArrayBuffer. V8 performs
 * `Atomics` with the same instructions on both: a store is an xchg on x86_64 and an stlr on
 * aarch64. A test runs the store buffering litmus between two threads on mapped memory: plain
 * accesses break the order in most rounds, words in none. An engine that treats an ordinary
 * ArrayBuffer as memory of one thread must reach all words through the native library, as this file
 * reaches 64-bit words.
 *
 * @module
 */

import { partOf, trueLengthOf } from "../arrays.ts";
import { ClosedError } from "../errors.ts";
import { LINE_BYTES } from "../layout/sizes.ts";
import { directWide, directWords } from "../native/load.ts";
import { detaches, viewOf } from "./views.ts";

/** Mapped memory: `bytes` begins at `address`. */
export interface Memory {
  /** The address of the memory in this process. */
  readonly address: number;
  /** The memory as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The buffer of `bytes`, which are all of it; the getters of `bytes` take 8 ns each. */
  readonly buffer: ArrayBuffer;
  /** The same memory as numbers: number `i` is bytes `8 * i` to `8 * i + 7`. */
  readonly doubles: Float64Array<ArrayBuffer>;
  /** The same memory for values of all types. */
  readonly values: DataView<ArrayBuffer>;
  /** Whether the memory is mapped for reading only: a store to it kills the process (SIGSEGV). */
  readonly readOnly?: boolean | undefined;
  /** Throws if a peer has taken memory away, which reads as zeros then. */
  checkWhole?(): void;
}

/** The offset and the name of a word; a field of a layout is one. */
export interface WordPlace {
  /** The name in traces, such as `spsc.head`. */
  readonly path: string;
  /** The offset from the beginning of the layout. */
  readonly offset: number;
}

const NO_WORD = new Uint32Array(0);

/** A 32-bit word. Values are unsigned. */
export class Word32 {
  /** The name in traces, such as `spsc.head`. */
  readonly path: string;
  /** The address of the word in this process, for futexes. */
  readonly address: number;
  readonly #cell: Uint32Array<ArrayBuffer>;
  readonly #writable: Uint32Array<ArrayBuffer>; // of length 0 where stores would fault

  /** Makes the word at `place` of a layout that begins at `base` of the memory. */
  constructor(memory: Memory, place: WordPlace, base = 0) {
    const offset = base + place.offset;
    this.path = place.path;
    this.address = memory.address + offset;
    this.#cell = new Uint32Array(memory.bytes.buffer, memory.bytes.byteOffset + offset, 1);
    this.#writable = memory.readOnly ? NO_WORD : this.#cell;
  }

  /** Returns the value. */
  load(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Replaces the value. */
  store(value: number): void {
    Atomics.store(this.#writable, 0, value);
  }

  /**
   * Replaces the value after every earlier store and before every later one (on ARM too). Loads may
   * pass it. It is a native call, and the engine moves no access across one.
   */
  storeInOrder(value: number): void {
    if (this.#writable.length === 0) throw unwritable(this.path, this.#cell);
    directWide().vring_store32(this.address, value);
  }

  /** Adds modulo 2^32; returns the value before. */
  add(value: number): number {
    return Atomics.add(this.#writable, 0, value);
  }

  /** Subtracts modulo 2^32; returns the value before. */
  sub(value: number): number {
    return Atomics.sub(this.#writable, 0, value);
  }

  /** Sets bits; returns the value before. */
  or(bits: number): number {
    return Atomics.or(this.#writable, 0, bits);
  }

  /** Clears all other bits; returns the value before. */
  and(bits: number): number {
    return Atomics.and(this.#writable, 0, bits);
  }

  /** Replaces the value; returns the value before. */
  exchange(value: number): number {
    return Atomics.exchange(this.#writable, 0, value);
  }

  /** Replaces the value if it is `expected`; returns the value before (`expected` on success). */
  compareExchange(expected: number, desired: number): number {
    return Atomics.compareExchange(this.#writable, 0, expected, desired);
  }

  /** Replaces the value, then loads another word: `store` and `load` in one call. */
  storeThenLoad(value: number, other: Word32): number {
    if (this.#writable.length === 0) throw unwritable(this.path, this.#cell);
    return directWords().vring_store_then_load32(this.address, value, other.address);
  }

  /**
   * Replaces the value, then loads a bell. Every earlier access comes before the new value, but the
   * load of the bell may pass it, until `orderOthers()` by the thread that raised the bell.
   */
  storeThenGlance(value: number, bell: Word32): number {
    if (this.#writable.length === 0) throw unwritable(this.path, this.#cell);
    return directWords().vring_publish32(this.address, value, bell.address);
  }

  /**
   * Spins while the word is `expected`, for up to `budget` nanoseconds; returns whether it changed.
   */
  spinWhile(expected: number, budget: number): boolean {
    if (this.#cell.length === 0) throw closed(this.path);
    return directWords().vring_spin(this.address, expected, budget) === 1;
  }
}

/**
 * A 64-bit counter whose values are JavaScript numbers, exact from 0 to 2^53. It goes through the
 * native library, as `Atomics` on 64 bits allocates a BigInt each time. A value beyond 2^53, from a
 * corrupt peer, reads as a rounded number: check it against private limits like any other value.
 */
export class Word64 {
  /** The name in traces, such as `buffer.published`. */
  readonly path: string;
  /** The address of the word in this process. */
  readonly address: number;
  readonly #cell: Uint8Array<ArrayBuffer>; // of length 0 once the memory is closed
  readonly #writable: Uint8Array<ArrayBuffer>; // also of length 0 where stores would fault

  /** Makes the word at `place` of a layout that begins at `base` of the memory. */
  constructor(memory: Memory, place: WordPlace, base = 0) {
    const offset = base + place.offset;
    this.path = place.path;
    this.address = memory.address + offset;
    this.#cell = new Uint8Array(memory.bytes.buffer, memory.bytes.byteOffset + offset, 8);
    this.#writable = memory.readOnly ? this.#cell.subarray(8) : this.#cell;
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

  #openToStore(): number {
    if (this.#writable.length === 0) throw unwritable(this.path, this.#cell);
    return this.address;
  }

  /** Returns the value. */
  load(): number {
    return directWide().vring_load64(this.#open());
  }

  /** Replaces the value. */
  store(value: number): void {
    directWide().vring_store64(this.#openToStore(), value);
  }

  /** Replaces the value, and orders every later plain access after that (on ARM too). */
  storeFirst(value: number): void {
    directWide().vring_store64(this.#openToStore(), value);
  }

  /** Replaces the value, then loads a bell, as `Word32.storeThenGlance` does. */
  storeThenGlance(value: number, bell: Word32): number {
    return directWide().vring_publish64(this.#openToStore(), value, bell.address);
  }

  /** Returns the value, and orders every earlier plain read before that (on ARM too). */
  loadLast(): number {
    return directWide().vring_load64(this.#open());
  }

  /** Adds modulo 2^64; returns the value before. */
  add(value: number): number {
    return directWide().vring_add64(this.#openToStore(), value);
  }

  /** Subtracts modulo 2^64; returns the value before. */
  sub(value: number): number {
    return directWide().vring_add64(this.#openToStore(), -value);
  }

  /** Sets bits; returns the value before. */
  or(bits: number): number {
    return directWide().vring_or64(this.#openToStore(), bits);
  }

  /** Clears all other bits; returns the value before. */
  and(bits: number): number {
    return directWide().vring_and64(this.#openToStore(), bits);
  }

  /** Replaces the value; returns the value before. */
  exchange(value: number): number {
    return directWide().vring_exchange64(this.#openToStore(), value);
  }

  /** Replaces the value if it is `expected`; returns the value before (`expected` on success). */
  compareExchange(expected: number, desired: number): number {
    return directWide().vring_compare_exchange64(this.#openToStore(), expected, desired);
  }
}

function closed(path: string): ClosedError {
  return new ClosedError(`Cannot use word "${path}": the memory is closed`);
}

/** The error for a store to a word that is closed, or in memory that can only be read. */
function unwritable(path: string, cell: ArrayLike<number>): Error {
  if (cell.length === 0) return closed(path);
  return new TypeError(`Cannot store to word "${path}": its memory is mapped for reading only`);
}

/** The longest copy that a native call accepts: a greater length would wrap. */
const LONGEST_COPY = 2 ** 32 - 1;

/** Copies the first `length` bytes of `source`, all of them by default, into memory at `offset`. */
export function copyIn(
  memory: Memory,
  offset: number,
  source: Uint8Array,
  length: number = trueLengthOf(source),
): void {
  // An array over a SharedArrayBuffer may have grown since its length was taken.
  const isWhole = trueLengthOf(source) === length;
  memory.bytes.set(isWhole ? source : partOf(source, 0, length), offset);
}

/** Copies shared memory at `offset` into the first `length` bytes of `target`, less than 4 GiB. */
export function copyOut(
  memory: Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): void {
  checkInside(memory, offset, target, length);
  directWords().vring_copy_out(target, memory.address + offset, length, 0);
  memory.checkWhole?.();
}

/** Copies as `copyOut` does, then performs `loadLast` on a word of the same memory, in one call. */
export function copyOutThenLoad(
  memory: Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  word: Word64,
): number {
  checkInside(memory, offset, target, length);
  const source = memory.address + offset;
  const value = directWords().vring_copy_out(target, source, length, word.address);
  memory.checkWhole?.();
  return value;
}

function checkInside(memory: Memory, offset: number, target: Uint8Array, length: number): void {
  const end = memory.bytes.length;
  const inside = end > 0 && offset >= 0 && length >= 0 && offset + length <= end;
  if (!inside || length > target.length || length > LONGEST_COPY) {
    throw misfit(memory, offset, length);
  }
}

function misfit({ bytes }: Memory, offset: number, length: number): Error {
  if (bytes.length === 0) return new TypeError("Cannot copy: the memory is closed");
  if (length > LONGEST_COPY) {
    return new RangeError(`Cannot copy ${length} bytes at once: at most ${LONGEST_COPY}`);
  }
  return new RangeError(`Cannot copy ${length} bytes from ${offset}: the memory or array ends`);
}

/** Copies a few numbers into shared memory at `offset`, a multiple of 8. */
export function copyDoublesIn(memory: Memory, offset: number, source: Float64Array): void {
  const { doubles } = memory;
  const at = offset / 8;
  for (let i = 0; i < source.length; i++) doubles[at + i] = source[i]!;
}

/** Copies a few numbers out of shared memory at `offset`, a multiple of 8. */
export function copyDoublesOut(memory: Memory, offset: number, target: Float64Array): void {
  const { doubles } = memory;
  const at = offset / 8;
  for (let i = 0; i < target.length; i++) target[i] = doubles[at + i]!;
}

/**
 * Copies a message to 8 bytes behind `offset`, stores its length there, and publishes: `copyIn`,
 * `storeDouble` and `storeThenGlance` in one call. The caller has checked that the memory is open
 * and that the message fits.
 */
export function sendIn(
  memory: Memory,
  offset: number,
  message: Uint8Array,
  length: number,
  word: Word32,
  value: number,
  bell: Word32,
): number {
  const { vring_send } = directWords();
  const record = memory.address + offset;
  const bytes = message as Uint8Array<ArrayBuffer>; // or over shared memory, which is only read
  return vring_send(bytes, length, record, word.address, value, bell.address);
}

/**
 * Copies a message out of `offset`, stores the value and a count as two numbers at `pair`, and
 * publishes the value: `copyOut`, `storeDouble` twice and `storeThenGlance` in one call. The caller
 * has checked that the memory is open and that the message fits.
 */
export function receiveOut(
  memory: Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  pair: number,
  count: number,
  word: Word32,
  value: number,
  bell: Word32,
): number {
  const { vring_receive } = directWords();
  const from = memory.address + offset;
  const to = memory.address + pair;
  return vring_receive(target, length, from, to, count, word.address, value, bell.address);
}

/** Stores one number at `offset`, a multiple of 8. */
export function storeDouble(memory: Memory, offset: number, value: number): void {
  memory.doubles[offset / 8] = value;
}

/** Returns the number at `offset`, a multiple of 8. */
export function loadDouble(memory: Memory, offset: number): number {
  return memory.doubles[offset / 8]!;
}

const fetched = new Float64Array(1); // a store to it keeps the engine from dropping the load

/** Prefetches the number at `offset`, a multiple of 8; has no other effect. */
export function prefetch(memory: Memory, offset: number): void {
  fetched[0] = memory.doubles[offset / 8]!;
}

/**
 * Prefetches memory for writing, so that the writes do not wait for each cache line. The bytes keep
 * their values, but no other party may write there at the same time.
 */
export function prefetchToWrite(memory: Memory, offset: number, length: number): void {
  const { bytes } = memory;
  const last = offset + length - 1;
  for (let at = offset; at < last; at += LINE_BYTES) bytes[at] = bytes[at]!;
  bytes[last] = bytes[last]!;
}

/**
 * Returns a view of shared memory to write in place; `commitView` must follow before the publish.
 * `last` is an earlier view of this place: it is returned again if it has this length.
 */
export function claimView(
  memory: Memory,
  offset: number,
  length: number,
  last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return last?.length === length && !detaches ? last : viewOf(memory, offset, length);
}

/**
 * Ends the writing into a claimed view. It has nothing to do here: the bytes are already in place.
 */
export function commitView(
  _memory: Memory,
  _offset: number,
  _view: Uint8Array,
  _length: number,
): void {}

/**
 * Returns a view of all the memory, to write values at an offset; call `commitData` before the
 * publish. Making a view for each value would take longer than writing it.
 */
export function claimData(memory: Memory): DataView<ArrayBuffer> {
  return memory.values;
}

/** Ends the writing through `claimData`. It has nothing to do here, like `commitView`. */
export function commitData(
  _memory: Memory,
  _offset: number,
  _data: DataView<ArrayBuffer>,
  _length: number,
): void {}

/**
 * Returns a view of shared memory to read in place. Its bytes are provisional until they are
 * validated. `last` is as for `claimView`.
 */
export function peekView(
  memory: Memory,
  offset: number,
  length: number,
  last?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return last?.length === length && !detaches ? last : viewOf(memory, offset, length);
}

/**
 * Returns a view of all the memory, to read values at an offset. The values are provisional, like
 * the bytes of `peekView`.
 */
export function peekData(memory: Memory, _offset: number, _length: number): DataView<ArrayBuffer> {
  return memory.values;
}
