/**
 * The bytes that an encoder or a decoder looks back at: the last ones of an endless sequence, in a
 * ring. The same few questions are answered twice here, and that is the whole difference between
 * the two kinds of ring:
 *
 * - {@linkcode MaskedHistory}: one piece of memory. Any range of bytes may cross its end, so each
 *   copy asks whether it does, and is made of up to two pieces. A comparison masks both positions
 *   at every byte.
 * - {@linkcode MirrorHistory}: the memory of a `MirrorRing`, which is followed by itself. A range
 *   begins within the first window and never has an end to cross.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";

/** What a history has done, for the bench and the curious. */
export interface Counts {
  /** Calls that copied a range: `set`, `copyWithin` or `slice`. */
  copies: number;
  /** The times that code asked whether a range crosses the end of the memory .. */
  branches: number;
  /** .. and found that it does, so that it was handled in pieces. */
  seams: number;
}

/** The last bytes of a sequence. Positions count the bytes of the whole sequence, modulo 2^32. */
export interface History extends Disposable {
  /** The number of bytes that it keeps. */
  readonly capacity: number;
  /** What it has done. */
  readonly counts: Counts;
  /** The position behind the last byte. */
  readonly head: number;
  /** Appends bytes, at most `capacity` of them. */
  append(source: Uint8Array): void;
  /** Appends one byte. */
  push(byte: number): void;
  /**
   * Appends `length` bytes again that begin `distance` bytes back. They may overlap. Both together
   * are at most the capacity, so at most one of the two ranges crosses the end of the memory.
   */
  repeat(distance: number, length: number): void;
  /** Returns a copy of a range. */
  copy(position: number, length: number): Uint8Array<ArrayBuffer>;
  /** Returns two bytes as one number. */
  pairAt(position: number): number;
  /** Counts the equal bytes from two positions on, up to a limit. */
  matchLength(a: number, b: number, limit: number): number;
}

/** The kinds of ring. */
export type RingKind = "mirror" | "masked";

/** Below this, a loop over bytes is faster than a call that copies. */
const WORTH_A_CALL = 64;

/** Makes a history that keeps at least so many bytes, and begins with so many zeros. */
export function makeHistory(kind: RingKind, keep: number, zeros: number): History {
  let capacity = 4096;
  while (capacity < keep) capacity *= 2;
  const history = kind === "mirror" ? new MirrorHistory(capacity) : new MaskedHistory(capacity);
  history.append(new Uint8Array(zeros));
  return history;
}

/** A history in a mirror ring: no range has an end to cross. */
export class MirrorHistory implements History {
  readonly capacity: number;
  readonly counts: Counts = { copies: 0, branches: 0, seams: 0 };
  head = 0;
  readonly #ring: MirrorRing;
  readonly #mask: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(minCapacity: number) {
    this.#ring = new MirrorRing(minCapacity);
    this.capacity = this.#ring.capacity; // a power of two, as pages and `minCapacity` are
    this.#mask = this.capacity - 1;
    this.#bytes = this.#ring.bytes; // every byte twice: at `i` and at `i + capacity`
  }

  append(source: Uint8Array): void {
    this.#bytes.set(source, this.head & this.#mask);
    this.counts.copies++;
    this.head = (this.head + source.length) >>> 0;
  }

  push(byte: number): void {
    this.#bytes[this.head & this.#mask] = byte;
    this.head = (this.head + 1) >>> 0;
  }

  repeat(distance: number, length: number): void {
    const bytes = this.#bytes;
    // The source begins in the first window, and the target follows it, perhaps in the second.
    const from = (this.head - distance) & this.#mask;
    const to = from + distance;
    if (length < WORTH_A_CALL || distance < length) {
      for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i]!;
    } else {
      bytes.copyWithin(to, from, from + length);
      this.counts.copies++;
    }
    this.head = (this.head + length) >>> 0;
  }

  copy(position: number, length: number): Uint8Array<ArrayBuffer> {
    this.counts.copies++;
    const at = position & this.#mask;
    return this.#bytes.slice(at, at + length);
  }

  pairAt(position: number): number {
    const at = position & this.#mask;
    return this.#bytes[at]! << 8 | this.#bytes[at + 1]!;
  }

  matchLength(a: number, b: number, limit: number): number {
    const bytes = this.#bytes;
    const [first, second] = [a & this.#mask, b & this.#mask];
    let length = 0;
    while (length < limit && bytes[first + length] === bytes[second + length]) length++;
    return length;
  }

  [Symbol.dispose](): void {
    this.#ring.close();
  }
}

/** A history in one piece of memory: ranges that cross its end are handled in pieces. */
export class MaskedHistory implements History {
  readonly capacity: number;
  readonly counts: Counts = { copies: 0, branches: 0, seams: 0 };
  head = 0;
  readonly #mask: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** The capacity is a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#bytes = new Uint8Array(capacity);
  }

  append(source: Uint8Array): void {
    const at = this.head & this.#mask;
    const first = this.capacity - at;
    this.counts.branches++;
    if (source.length <= first) {
      this.#bytes.set(source, at);
      this.counts.copies++;
    } else {
      this.#bytes.set(source.subarray(0, first), at);
      this.#bytes.set(source.subarray(first), 0);
      this.counts.copies += 2;
      this.counts.seams++;
    }
    this.head = (this.head + source.length) >>> 0;
  }

  push(byte: number): void {
    this.#bytes[this.head & this.#mask] = byte;
    this.head = (this.head + 1) >>> 0;
  }

  repeat(distance: number, length: number): void {
    const [bytes, mask] = [this.#bytes, this.#mask];
    const [from, to] = [this.head - distance, this.head];
    if (length < WORTH_A_CALL || distance < length) {
      for (let i = 0; i < length; i++) bytes[(to + i) & mask] = bytes[(from + i) & mask]!;
    } else copyInPieces(bytes, { from, to, length, counts: this.counts });
    this.head = (this.head + length) >>> 0;
  }

  copy(position: number, length: number): Uint8Array<ArrayBuffer> {
    const at = position & this.#mask;
    const first = this.capacity - at;
    this.counts.branches++;
    if (length <= first) {
      this.counts.copies++;
      return this.#bytes.slice(at, at + length);
    }
    const target = new Uint8Array(length);
    target.set(this.#bytes.subarray(at));
    target.set(this.#bytes.subarray(0, length - first), first);
    this.counts.copies += 2;
    this.counts.seams++;
    return target;
  }

  pairAt(position: number): number {
    const [bytes, mask] = [this.#bytes, this.#mask];
    return bytes[position & mask]! << 8 | bytes[(position + 1) & mask]!;
  }

  matchLength(a: number, b: number, limit: number): number {
    const [bytes, mask] = [this.#bytes, this.#mask];
    let length = 0;
    while (length < limit && bytes[(a + length) & mask] === bytes[(b + length) & mask]) length++;
    return length;
  }

  [Symbol.dispose](): void {}
}

/** A copy in a masked ring, between positions. */
interface MaskedCopy {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly counts: Counts;
}

/** Copies within a masked ring, in two pieces if a range crosses the end. */
export function copyInPieces(bytes: Uint8Array, { from, to, length, counts }: MaskedCopy): void {
  const mask = bytes.length - 1;
  for (let done = 0; done < length;) {
    const [a, b] = [(from + done) & mask, (to + done) & mask];
    const piece = Math.min(length - done, bytes.length - a, bytes.length - b);
    bytes.copyWithin(b, a, a + piece);
    counts.copies++;
    counts.branches += 2;
    done += piece;
    if (done < length) counts.seams++;
  }
}
