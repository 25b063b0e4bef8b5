/**
 * Hashes and texts of what operations and actors return.
 *
 * @module
 */

import { bytesHash, mix, textHash } from "./hash.ts";
import type { Inode } from "./world.ts";

/** Hashes the result of an operation. */
export function hashOf(value: unknown, seed: number): number {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? mix(value, 1, 0, 0, seed) : textHash(`${value}`, seed);
  }
  if (typeof value === "string") return textHash(value, seed);
  if (typeof value === "boolean") return value ? 3 : 2;
  if (value instanceof Uint8Array) return bytesHash(value, seed);
  if (value === undefined || value === null) return 5;
  if (isInode(value)) return mix(value.id, 2, 0, 0, seed);
  return textHash(JSON.stringify(value), seed);
}

/** Writes plain data as a text that contains all of it; undefined for any other value. */
export function textOf(value: unknown): string | undefined {
  let isPlain = true;
  const text = JSON.stringify([value], function (this: Record<string, unknown>, key: string) {
    const part = this[key]; // before any toJSON
    if (typeof part === "string" || typeof part === "boolean" || part === null) return part;
    if (typeof part === "number" && Number.isFinite(part)) return part;
    if (typeof part !== "object" && typeof part !== "function") return `\0${String(part)}`;
    const isKnown = Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype;
    return isKnown ? part : void (isPlain = false);
  });
  return isPlain ? text : undefined;
}

function isInode(value: object): value is Inode {
  return "words" in value;
}
