/**
 * Mutations of files, as edits of the file that the library made: a few numbers each, so that a
 * corpus is a text of some lines.
 *
 * @module
 */

import type { Random } from "../random.ts";

/** A mutated file: bytes stored over the original, and another length. */
export interface Input {
  readonly kind: string;
  /** Offsets, and the bytes that are stored there, in hexadecimal. */
  readonly edits: readonly (readonly [offset: number, hex: string])[];
  /** The length, if it differs. */
  readonly length?: number;
}

/** Returns the bytes of an input. */
export function apply({ edits, length }: Input, original: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(length ?? original.length);
  bytes.set(original.subarray(0, bytes.length));
  for (const [offset, hex] of edits) {
    const stored = Uint8Array.fromHex(hex);
    if (offset < bytes.length) bytes.set(stored.subarray(0, bytes.length - offset), offset);
  }
  return bytes;
}

const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  8,
  63,
  64,
  65,
  255,
  256,
  4095,
  4096,
  4097,
  65_535,
  2 ** 30,
  2 ** 31,
];
const LARGE = [2n ** 32n - 1n, 2n ** 32n, 2n ** 52n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const MOST_EDITS = 12;

/** Where a file has bytes that are not zero; most of it is unused memory. */
export function placesIn(original: Uint8Array): number[] {
  const places: number[] = [];
  for (const [offset, byte] of original.entries()) if (byte !== 0) places.push(offset);
  return places;
}

/** Adds some edits to an input. */
export function mutate(
  random: Random,
  input: Input,
  original: Uint8Array,
  places: readonly number[],
): Input {
  const edits = input.edits.slice(-MOST_EDITS);
  let { length } = input;
  for (let i = random.small(4); i > 0; i--) {
    const offset = offsetIn(random, original.length, places);
    const act = random.below(8);
    if (act === 7) length = lengthFor(random, original.length);
    else if (act === 6 && edits.length > 0) edits.splice(random.below(edits.length), 1);
    else edits.push(...edit(random, act, offset, original));
  }
  return { kind: input.kind, edits, ...(length !== undefined && { length }) };
}

function offsetIn(random: Random, size: number, places: readonly number[]): number {
  const chance = random.next();
  if (chance < 0.5) return random.pick(places);
  if (chance < 0.8) return random.below(Math.min(size, 1024));
  return random.below(size);
}

function lengthFor(random: Random, size: number): number | undefined {
  const choice = random.below(4);
  if (choice === 0) return undefined;
  if (choice === 1) return random.below(size);
  return choice === 2 ? Math.floor(size / 2) : Math.min(2 ** 18, size + random.small(8192));
}

function edit(
  random: Random,
  act: number,
  offset: number,
  original: Uint8Array,
): [number, string][] {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  const aligned = (size: number) => offset - offset % size;
  switch (act) {
    case 0:
      return [[offset, hexOf(original[offset]! ^ 1 << random.below(8))]];
    case 1:
      return [[offset, hexOf(random.below(256))]];
    case 2: { // a word
      view.setUint32(0, random.pick(NUMBERS), true);
      return [[aligned(4), bytes.subarray(0, 4).toHex()]];
    }
    case 3: { // a long word
      view.setBigUint64(0, BigInt(random.pick([...NUMBERS, ...LARGE])), true);
      return [[aligned(8), bytes.toHex()]];
    }
    case 4: { // a word that is a little larger or smaller
      if (offset + 4 > original.length) return [];
      const at = aligned(4);
      const before = new DataView(original.buffer, original.byteOffset).getUint32(at, true);
      view.setUint32(0, before + random.pick([-1, 1, -64, 64, 4096, -4096]), true);
      return [[at, bytes.subarray(0, 4).toHex()]];
    }
    default: { // bytes of another place
      const from = random.below(original.length);
      const piece = original.subarray(from, from + random.small(64));
      return [[offset, new Uint8Array(piece).toHex()]];
    }
  }
}

function hexOf(byte: number): string {
  return (byte & 255).toString(16).padStart(2, "0");
}
