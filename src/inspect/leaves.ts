/**
 * The numbers in the messages of a struct: where each is, and how to read it without decoding the rest.
 *
 * @module
 */

import {
  type AnyLayout,
  byOffset,
  type FieldType,
  isArray,
  isLayout,
  sizeOf,
} from "../layout/fields.ts";
import type { Scalar } from "../layout/scalars.ts";

/** A number, or a boolean, at a fixed offset of every message. */
export interface Leaf {
  /** The names on the way to it, such as `pose.x` or `ranges.3`. */
  readonly path: string;
  readonly scalar: Scalar;
  readonly offset: number;
}

/** Arrays that are longer have no leaf for each element. */
const LONGEST_ARRAY = 8;

/** Lists the numbers of a layout in the order of their offsets, `most` of them at most. */
export function leavesOf(layout: AnyLayout, most = 256): Leaf[] {
  const found: Leaf[] = [];
  const visit = (shape: FieldType, path: string, offset: number): void => {
    if (found.length >= most) return;
    if (typeof shape === "string") {
      found.push({ path, scalar: shape, offset });
    } else if (isLayout(shape)) {
      const prefix = path === "" ? "" : `${path}.`;
      for (const { name, shape: inner, offset: at } of byOffset(shape)) {
        visit(inner, prefix + name, offset + at);
      }
    } else if (isArray(shape) && shape.length <= LONGEST_ARRAY) {
      const { element, length } = shape;
      const size = sizeOf(element);
      for (let i = 0; i < length; i++) visit(element, `${path}.${i}`, offset + i * size);
    }
  };
  visit(layout, "", 0);
  return found;
}

/** Reads a scalar as a number; undefined where the message ends before it. */
export function numberAt(data: DataView, scalar: Scalar, offset: number): number | undefined {
  return offset + sizeOf(scalar) <= data.byteLength ? READERS[scalar](data, offset) : undefined;
}

const READERS: Readonly<Record<Scalar, (data: DataView, offset: number) => number>> = {
  u8: (data, at) => data.getUint8(at),
  u16: (data, at) => data.getUint16(at, true),
  u32: (data, at) => data.getUint32(at, true),
  u64: (data, at) => Number(data.getBigUint64(at, true)),
  i8: (data, at) => data.getInt8(at),
  i16: (data, at) => data.getInt16(at, true),
  i32: (data, at) => data.getInt32(at, true),
  i64: (data, at) => Number(data.getBigInt64(at, true)),
  f32: (data, at) => data.getFloat32(at, true),
  f64: (data, at) => data.getFloat64(at, true),
  bool: (data, at) => data.getUint8(at) === 0 ? 0 : 1,
};
