/**
 * Texts as C takes them.
 *
 * @module
 */

/** Encodes a text, with the zero that ends it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
