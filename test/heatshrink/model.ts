/**
 * What heatshrink is, as simply as it can be said: slow, and independent of the example.
 *
 * @module
 */

/** A literal byte, or a repeat. */
export type Element = { byte: number } | { distance: number; length: number };

/** The bits of elements, as the format has them. */
export function bitsOf(elements: readonly Element[], window: number, lookahead: number): string {
  const bits = (value: number, width: number) => value.toString(2).padStart(width, "0");
  return elements.map((element) =>
    "byte" in element
      ? `1${bits(element.byte, 8)}`
      : `0${bits(element.distance - 1, window)}${bits(element.length - 1, lookahead)}`
  ).join("");
}

/** Bits as bytes, the last one filled with zeros. */
export function packed(bits: string): Uint8Array<ArrayBuffer> {
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte.padEnd(8, "0"), 2));
}

/** The bytes that elements stand for. */
export function expand(elements: readonly Element[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const element of elements) {
    if ("byte" in element) bytes.push(element.byte);
    else {
      for (let i = 0; i < element.length; i++) {
        bytes.push(bytes[bytes.length - element.distance] ?? 0);
      }
    }
  }
  return Uint8Array.from(bytes);
}

/** The elements that an encoder chooses: the longest repeat in the window, the nearest of those. */
export function choose(data: Uint8Array, window: number, lookahead: number): Element[] {
  const at = (position: number) => data[position] ?? 0; // zeros lie before the first byte
  const elements: Element[] = [];
  for (let next = 0; next < data.length;) {
    const limit = Math.min(2 ** lookahead, data.length - next);
    let best = { distance: 0, length: 0 };
    for (let distance = 1; distance <= 2 ** window; distance++) {
      let length = 0;
      while (length < limit && at(next + length) === at(next + length - distance)) length++;
      if (length > best.length) best = { distance, length };
    }
    const pays = best.length > Math.floor((1 + window + lookahead) / 8);
    elements.push(pays ? best : { byte: data[next]! });
    next += pays ? best.length : 1;
  }
  return elements;
}
