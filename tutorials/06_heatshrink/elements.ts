/**
 * The elements of a compressed stream, to look at.
 *
 * @module
 */

import { Decoder } from "../../examples/heatshrink/decoder.ts";
import { Encoder } from "../../examples/heatshrink/encoder.ts";
import type { Format } from "../../examples/heatshrink/format.ts";
import type { Counts, RingKind } from "../../examples/heatshrink/history.ts";

/** The settings of the chapter: repeats reach back 256 bytes, and have at most 16. */
export const FORMAT: Format = { window: 8, lookahead: 4 };

/** One element. */
export type Element =
  | { readonly byte: number }
  | { readonly distance: number; readonly length: number };

/** Reads the elements of a stream; the filling of the last byte is no element. */
export function elementsOf(stream: Uint8Array, { window, lookahead }: Format): Element[] {
  const bits = Array.from(stream, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const elements: Element[] = [];
  for (let at = 0; at < bits.length;) {
    const take = (width: number) => parseInt(bits.slice(at, at += width), 2);
    const width = bits[at] === "1" ? 9 : 1 + window + lookahead;
    if (at + width > bits.length) break;
    if (take(1) === 1) elements.push({ byte: take(8) });
    else elements.push({ distance: take(window) + 1, length: take(lookahead) + 1 });
  }
  return elements;
}

/** Writes elements as a stream. */
export function streamOf(elements: readonly Element[], { window, lookahead }: Format): Uint8Array {
  const field = (value: number, width: number) => value.toString(2).padStart(width, "0");
  const bits = elements.map((element) =>
    "byte" in element
      ? `1${field(element.byte, 8)}`
      : `0${field(element.distance - 1, window)}${field(element.length - 1, lookahead)}`
  ).join("");
  const bytes = bits.match(/.{1,8}/g)!;
  return Uint8Array.from(bytes, (byte) => parseInt(byte.padEnd(8, "0"), 2));
}

/** What came out, and what the ring had to do for it. */
export interface Outcome {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly counts: Counts;
}

/** Compresses bytes. */
export function compress(bytes: Uint8Array, format = FORMAT, ring: RingKind = "mirror"): Outcome {
  return passed((emit) => new Encoder(format, emit, ring), bytes);
}

/** Decompresses bytes. */
export function expand(bytes: Uint8Array, format = FORMAT, ring: RingKind = "mirror"): Outcome {
  return passed((emit) => new Decoder(format, emit, ring), bytes);
}

function passed(make: (emit: (block: Uint8Array) => void) => Encoder | Decoder, bytes: Uint8Array) {
  const blocks: Uint8Array[] = [];
  using coder = make((block) => blocks.push(block));
  for (let at = 0; at < bytes.length; at += 4096) coder.write(bytes.subarray(at, at + 4096));
  coder.end();
  const result = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    result.set(block, at);
    at += block.length;
  }
  return { bytes: result, counts: coder.counts };
}
