/**
 * What operations and actors give, as hashes and texts.
 *
 * @module
 */

import { bytesHash, type Inode, mix, textHash } from "./world.ts";

/** A hash of what an operation gave. */
export function hashOf(value: unknown, seed: number): number {
  if (typeof value === "number") return mix(value, 1, 0, 0, seed);
  if (typeof value === "string") return textHash(value, seed);
  if (typeof value === "boolean") return value ? 3 : 2;
  if (value instanceof Uint8Array) return bytesHash(value, seed);
  if (value === undefined || value === null) return 5;
  if (isInode(value)) return mix(value.id, 2, 0, 0, seed);
  return textHash(JSON.stringify(value), seed);
}

/** A text that tells all of a value; undefined if that is more than plain data. */
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
