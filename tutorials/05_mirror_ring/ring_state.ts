/**
 * A ring's contents and positions, ready to be drawn.
 *
 * @module
 */

import type { MirrorRing } from "../../mod.ts";

/** Where the next byte of a ring is read, in the first window. */
export function readAtOf(ring: MirrorRing): number {
  return ring.peek(0).byteOffset - ring.bytes.byteOffset;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Bytes that change from cell to cell, so that a wrong place shows: AAA..BBB..CCC.. */
export function alphabet(from: string, length: number, cell: number): Uint8Array {
  const first = LETTERS.indexOf(from);
  const letter = (i: number) => LETTERS.charCodeAt((first + Math.floor(i / cell)) % LETTERS.length);
  return Uint8Array.from({ length }, (_, i) => letter(i));
}
