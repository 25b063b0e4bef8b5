/**
 * Payloads that tell where each byte belongs: a byte in the wrong place never goes unnoticed.
 *
 * @module
 */

/** A prime, so that the sequence repeats at no power of two. */
const PERIOD = 65_521;

const SEQUENCE = Uint8Array.from(
  { length: PERIOD },
  (_, position) => Math.imul(position, 0x9e3779b1) >>> 19,
);

/** The byte at a position of an endless sequence. */
export function byteAt(position: number): number {
  return SEQUENCE[position % PERIOD]!;
}

/** A part of that sequence. */
export function bytesFrom(position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const part = SEQUENCE.subarray((position + done) % PERIOD).subarray(0, length - done);
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}
