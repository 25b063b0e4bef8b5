/**
 * Copies between memory and plain values. A peer may have written any bytes into the memory:
 * reading returns some value and never throws. Storing checks each value as it stores it, stops at
 * the first that does not fit and returns false; `checkValue` then tells which one that is.
 *
 * @module
 */

import { byteLengthIn, fill, partOf } from "../arrays.ts";
import { type AnyLayout, type ArrayType, type FieldType, sizeOf } from "./fields.ts";
import { checkScalar, isScalar, loadScalar, SCALARS, storeScalar, wrongType } from "./scalars.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true }); // keeps a BOM

type Fields = Record<string, unknown>;

/** A field, as the loops below need it. */
export interface Step {
  readonly name: string;
  readonly shape: FieldType;
  readonly offset: number;
}

const cache = new WeakMap<AnyLayout, readonly Step[]>();

/** Returns the fields of a layout in the order declared. */
export function stepsOf(layout: AnyLayout): readonly Step[] {
  const known = cache.get(layout);
  if (known !== undefined) return known;
  const fields = Object.values(layout.fields);
  const steps = fields.map(({ name, shape, offset }) => ({ name, shape, offset }));
  cache.set(layout, steps);
  return steps;
}

/** Copies the value of a type out of memory at `at`. */
export function loadValue(type: FieldType, data: DataView, at: number): unknown {
  if (typeof type === "string") return loadScalar(type, data, at);
  switch (type.kind) {
    case "bytes":
      return copyOf(data, at, type.size);
    case "text":
      return loadText(data, at, type.size);
    case "array":
      return loadArray(type, data, at);
    case "layout":
      return loadFields(stepsOf(type), data, at);
  }
}

/** Copies the values of the fields of a layout. */
export function loadFields(steps: readonly Step[], data: DataView, at: number): Fields {
  const value: Fields = {};
  for (let index = 0; index < steps.length; index++) {
    const { name, shape, offset } = steps[index]!;
    value[name] = typeof shape === "string"
      ? loadScalar(shape, data, at + offset)
      : loadValue(shape, data, at + offset);
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
  const steps = stepsOf(element);
  const values: Fields[] = [];
  for (let index = 0; index < length; index++) {
    values.push(loadFields(steps, data, at + index * size));
  }
  return values;
}

function copyOf(data: DataView, at: number, size: number): Uint8Array<ArrayBuffer> {
  return bytesAt(data, at, size).slice();
}

function bytesAt(data: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset + at, size);
}

/** Stores a value; returns false at the first part that does not fit. */
export function storeValue(type: FieldType, data: DataView, at: number, value: unknown): boolean {
  if (typeof type === "string") return storeScalar(type, data, at, value);
  switch (type.kind) {
    case "bytes":
      if (countIn("u8", value) !== type.size) return false;
      fill(bytesAt(data, at, type.size), value as Uint8Array);
      return true;
    case "text":
      if (typeof value !== "string" || !isText(value, type.size)) return false;
      storeText(data, at, type.size, value);
      return true;
    case "array":
      return storeArray(type, data, at, value);
    case "layout":
      return storeFields(stepsOf(type), data, at, value);
  }
}

/** Stores the values of the fields of a layout, as `storeValue` does. */
export function storeFields(
  steps: readonly Step[],
  data: DataView,
  at: number,
  value: unknown,
): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (let index = 0; index < steps.length; index++) {
    const { name, shape, offset } = steps[index]!;
    const part = (value as Fields)[name];
    const stored = typeof shape === "string"
      ? storeScalar(shape, data, at + offset, part)
      : storeValue(shape, data, at + offset, part);
    if (!stored) return false;
  }
  return true;
}

function storeArray(
  { element, length }: ArrayType,
  data: DataView,
  at: number,
  value: unknown,
): boolean {
  if (typeof value !== "object" || value === null) return false;
  const size = sizeOf(element);
  const count = countIn(element, value);
  if (count !== undefined) {
    if (count !== length) return false;
    bytesAt(data, at, length * size).set(partOf(value as Uint8Array, 0, length * size));
    return true;
  }
  const values = value as ArrayLike<unknown>;
  if (values.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (!storeValue(element, data, at + index * size, values[index])) return false;
  }
  return true;
}

function storeText(data: DataView, at: number, size: number, value: string): void {
  const room = bytesAt(data, at, size);
  const { written } = ENCODER.encodeInto(value, room);
  room.fill(0, written);
}

/** Returns the length of a typed array of exactly this element; undefined for other values. */
function countIn(element: ArrayType["element"], value: unknown): number | undefined {
  if (!isScalar(element)) return undefined;
  const { name, BYTES_PER_ELEMENT: size } = SCALARS[element].Array;
  const bytes = byteLengthIn(value, name);
  return bytes === undefined ? undefined : bytes / size;
}

/** Whether a text fits, and reads back the same. */
function isText(value: string, size: number): boolean {
  if (value.includes("\0") || !value.isWellFormed()) return false;
  return value.length * 3 <= size || ENCODER.encode(value).length <= size; // 3 for a UTF-16 unit
}

/** Throws unless the value can be stored as this type; `path` names it in the message. */
export function checkValue(type: FieldType, value: unknown, path: string): void {
  if (typeof type === "string") return checkScalar(type, value, path);
  switch (type.kind) {
    case "bytes":
      return checkBytes(value, type.size, path);
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
  for (const { name, shape } of stepsOf(layout)) {
    checkValue(shape, (value as Fields)[name], `${path}.${name}`);
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

function checkBytes(value: unknown, size: number, path: string): void {
  const count = countIn("u8", value); // whatever its own `length` says
  if (count === undefined) throw wrongType(value, path, "a Uint8Array");
  checkLength(count, size, path);
}

function checkLength(length: number, wanted: number, path: string): void {
  if (length === wanted) return;
  throw new RangeError(
    `Cannot write ${path}: it holds ${wanted} and ${length} were passed; pass all`,
  );
}

function checkText(value: unknown, size: number, path: string): void {
  if (typeof value !== "string") throw wrongType(value, path, "a string");
  if (isText(value, size)) return;
  const problem = (text: string) => new RangeError(`Cannot write ${path}: the text ${text}`);
  if (value.includes("\0")) throw problem("has a NUL in it, which ends a text; remove it");
  if (!value.isWellFormed()) throw problem("has half a character in it; use toWellFormed()");
  const { length } = ENCODER.encode(value);
  throw problem(`takes ${length} bytes and there is room for ${size}; shorten it`);
}

/** Makes the error for a value that could not be stored. */
export function misfit(layout: AnyLayout, value: unknown): Error {
  checkValue(layout, value, layout.name);
  return new TypeError(
    `Cannot write ${layout.name}: a getter of the value returns something else each time; pass ` +
      "plain values",
  );
}
