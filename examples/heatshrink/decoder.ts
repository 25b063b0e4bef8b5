/**
 * The decoder: a machine that waits for the bits of one field at a time, so that a chunk may end
 * anywhere.
 *
 * @module
 */

import type { Emit } from "./encoder.ts";
import { type Format, formatOf, type Settings } from "./format.ts";
import { type Counts, type History, makeHistory, type RingKind } from "./history.ts";

/** Waits for this field of the next element. */
type Field = "tag" | "literal" | "distance" | "length";

/** How many bytes are decoded before they are passed on, at least. */
const BLOCK = 4096;

/** Decompresses a sequence of chunks of any size. */
export class Decoder implements Disposable {
  readonly #format: Format;
  readonly #emit: Emit;
  readonly #history: History;
  /** The bytes to decode before they must be passed on, as the history forgets older ones. */
  readonly #limit: number;
  #field: Field = "tag";
  /** The number of bits of the field. */
  #width = 1;
  #distance = 0;
  #bits = 0;
  #count = 0;
  /** The bits of the current element that were read already; all zero in the filling. */
  #read = 0;
  #isZero = true;
  #emitted: number;
  #ended = false;

  /** Makes a decoder that passes its result to `emit`. */
  constructor(settings: Settings, emit: Emit, ring: RingKind = "mirror") {
    this.#format = formatOf(settings);
    this.#emit = emit;
    const reach = 2 ** this.#format.window;
    const longest = 2 ** this.#format.lookahead;
    this.#history = makeHistory(ring, reach + longest + BLOCK, reach);
    this.#limit = this.#history.capacity - reach - longest;
    this.#emitted = this.#history.head;
  }

  /** What the history has done. */
  get counts(): Counts {
    return this.#history.counts;
  }

  /** Decompresses the next bytes. */
  write(chunk: Uint8Array): void {
    if (this.#ended) throw new TypeError("Cannot decompress more: the stream has ended");
    for (const byte of chunk) {
      this.#bits = (this.#bits << 8 | byte) & 0x7fffff; // at most 14 bits were left
      this.#count += 8;
      while (this.#count >= this.#width) this.#step();
    }
    this.#flush();
  }

  /** Ends the stream; throws a TypeError if it ends within an element. */
  end(): void {
    if (this.#ended) return;
    this[Symbol.dispose]();
    const left = this.#read + this.#count;
    const isZero = this.#isZero && (this.#bits & (1 << this.#count) - 1) === 0;
    if (left < 8 && isZero) return; // the filling of the last byte
    throw new TypeError(
      `Cannot decompress the end of the stream: it stops within a ${
        this.#field === "literal" ? "literal" : "repeat"
      }; it was cut off, or made with another window and lookahead`,
    );
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#history[Symbol.dispose]();
  }

  /** Takes the bits of one field, and begins the next one. */
  #step(): void {
    const width = this.#width;
    this.#count -= width;
    const value = this.#bits >> this.#count & (1 << width) - 1;
    this.#read += width;
    this.#isZero &&= value === 0;
    switch (this.#field) {
      case "tag":
        if (value === 1) this.#await("literal", 8);
        else this.#await("distance", this.#format.window);
        return;
      case "distance":
        this.#distance = value + 1;
        this.#await("length", this.#format.lookahead);
        return;
      case "literal":
        this.#history.push(value);
        break;
      case "length":
        this.#history.repeat(this.#distance, value + 1);
    }
    this.#await("tag", 1);
    this.#read = 0;
    this.#isZero = true;
    if (((this.#history.head - this.#emitted) >>> 0) >= this.#limit) this.#flush();
  }

  #await(field: Field, width: number): void {
    this.#field = field;
    this.#width = width;
  }

  #flush(): void {
    const length = (this.#history.head - this.#emitted) >>> 0;
    if (length > 0) this.#emit(this.#history.copy(this.#emitted, length));
    this.#emitted = this.#history.head;
  }
}
