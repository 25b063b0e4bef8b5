/**
 * The encoder: for each position, the longest repeat within the window, the nearest of the longest.
 *
 * ```
 *   history   | ....... 2^window bytes that were encoded ....... | pending |
 *                        ^ candidate: same two bytes               ^ next
 * ```
 *
 * Every repeat that is worth its bits has two bytes or more. So the candidates for a position are
 * the earlier positions with the same two bytes, linked from each to the one before.
 *
 * @module
 */

import { type Format, formatOf, type Settings, shortestRepeat } from "./format.ts";
import { type Counts, type History, makeHistory, type RingKind } from "./history.ts";

/** Receives the next bytes of a result. */
export type Emit = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Compresses a sequence of chunks of any size. */
export class Encoder implements Disposable {
  readonly #format: Format;
  readonly #emit: Emit;
  readonly #history: History;
  readonly #bits: BitWriter;
  readonly #shortest: number;
  readonly #longest: number;
  /** The bytes to look back at; also the size of the list of links. */
  readonly #reach: number;
  /** For each two bytes, the last position where they began. */
  readonly #newest = new Uint32Array(0x10000);
  /** For each position in reach, the distance to the one before with the same two bytes; or 0. */
  readonly #links: Uint16Array;
  /** The position of the next byte to encode. */
  #next: number;
  #ended = false;

  /** Makes an encoder that passes its result to `emit`. */
  constructor(settings: Settings, emit: Emit, ring: RingKind = "mirror") {
    this.#format = formatOf(settings);
    this.#emit = emit;
    this.#reach = 2 ** this.#format.window;
    this.#longest = 2 ** this.#format.lookahead;
    this.#shortest = shortestRepeat(this.#format);
    this.#links = new Uint16Array(2 * this.#reach);
    this.#history = makeHistory(ring, 2 * (this.#reach + this.#longest), this.#reach);
    this.#next = this.#reach;
    this.#bits = new BitWriter(emit);
    this.#newest.fill(2 ** 32 - 1); // out of reach of the first positions
    for (let position = 0; position < this.#reach - 1; position++) this.#link(position);
  }

  /** What the history has done. */
  get counts(): Counts {
    return this.#history.counts;
  }

  /** Compresses the next bytes. The last ones wait for those that may follow. */
  write(chunk: Uint8Array): void {
    if (this.#ended) throw new TypeError("Cannot compress more: the stream has ended");
    for (let done = 0; done < chunk.length;) {
      const room = this.#history.capacity - this.#reach - this.#pending();
      const part = chunk.subarray(done, done + room);
      this.#history.append(part);
      done += part.length;
      while (this.#pending() > this.#longest) this.#encode(this.#longest);
    }
  }

  /** Compresses what waits, and fills the last byte with zeros. */
  end(): void {
    if (this.#ended) return;
    while (this.#pending() > 0) this.#encode(Math.min(this.#longest, this.#pending()));
    this.#bits.end();
    this[Symbol.dispose]();
  }

  /** Gives the memory back; the result is incomplete unless `end()` was called. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#history[Symbol.dispose]();
  }

  #pending(): number {
    return (this.#history.head - this.#next) >>> 0;
  }

  #encode(limit: number): void {
    const { window, lookahead } = this.#format;
    this.#link(this.#next - 1);
    const found = limit >= this.#shortest ? this.#search(limit) : 0;
    const length = found & 0xffff;
    if (length < this.#shortest) {
      this.#bits.put(0x100 | this.#history.pairAt(this.#next) >> 8, 9);
      this.#next = (this.#next + 1) >>> 0;
      return;
    }
    this.#bits.put((found >>> 16) - 1, 1 + window);
    this.#bits.put(length - 1, lookahead);
    for (let i = 0; i < length - 1; i++) this.#link(this.#next + i);
    this.#next = (this.#next + length) >>> 0;
  }

  /** The nearest of the longest repeats at the next position: `distance << 16 | length`, or 0. */
  #search(limit: number): number {
    const next = this.#next;
    const mask = this.#links.length - 1;
    let best = 0;
    let length = 0;
    let distance = (next - this.#newest[this.#history.pairAt(next)]!) >>> 0;
    while (distance <= this.#reach) {
      const equal = this.#history.matchLength(next - distance, next, limit);
      if (equal > length) {
        length = equal;
        best = distance;
        if (length === limit) break;
      }
      const link = this.#links[(next - distance) & mask]!;
      if (link === 0) break;
      distance += link;
    }
    return best << 16 | length;
  }

  /** Links a position to the one before it that begins with the same two bytes. */
  #link(position: number): void {
    const pair = this.#history.pairAt(position);
    const distance = (position - this.#newest[pair]!) >>> 0;
    this.#links[position & (this.#links.length - 1)] = distance <= this.#reach ? distance : 0;
    this.#newest[pair] = position;
  }
}

const BLOCK = 4096;

/** Packs bits into bytes, most significant first. */
class BitWriter {
  readonly #emit: Emit;
  #block = new Uint8Array(BLOCK);
  #length = 0;
  #bits = 0;
  #count = 0; // of the bits that fill no byte yet: 0 to 7

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Appends the lower `count` bits of a value, at most 16. */
  put(value: number, count: number): void {
    this.#bits = this.#bits << count | value;
    this.#count += count;
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#block[this.#length++] = this.#bits >> this.#count;
      if (this.#length === BLOCK) this.#send();
    }
    this.#bits &= 0xff;
  }

  end(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
    if (this.#length > 0) this.#send();
  }

  #send(): void {
    this.#emit(this.#block.slice(0, this.#length));
    this.#length = 0;
  }
}
