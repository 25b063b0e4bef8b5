/**
 * Hashes of numbers, text and bytes. Every hash is computed twice, from two seeds, because 32 bits
 * are too few to tell millions of states apart.
 *
 * @module
 */

/** The seed of the first half of a hash. */
export const SEED_A = 0x9e3779b1;

/** The seed of the second half. */
export const SEED_B = 0x85ebca6b;

/** Hashes four numbers to 32 bits. */
export function mix(a: number, b: number, c: number, d: number, seed: number): number {
  let hash = stir(stir(stir(stir(seed, a), b), c), d);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash | 0;
}

function stir(hash: number, value: number): number {
  hash = Math.imul(hash ^ (value | 0), 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  if ((value | 0) !== value) hash ^= Math.imul(value / 2 ** 32 | 0, 0x27d4eb2f);
  return Math.imul(hash, 0x1b873593) + 0x52dce729 | 0;
}

/** Hashes a text to 32 bits. */
export function textHash(text: string, seed: number = SEED_A): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = stir(hash, text.charCodeAt(i));
  return hash;
}

/** Hashes bytes to 32 bits. */
export function bytesHash(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < bytes.length; i++) hash = stir(hash, bytes[i]!);
  return hash;
}
