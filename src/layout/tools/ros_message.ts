/**
 * A layout as the definition of a ROS 2 message, so that tools for ROS read its bytes.
 *
 * Behind a head of four bytes, CDR places numbers as C does: each at a multiple of its size, from the
 * byte after the head. The bytes of a layout are therefore a message of CDR, once each hole between
 * its fields has a name: `uint8[4] pad0`.
 *
 * @module
 */

import {
  type AnyLayout,
  type ArrayType,
  byOffset,
  type FieldType,
  isArray,
  isLayout,
} from "../fields.ts";
import type { Scalar } from "../scalars.ts";

const ROS: Readonly<Record<Scalar, string>> = {
  u8: "uint8",
  u16: "uint16",
  u32: "uint32",
  u64: "uint64",
  i8: "int8",
  i16: "int16",
  i32: "int32",
  i64: "int64",
  f32: "float32",
  f64: "float64",
  bool: "bool",
};

/** The head of a message of CDR with little-endian numbers. */
export const CDR_HEAD: Uint8Array<ArrayBuffer> = new Uint8Array([0, 1, 0, 0]);

/** Returns the name of the message type of a layout, such as `vring/msg/Pose`. */
export function rosName({ name }: Pick<AnyLayout, "name">): string {
  return `vring/msg/${typeName(name)}`;
}

/** Writes the definition of a layout, and of the layouts in it. */
export function toRosMessage(layout: AnyLayout): string {
  const inner = new Map<bigint, AnyLayout>();
  collect(layout, inner);
  inner.delete(layout.hash);
  const rule = "=".repeat(80);
  const others = [...inner.values()].map((one) =>
    `${rule}\nMSG: vring/${typeName(one.name)}\n${fieldsOf(one)}`
  );
  return [fieldsOf(layout), ...others].join("");
}

/** Types begin with a capital letter and have no underscores. */
function typeName(name: string): string {
  return name.replace(/(^|_)([A-Za-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
}

function collect(layout: AnyLayout, found: Map<bigint, AnyLayout>): void {
  if (found.has(layout.hash)) return;
  found.set(layout.hash, layout);
  for (const { shape } of Object.values(layout.fields)) {
    const inner = isArray(shape) ? shape.element : shape;
    if (isLayout(inner)) collect(inner, found);
  }
}

function fieldsOf(layout: AnyLayout): string {
  let [end, pads, text] = [0, 0, ""];
  const pad = (to: number) => {
    if (to > end) text += `uint8[${to - end}] pad${pads++}\n`;
  };
  for (const { name, shape, offset, size } of byOffset(layout)) {
    pad(offset);
    text += `${fieldType(shape)} ${name}\n`;
    end = offset + size;
  }
  pad(layout.size);
  return text;
}

function fieldType(shape: FieldType): string {
  if (typeof shape === "string") return ROS[shape];
  if (isLayout(shape)) return `vring/${typeName(shape.name)}`;
  if (isArray(shape)) return arrayType(shape);
  return `uint8[${shape.size}]`;
}

function arrayType({ element, length }: ArrayType): string {
  return `${fieldType(element)}[${length}]`;
}
