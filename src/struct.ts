/**
 * Structs, arrays and scalars as types of messages.
 *
 * @module
 */

import { byteLengthOf, dataOf } from "./arrays.ts";
import { type Codec, withForm } from "./codec.ts";
import { CorruptRegionError } from "./errors.ts";
import { describeFieldType, describeLayout, singleName } from "./layout/describe.ts";
import {
  type AnyLayout,
  array as arrayField,
  type ArrayType,
  type Declarations,
  typeName,
} from "./layout/fields.ts";
import { gapsOf, zeroGaps } from "./layout/gaps.ts";
import type { Copied, InputOf, Seen, Stored, ValueOf, ViewOf } from "./layout/inference.ts";
import { DeclaredLayout, type Layout, layout, type LayoutOptions } from "./layout/layout.ts";
import type { Scalar } from "./layout/scalars.ts";
import {
  checkValue,
  loadFields,
  loadValue,
  misfit,
  stepsOf,
  storeFields,
  storeValue,
} from "./layout/values.ts";
import type { MessageType } from "./region/header.ts";

/**
 * A struct: the layout of its fields, accessors to them in memory, and the type of messages with
 * these fields.
 */
export interface Struct<F extends Declarations>
  extends Layout<F>, Codec<ValueOf<F>, InputOf<F>, ViewOf<F>> {
  /** The number of bytes of every message. */
  readonly sizeBytes: number;
  /** Returns accessors that read and write the fields in place, in `bytes` at `offset`. */
  view(bytes: Uint8Array, offset?: number): ViewOf<F>;
}

/** The codec of values of exactly `size` bytes, as one object with its form. */
interface Fixed<T> {
  readonly name: string;
  readonly size: number;
  store(data: DataView, at: number, value: unknown): void;
  load(data: DataView, at: number): T;
}

/** Makes the codec members of a type of fixed size. */
function fixed<T, I>(type: MessageType, { name, size, store, load }: Fixed<T>) {
  return {
    type,
    sizeBytes: size,
    transient: true,
    encode(value: I, into: Uint8Array<ArrayBuffer>): number {
      const length = byteLengthOf(into, "write to", name);
      if (length < size) {
        throw new RangeError(
          `Cannot encode "${name}" into ${length} bytes: it takes ${size}; pass a larger array`,
        );
      }
      store(dataOf(into, 0, size), 0, value);
      return size;
    },
    decode(bytes: Uint8Array<ArrayBuffer>): T {
      if (bytes.length === size) return load(dataOf(bytes, 0, size), 0);
      throw new CorruptRegionError(
        `Cannot read a message as "${name}": it has ${bytes.length} bytes, not ${size}`,
      );
    },
  };
}

/** The functions that store and load the values of a layout. */
function fieldsOf<T>(layout: AnyLayout): Fixed<T> {
  const steps = stepsOf(layout);
  const gaps = gapsOf(layout);
  return {
    name: layout.name,
    size: layout.size,
    load: (data, at) => loadFields(steps, data, at) as T,
    store: (data, at, value) => {
      if (gaps.length > 0) zeroGaps(gaps, data, at);
      if (!storeFields(steps, data, at, value)) throw misfit(layout, value);
    },
  };
}

/**
 * Declares a struct: the type of messages with these fields, and accessors to the fields in memory.
 * Fields have the offsets that C gives the members of a struct, unless `at` states another one.
 * `line: true` gives an atomic word a cache line of its own. Throws a TypeError or a RangeError
 * that says why a declaration is invalid.
 *
 * @example Messages with fields
 * ```ts
 * import { array, struct, text } from "@vring/vring";
 *
 * const Pose = struct("pose", { x: "f32", y: "f32" });
 * const Imu = struct("imu", {
 *   time: "f64",
 *   valid: "bool",
 *   accel: array("f32", 3),
 *   label: text(16),
 *   pose: Pose,
 * }, { version: 2 });
 *
 * const memory = new Uint8Array(Imu.size);
 * const imu = Imu.view(memory);
 * imu.time = 1.5;
 * imu.accel.set([0, 0, 9.81]);
 * imu.label = "left wing";
 * imu.pose.x = 3;
 * console.log(Imu.read(memory).label, Imu.size, Imu.toC());
 * ```
 *
 * @param name The name, an identifier; both sides must use the same.
 * @param fields The fields by name: a type, or options with a `type` in them.
 * @param options The version.
 */
export function struct<const F extends Declarations>(
  name: string,
  fields: F,
  options?: LayoutOptions,
): Struct<F> {
  return structOf(layout(name, fields, options));
}

/** Makes a layout the type of messages too. */
export function structOf<F extends Declarations>(layout: Layout<F>): Struct<F> {
  const declared = new DeclaredLayout<F>(layout);
  const { name, hash } = declared;
  const type = { name, hash, description: describeLayout(declared) };
  const parts = fieldsOf<ValueOf<F>>(declared);
  const made = Object.assign(declared, fixed<ValueOf<F>, InputOf<F>>(type, parts));
  return withForm(made, { kind: "struct", ...parts });
}

/** An array of fixed length, as a field of a struct or as the type of messages. */
export interface ArrayOf<E extends Scalar | AnyLayout>
  extends ArrayType<E>, Codec<Copied<ArrayType<E>>, Stored<ArrayType<E>>, Seen<ArrayType<E>>> {
  /** The number of bytes of every message. */
  readonly sizeBytes: number;
}

/**
 * Makes the type of an array of `length` elements, for a field of a struct or for messages. If the
 * elements are scalars, senders pass any array and receivers get a typed array.
 *
 * @example A field and messages
 * ```ts
 * import { array, struct } from "@vring/vring";
 *
 * const Scan = struct("scan", { time: "f64", ranges: array("f32", 360) });
 * const Tensor = array("f32", 1024); // topic("tensors", { type: Tensor })
 * console.log(Scan.size, Tensor.sizeBytes); // 1448 4096
 * ```
 */
export function array<E extends Scalar | AnyLayout>(element: E, length: number): ArrayOf<E> {
  const field = arrayField(element, length);
  const { parts, type, inner } = single(field);
  return withForm({
    ...field,
    ...fixed<Copied<ArrayType<E>>, Stored<ArrayType<E>>>(
      type,
      parts as Fixed<Copied<ArrayType<E>>>,
    ),
    view: (bytes: Uint8Array<ArrayBuffer>) =>
      (inner.view(bytes) as { value: unknown }).value as Seen<ArrayType<E>>,
  }, { kind: "struct", ...parts });
}

/** Describes messages of one value as a struct with the field "value". */
function single(field: Scalar | ArrayType) {
  const inner = layout(singleName(describeFieldType(field)), { value: field });
  const name = typeName(field);
  const type = { name, hash: inner.hash, description: describeLayout(inner) };
  const parts: Fixed<unknown> = {
    name,
    size: inner.size,
    load: (data, at) => loadValue(field, data, at),
    store: (data, at, value) => {
      if (storeValue(field, data, at, value)) return;
      checkValue(field, value, name);
      throw new TypeError(
        `Cannot write ${name}: the value changes while it is read; pass plain values`,
      );
    },
  };
  return { inner, type, parts };
}

const scalars = new Map<Scalar, Codec<unknown>>();

/** Returns the codec of messages that are one scalar. */
export function scalarCodec(scalar: Scalar): Codec<unknown> {
  const known = scalars.get(scalar);
  if (known !== undefined) return known;
  const { type, parts } = single(scalar);
  const made = withForm(fixed<unknown, unknown>(type, parts), { kind: "struct", ...parts });
  scalars.set(scalar, made);
  return made;
}
