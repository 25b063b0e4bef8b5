/**
 * What a layout is declared with, and what a field is once it has its place.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { isScalar, type Scalar, SCALARS, type Word } from "./scalars.ts";

/** The largest layout, or part of one, in bytes: 1 GiB, as of every ring. */
const SIZE_MAX = 2 ** 30;

/** Bytes that mean nothing to the layout. */
export interface BytesType {
  /** Tells the types apart. */
  readonly kind: "bytes";
  /** How many bytes. */
  readonly size: number;
}

/** Text as UTF-8, the rest of its room filled with NUL. */
export interface TextType {
  /** Tells the types apart. */
  readonly kind: "text";
  /** The room in bytes; a text may fill it to the last. */
  readonly size: number;
}

/** Several of one scalar or layout, one after the other. */
export interface ArrayType<E extends Scalar | AnyLayout = Scalar | AnyLayout> {
  /** Tells the types apart. */
  readonly kind: "array";
  /** What there are several of. */
  readonly element: E;
  /** How many there are. */
  readonly length: number;
}

/** What a field can be. */
export type FieldType = Scalar | BytesType | TextType | ArrayType | AnyLayout;

/** A field with more to say than its type. */
export interface FieldOptions {
  /** What the field is. */
  readonly type: FieldType;
  /** The offset from the beginning of the layout; by default the next that is free. */
  readonly at?: number;
  /** What the field means, for the table, the header and the inspector. */
  readonly doc?: string;
  /** Only "u32", "i32" and "u64" can be atomic. */
  readonly atomic?: false;
  /** Only "u32", "i32" and "u64" can have a line. */
  readonly line?: false;
}

/** A scalar that may be an atomic word. */
export interface WordOptions {
  /** What the field is. */
  readonly type: Word;
  /** The offset from the beginning of the layout; by default the next that is free. */
  readonly at?: number;
  /** What the field means, for the table, the header and the inspector. */
  readonly doc?: string;
  /** Several parties use the word at once, all of them with atomic operations. */
  readonly atomic?: boolean;
  /** The word is atomic and has a 64-byte cache line for itself. */
  readonly line?: boolean;
}

/** The fields of a layout by name, as declared. */
export type Declarations = Readonly<Record<string, FieldType | FieldOptions | WordOptions>>;

/** A field in its place. */
export interface Field {
  /** The name in the layout, such as `sequence`. */
  readonly name: string;
  /** The name with that of the layout, such as `imu.sequence`. */
  readonly path: string;
  /** The type in words, such as `u32`, `f32[3]`, `text(16)` or `pose[4]`. */
  readonly type: string;
  /** The type as declared. */
  readonly shape: FieldType;
  /** Bytes from the beginning of the layout. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** Whether it is used with atomic operations. */
  readonly atomic: boolean;
  /** Whether it has a 64-byte line for itself. */
  readonly line: boolean;
  /** What it means; empty if nothing was said. */
  readonly doc: string;
}

/** What all layouts have in common, whatever their fields. */
export interface AnyLayout {
  /** Tells the types apart. */
  readonly kind: "layout";
  /** The name. */
  readonly name: string;
  /** The version. */
  readonly version: number;
  /** Bytes, a multiple of the alignment. */
  readonly size: number;
  /** What its place must be a multiple of, in bytes. */
  readonly alignment: number;
  /** A fingerprint of all that two parties must agree on. */
  readonly hash: bigint;
  /** The fields by name, in the order declared. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Accessors over memory. */
  view(bytes: Uint8Array, offset?: number): unknown;
  /** A copy of the values. */
  read(bytes: Uint8Array, offset?: number): unknown;
  /** Stores the values. */
  write(bytes: Uint8Array, value: never, offset?: number): void;
}

/** Where the fields are, which is all that the other files of this folder need to know. */
export type Placement = Pick<AnyLayout, "name" | "version" | "size" | "alignment" | "fields">;

/** A type of `size` bytes. */
export function bytes(size: number): BytesType {
  checkCount(size, `bytes(${inWords(size)})`);
  return Object.freeze({ kind: "bytes", size });
}

/** A type of text in `size` bytes. */
export function text(size: number): TextType {
  checkCount(size, `text(${inWords(size)})`);
  return Object.freeze({ kind: "text", size });
}

/** A type of `length` elements. */
export function array<E extends Scalar | AnyLayout>(element: E, length: number): ArrayType<E> {
  if (!isScalar(element) && !isLayout(element)) {
    throw new TypeError(
      "Cannot declare an array: its elements are neither scalars nor a layout; " +
        "put what they hold into a layout",
    );
  }
  const type: ArrayType<E> = Object.freeze({ kind: "array", element, length });
  checkCount(length, typeName(type));
  checkSize(sizeOf(type), `declare ${typeName(type)}`);
  return type;
}

function checkCount(count: number, what: string): void {
  if (Number.isInteger(count) && count > 0 && count <= SIZE_MAX) return;
  throw new RangeError(
    `Cannot declare ${what}: the number is not an integer from 1 to ${SIZE_MAX}; pass one that is`,
  );
}

/** Throws if something is larger than anything may be. */
export function checkSize(size: number, action: string): void {
  if (size <= SIZE_MAX) return;
  throw new RangeError(
    `Cannot ${action}: it takes ${size} bytes and ${SIZE_MAX} are the limit; make it smaller`,
  );
}

/** Whether the type is that of nested layouts. */
export function isLayout(type: unknown): type is AnyLayout {
  return typeof type === "object" && type !== null && "kind" in type && type.kind === "layout";
}

/** Whether the type is that of an array. */
export function isArray(type: FieldType): type is ArrayType {
  return typeof type === "object" && type.kind === "array";
}

/** Whether a field can be that. */
export function isFieldType(type: unknown): type is FieldType {
  if (isScalar(type) || isLayout(type)) return true;
  if (typeof type !== "object" || type === null || !("kind" in type)) return false;
  return type.kind === "bytes" || type.kind === "text" || type.kind === "array";
}

/** The type in words. */
export function typeName(type: FieldType): string {
  if (typeof type === "string") return type;
  if (type.kind === "layout") return type.name;
  if (type.kind === "array") return `${typeName(type.element)}[${inWords(type.length)}]`;
  return `${type.kind}(${type.size})`;
}

/** How many bytes a type takes. */
export function sizeOf(type: FieldType): number {
  if (typeof type === "string") return SCALARS[type].size;
  if (type.kind === "array") return sizeOf(type.element) * type.length;
  return type.size;
}

/** What the offset of a type must be a multiple of. */
export function alignmentOf(type: FieldType): number {
  if (typeof type === "string") return SCALARS[type].size;
  if (type.kind === "array") return alignmentOf(type.element);
  return type.kind === "layout" ? type.alignment : 1;
}

/** The fields of a layout from the first byte to the last, whatever the order declared. */
export function byOffset(layout: Placement): Field[] {
  return Object.values(layout.fields).sort((a, b) => a.offset - b.offset);
}
