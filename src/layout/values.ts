/**
 * Copies between memory and plain values. A peer may have written any bytes into the memory:
 * reading returns some value and never throws. Writing checks all values before it stores the
 * first, and each value again as it stores it: a getter may return another one by then.
 *
 * @module
 */

import { byteLengthIn, fill } from "../arguments.ts";
import { type AnyLayout, type ArrayType, type FieldType, sizeOf } from "./fields.ts";
import { isScalar, type Scalar, SCALARS, wrongType } from "./scalars.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true }); // keeps a BOM

type Fields = Record<string, unknown>;
type Elements = ArrayLike<never>;

/** Copies the value of a type out of memory at `at`. */
export function loadValue(type: FieldType, data: DataView, at: number): unknown {
  if (typeof type === "string") return SCALARS[type].load(data, at);
  switch (type.kind) {
    case "bytes":
      return copyOf(data, at, type.size);
    case "text":
      return loadText(data, at, type.size);
    case "array":
      return loadArray(type, data, at);
    case "layout":
      return loadFields(type, data, at);
  }
}

function loadFields(layout: AnyLayout, data: DataView, at: number): Fields {
  const value: Fields = {};
  for (const name in layout.fields) {
    const { shape, offset } = layout.fields[name]!;
    value[name] = loadValue(shape, data, at + offset);
  }
  return value;
}

/** Decodes the text up to its first NUL; invalid UTF-8 becomes U+FFFD. */
export function loadText(data: DataView, at: number, size: number): string {
  // Decoded once and then searched, as a peer may be writing.
  const text = DECODER.decode(bytesAt(data, at, size));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function loadArray({ element, length }: ArrayType, data: DataView, at: number): unknown {
  const size = sizeOf(element);
  if (isScalar(element)) {
    return new SCALARS[element].Array(copyOf(data, at, length * size).buffer);
  }
  const values: Fields[] = [];
  for (let index = 0; index < length; index++) {
    values.push(loadFields(element, data, at + index * size));
  }
  return values;
}

function copyOf(data: DataView, at: number, size: number): Uint8Array<ArrayBuffer> {
  return bytesAt(data, at, size).slice();
}

function bytesAt(data: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset + at, size);
}

/** Throws unless the value can be stored as this type; `path` names it in the message. */
export function checkValue(type: FieldType, value: unknown, path: string): void {
  if (typeof type === "string") return SCALARS[type].check(value, path);
  switch (type.kind) {
    case "bytes":
      return void checkedBytes(value, type.size, path);
    case "text":
      return checkText(value, type.size, path);
    case "array":
      return checkArray(type, value, path);
    case "layout":
      return checkFields(type, value, path);
  }
}

function checkFields(layout: AnyLayout, value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) throw wrongType(value, path, "an object");
  for (const name in layout.fields) {
    checkValue(layout.fields[name]!.shape, (value as Fields)[name], `${path}.${name}`);
  }
}

function checkArray({ element, length }: ArrayType, value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) throw wrongType(value, path, "an array");
  const count = countIn(element, value);
  if (count !== undefined) return checkLength(count, length, path); // every element fits
  const values = value as ArrayLike<unknown>;
  checkLength(values.length, length, path);
  for (let index = 0; index < length; index++) {
    checkValue(element, values[index], `${path}[${index}]`);
  }
}

/** How many elements a typed array of just this element has; undefined for anything else. */
function countIn(element: ArrayType["element"], value: unknown): number | undefined {
  if (!isScalar(element)) return undefined;
  const { Array: { name }, size } = SCALARS[element];
  const bytes = byteLengthIn(value, name);
  return bytes === undefined ? undefined : bytes / size;
}

/** Bytes of the right number, whatever their own `length` says. */
function checkedBytes(value: unknown, size: number, path: string): Uint8Array {
  const count = countIn("u8", value);
  if (count === undefined) throw wrongType(value, path, "a Uint8Array");
  checkLength(count, size, path);
  return value as Uint8Array;
}

function checkLength(length: number, wanted: number, path: string): void {
  if (length === wanted) return;
  throw new RangeError(
    `Cannot write ${path}: it holds ${wanted} and ${length} were passed; pass all`,
  );
}

/** Throws unless the text reads back the same. */
function checkText(value: unknown, size: number, path: string): void {
  if (typeof value !== "string") throw wrongType(value, path, "a string");
  const problem = (text: string) => new RangeError(`Cannot write ${path}: the text ${text}`);
  if (value.includes("\0")) throw problem("has a NUL in it, which ends a text; remove it");
  if (!value.isWellFormed()) throw problem("has half a character in it; use toWellFormed()");
  if (value.length * 3 <= size) return; // no unit of UTF-16 takes more
  const { length } = ENCODER.encode(value);
  if (length > size) {
    throw problem(`takes ${length} bytes and there is room for ${size}; shorten it`);
  }
}

/** Stores a value; throws at the first part that does not fit. `path` is as for `checkValue`. */
export function storeValue(
  type: FieldType,
  data: DataView,
  at: number,
  value: unknown,
  path: string,
): void {
  if (typeof type === "string") {
    const { check, store } = SCALARS[type];
    check(value, path);
    return store(data, at, value);
  }
  switch (type.kind) {
    case "bytes":
      return fill(bytesAt(data, at, type.size), checkedBytes(value, type.size, path));
    case "text":
      checkText(value, type.size, path);
      return storeText(data, at, type.size, value as string);
    case "array":
      return storeArray(type, data, at, value, path);
    case "layout":
      return storeFields(type, data, at, value, path);
  }
}

function storeFields(
  layout: AnyLayout,
  data: DataView,
  at: number,
  value: unknown,
  path: string,
): void {
  if (typeof value !== "object" || value === null) throw wrongType(value, path, "an object");
  for (const name in layout.fields) {
    const { shape, offset } = layout.fields[name]!;
    storeValue(shape, data, at + offset, (value as Fields)[name], `${path}.${name}`);
  }
}

function storeArray(
  { element, length }: ArrayType,
  data: DataView,
  at: number,
  value: unknown,
  path: string,
): void {
  if (typeof value !== "object" || value === null) throw wrongType(value, path, "an array");
  const size = sizeOf(element);
  const count = countIn(element, value);
  if (count !== undefined) {
    checkLength(count, length, path);
    const { buffer } = new SCALARS[element as Scalar].Array(value as Elements);
    return bytesAt(data, at, length * size).set(new Uint8Array(buffer));
  }
  for (let index = 0; index < length; index++) {
    const next = (value as ArrayLike<unknown>)[index];
    storeValue(element, data, at + index * size, next, `${path}[${index}]`);
  }
}

function storeText(data: DataView, at: number, size: number, value: string): void {
  const room = bytesAt(data, at, size);
  const { written } = ENCODER.encodeInto(value, room);
  room.fill(0, written);
}
