/**
 * A ring's contents and positions, ready to be drawn.
 *
 * @module
 */

import type { MirrorRing } from "../../mod.ts";
import type { RingState } from "../picture.ts";

/** What `windows` draws of a ring. */
export function stateOf(ring: MirrorRing): RingState {
  const { bytes, capacity, available } = ring;
  return { bytes, capacity, available, readAt: ring.peek(0).byteOffset - bytes.byteOffset };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Bytes that change from cell to cell, so that a wrong place shows: AAA..BBB..CCC.. */
export function alphabet(from: string, length: number, cell: number): Uint8Array {
  const first = LETTERS.indexOf(from);
  const letter = (i: number) => LETTERS.charCodeAt((first + Math.floor(i / cell)) % LETTERS.length);
  return Uint8Array.from({ length }, (_, i) => letter(i));
}
