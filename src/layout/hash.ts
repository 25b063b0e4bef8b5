/**
 * The fingerprint by which two parties find out that they mean the same memory.
 *
 * @module
 */

import { byOffset, type FieldType, isLayout, type Placement, typeName } from "./fields.ts";

/**
 * 64-bit FNV-1a over {@linkcode signature}: names, version, size, alignment, and of each field its
 * name, offset, type, count, whether it is atomic and has a line; of nested layouts the same again.
 * Not what only people read (docs), nor how a place was chosen (the order declared, `at`).
 */
export function hashOf(layout: Placement): bigint {
  return fingerprint(signature(layout));
}

/** 64-bit FNV-1a of a text. */
export function fingerprint(text: string): bigint {
  return fnv1a(new TextEncoder().encode(text));
}

/** All that two parties must agree on, as text; names hold none of its punctuation. */
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

/** The fingerprint as it is written in C and by the inspector. */
export function hexHash(hash: bigint): string {
  return `0x${hash.toString(16).padStart(16, "0")}`;
}
