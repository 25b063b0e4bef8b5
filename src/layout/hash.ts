/**
 * The fingerprint by which two parties check that they declare the same memory.
 *
 * @module
 */

import { byOffset, type FieldType, isLayout, type Placement, typeName } from "./fields.ts";

/**
 * Hashes {@linkcode signature} with 64-bit FNV-1a. It covers the name, version, size and alignment,
 * and of each field its name, offset, type, count, whether it is atomic and has a line. Nested
 * layouts contribute the same. It leaves out the docs, which only people read, and how a place was
 * chosen (the order declared, `at`).
 */
export function hashOf(layout: Placement): bigint {
  return fingerprint(signature(layout));
}

/** Hashes a text with 64-bit FNV-1a. */
export function fingerprint(text: string): bigint {
  return fnv1a(new TextEncoder().encode(text));
}

/**
 * Writes everything that two parties must agree on as text; names contain none of its punctuation.
 */
function signature(layout: Placement): string {
  const fields = byOffset(layout).map(({ name, offset, shape, atomic, line }) =>
    `${name}@${offset}:${typeSignature(shape)}${atomic ? "!" : ""}${line ? "|" : ""}`
  );
  const { name, version, size, alignment } = layout;
  return `${name}/${version}/${size}/${alignment}{${fields.join()}}`;
}

function typeSignature(type: FieldType): string {
  if (isLayout(type)) return signature(type);
  if (typeof type === "string" || type.kind !== "array") return typeName(type);
  return `${typeSignature(type.element)}[${type.length}]`;
}

/** https://datatracker.ietf.org/doc/html/draft-eastlake-fnv, the 64-bit variant. */
function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/** Writes the fingerprint as C and the inspector show it. */
export function hexHash(hash: bigint): string {
  return `0x${hash.toString(16).padStart(16, "0")}`;
}
