/**
 * The types of fields, as declared, and the fields in their places.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { isScalar, type Scalar, scalarSize, type Word } from "./scalars.ts";

/** The largest layout, or part of one, in bytes: 1 GiB, as for every ring. */
const SIZE_MAX = 2 ** 30;

/** Bytes that the layout does not interpret. */
export interface BytesType {
  /** Tells the types apart. */
  readonly kind: "bytes";
  /** The number of bytes. */
  readonly size: number;
}

/** Text as UTF-8, padded with NUL. */
export interface TextType {
  /** Tells the types apart. */
  readonly kind: "text";
  /** The size in bytes; a text may fill it completely. */
  readonly size: number;
}

/** An array of one scalar or layout. */
export interface ArrayType<E extends Scalar | AnyLayout = Scalar | AnyLayout> {
  /** Tells the types apart. */
  readonly kind: "array";
  /** The type of the elements. */
  readonly element: E;
  /** The number of elements. */
  readonly length: number;
}

/** The types that a field can have. */
export type FieldType = Scalar | BytesType | TextType | ArrayType | AnyLayout;

/** A field with options besides its type, such as its offset. */
export interface FieldOptions {
  /** The type of the field. */
  readonly type: FieldType;
  /** The offset from the beginning of the layout; by default the next free one. */
  readonly at?: number | undefined;
  /** The meaning of the field, for the table, the C header and the definition. */
  readonly doc?: string | undefined;
  /** Only "u32", "i32" and "u64" can be atomic. */
  readonly atomic?: false | undefined;
  /** Only "u32", "i32" and "u64" can have a line. */
  readonly line?: false | undefined;
}

/** A field of type "u32", "i32" or "u64" with options, which may make it an atomic word. */
export interface WordOptions {
  /** The type of the field. */
  readonly type: Word;
  /** The offset from the beginning of the layout; by default the next free one. */
  readonly at?: number | undefined;
  /** The meaning of the field, for the table, the C header and the definition. */
  readonly doc?: string | undefined;
  /** Whether several parties use the word at once, all with atomic operations. */
  readonly atomic?: boolean | undefined;
  /** Whether the word is atomic and has a 64-byte cache line for itself. */
  readonly line?: boolean | undefined;
}

/** The fields of a layout by name, as declared. */
export type Declarations = Readonly<Record<string, FieldType | FieldOptions | WordOptions>>;

/** A field of a layout, with its offset and size. */
export interface Field {
  /** The name in the layout, such as `sequence`. */
  readonly name: string;
  /** The name after that of the layout, such as `imu.sequence`. */
  readonly path: string;
  /** The type in words, such as `u32`, `f32[3]`, `text(16)` or `pose[4]`. */
  readonly type: string;
  /** The type as declared. */
  readonly shape: FieldType;
  /** The offset in bytes from the beginning of the layout. */
  readonly offset: number;
  /** The size in bytes. */
  readonly size: number;
  /** Whether all parties use it with atomic operations. */
  readonly atomic: boolean;
  /** Whether it has a 64-byte line for itself. */
  readonly line: boolean;
  /** The meaning of the field; empty if it was not declared. */
  readonly doc: string;
}

/** The members that all layouts share, whatever their fields. */
export interface AnyLayout {
  /** Tells the types apart. */
  readonly kind: "layout";
  /** The name. */
  readonly name: string;
  /** The version. */
  readonly version: number;
  /** The size in bytes, a multiple of the alignment. */
  readonly size: number;
  /** The alignment of the layout in bytes. */
  readonly alignment: number;
  /** A fingerprint of everything that two parties must agree on. */
  readonly hash: bigint;
  /** The fields by name, in the order declared. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Returns accessors that read and write the fields in place. */
  view(bytes: Uint8Array, offset?: number): unknown;
  /** Returns a copy of all values. */
  read(bytes: Uint8Array, offset?: number): unknown;
  /** Stores a value for every field. */
  write(bytes: Uint8Array, value: never, offset?: number): void;
}

/** The places of the fields, the only part that the other files of this folder need. */
export type Placement = Pick<AnyLayout, "name" | "version" | "size" | "alignment" | "fields">;

/** Makes a type of `size` bytes. */
export function bytes(size: number): BytesType {
  checkCount(size, `bytes(${inWords(size)})`);
  return Object.freeze({ kind: "bytes", size });
}

/** Makes a type of text in `size` bytes. */
export function text(size: number): TextType {
  checkCount(size, `text(${inWords(size)})`);
  return Object.freeze({ kind: "text", size });
}

/** Makes a type of `length` elements. */
export function array<E extends Scalar | AnyLayout>(element: E, length: number): ArrayType<E> {
  if (!isScalar(element) && !isLayout(element)) {
    throw new TypeError(
      `Cannot declare an array of ${kindOf(element)}: its elements are scalars or a struct; put ` +
        "other types into a struct",
    );
  }
  const type: ArrayType<E> = Object.freeze({ kind: "array", element, length });
  checkCount(length, typeName(type));
  checkSize(sizeOf(type), `declare ${typeName(type)}`);
  return type;
}

/** Throws unless a number can be the number of bytes or elements of a type. */
export function checkCount(count: number, what: string): void {
  if (Number.isInteger(count) && count > 0 && count <= SIZE_MAX) return;
  throw new RangeError(
    `Cannot declare ${what}: the number is not an integer from 1 to ${SIZE_MAX}; pass one that is`,
  );
}

/** Throws if a size is above the limit. */
export function checkSize(size: number, action: string): void {
  if (size <= SIZE_MAX) return;
  throw new RangeError(
    `Cannot ${action}: it takes ${size} bytes and ${SIZE_MAX} are the limit; make it smaller`,
  );
}

/** Whether the type is a nested layout. */
export function isLayout(type: unknown): type is AnyLayout {
  return typeof type === "object" && type !== null && "kind" in type && type.kind === "layout";
}

/** Whether the type is an array. */
export function isArray(type: FieldType): type is ArrayType {
  return typeof type === "object" && type.kind === "array";
}

/** Names a type that may be no field: that of messages, or no type at all. */
export function kindOf(type: unknown): string {
  if (isFieldType(type)) return typeName(type);
  const { name } = Object(Object(type).type) as { name?: unknown };
  return typeof name === "string" ? name : inWords(type);
}

/** Whether a field can have this type. */
export function isFieldType(type: unknown): type is FieldType {
  if (isScalar(type) || isLayout(type)) return true;
  if (typeof type !== "object" || type === null || !("kind" in type)) return false;
  return type.kind === "bytes" || type.kind === "text" || type.kind === "array";
}

/** Writes the type as text. */
export function typeName(type: FieldType): string {
  if (typeof type === "string") return type;
  if (type.kind === "layout") return type.name;
  if (type.kind === "array") return `${typeName(type.element)}[${inWords(type.length)}]`;
  return `${type.kind}(${type.size})`;
}

/** Returns the size of a type in bytes. */
export function sizeOf(type: FieldType): number {
  if (typeof type === "string") return scalarSize(type);
  if (type.kind === "array") return sizeOf(type.element) * type.length;
  return type.size;
}

/** Returns the alignment of a type in bytes. */
export function alignmentOf(type: FieldType): number {
  if (typeof type === "string") return scalarSize(type);
  if (type.kind === "array") return alignmentOf(type.element);
  return type.kind === "layout" ? type.alignment : 1;
}

/** Returns the fields of a layout in the order of their offsets. */
export function byOffset(layout: Placement): Field[] {
  return Object.values(layout.fields).sort((a, b) => a.offset - b.offset);
}
