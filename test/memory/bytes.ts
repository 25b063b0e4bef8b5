/**
 * Payloads that tell where each byte belongs: a byte in the wrong place never goes unnoticed.
 *
 * @module
 */

/** The byte at a position of an endless sequence that repeats at no power of two. */
export function byteAt(position: number): number {
  return (Math.imul(position % 65_521, 0x9e3779b1) >>> 19) & 0xff;
}

/** A part of that sequence. */
export function bytesFrom(position: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => byteAt(position + index));
}
