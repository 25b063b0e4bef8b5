/**
 * Images and point clouds in messages, which no type names: they are recognised by their fields.
 *
 * A struct is an image if it has whole numbers `width` and `height` and bytes named `data`, `pixels`
 * or `image`; a text `encoding` or `format`, and a number `step` or `stride`, are optional. With a
 * text `format` or `encoding` and without sizes, its bytes are a file such as a JPEG. A struct is a
 * point cloud if it has an array of structs with numbers `x` and `y`; a number `count` says how many
 * of them are used. For a type that lacks the sizes, a hint states them.
 *
 * The fields of a message are assertions of a peer: an image that does not lie within its bytes is
 * undefined.
 *
 * @module
 */

import { numberAt } from "../inspect/leaves.ts";
import {
  type AnyLayout,
  byOffset,
  type Field,
  type FieldType,
  isArray,
  isLayout,
} from "../layout/fields.ts";
import type { Scalar } from "../layout/scalars.ts";

/** Pixels, or the file of an image. */
export interface Picture {
  /** The form of the pixels, such as `mono8`, `rgb8` or `jpeg`. */
  readonly encoding: string;
  readonly width: number;
  readonly height: number;
  /** The bytes from one row to the next; 0 for a file. */
  readonly step: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The size and the form of images whose type does not state them. */
export interface PictureHint {
  /** The width in pixels. */
  readonly width: number;
  /** The height in pixels. */
  readonly height: number;
  /** The form of the pixels, such as `rgb8`; by default by the bytes per pixel. */
  readonly encoding?: string | undefined;
}

/** Finds the image in a message; undefined if it has none. */
export type PictureReader = (message: Uint8Array<ArrayBuffer>) => Picture | undefined;

/** The bytes per pixel of the forms that this package knows. */
export const PIXEL_BYTES: Readonly<Record<string, number>> = {
  mono8: 1,
  "8UC1": 1,
  mono16: 2,
  "16UC1": 2,
  rgb8: 3,
  bgr8: 3,
  "8UC3": 3,
  rgba8: 4,
  bgra8: 4,
};

/** The first bytes of the files of images. */
const FILES: readonly (readonly [format: string, at: number, bytes: string])[] = [
  ["jpeg", 0, "ffd8ff"],
  ["png", 0, "89504e47"],
  ["webp", 8, "57454250"],
];

/** Recognises the file of an image by its first bytes. */
export function fileFormat(bytes: Uint8Array): string | undefined {
  return FILES.find(([, at, hex]) => bytes.subarray(at, at + hex.length / 2).toHex() === hex)?.[0];
}

/** Reads messages that are the file of an image, without a struct around it. */
export function readFile(message: Uint8Array<ArrayBuffer>): Picture | undefined {
  const encoding = fileFormat(message);
  return encoding === undefined
    ? undefined
    : { encoding, width: 0, height: 0, step: 0, data: message };
}

/** Returns the reader of the images in a struct; undefined if it is none. */
export function pictureReader(layout: AnyLayout, hint?: PictureHint): PictureReader | undefined {
  const fields = byOffset(layout);
  const named = (names: readonly string[]) => fields.find(({ name }) => names.includes(name));
  const whole = (...names: string[]) => {
    const field = named(names);
    return field !== undefined && isWhole(field.shape) ? field : undefined;
  };
  const text = (...names: string[]) => {
    const field = named(names);
    return field !== undefined && isText(field.shape) ? field : undefined;
  };
  const data = named(["data", "pixels", "image"]) ?? (hint && largest(fields));
  if (data === undefined || bytesPerElement(data.shape) === undefined) return undefined;
  const [width, height] = [whole("width"), whole("height")];
  const form = text("encoding", "format");
  if (hint !== undefined || width !== undefined && height !== undefined) {
    const step = whole("step", "stride");
    return (message) => {
      const view = viewOf(message);
      const w = hint?.width ?? numberIn(view, width!);
      const h = hint?.height ?? numberIn(view, height!);
      if (w === undefined || h === undefined) return undefined;
      const stated = hint?.encoding ?? (form && textIn(message, form));
      return pixels(message, data, w, h, stated || undefined, step && numberIn(view, step));
    };
  }
  if (form === undefined) return undefined;
  const length = whole("length", "size", "bytes");
  return (message) => {
    const size = length === undefined ? data.size : numberIn(viewOf(message), length);
    if (size === undefined || size > data.size) return undefined;
    const file = message.subarray(data.offset, data.offset + size);
    return readFile(file);
  };
}

/** Whether the images of a struct are files, such as JPEG, and no pixels. */
export function hasFiles({ fields }: AnyLayout): boolean {
  return fields.width === undefined || fields.height === undefined;
}

function pixels(
  message: Uint8Array<ArrayBuffer>,
  { offset, size }: Field,
  width: number,
  height: number,
  stated: string | undefined,
  statedStep: number | undefined,
): Picture | undefined {
  const area = width * height;
  if (!(area > 0)) return undefined;
  const encoding = stated ?? ["", "mono8", "mono16", "rgb8", "rgba8"][Math.floor(size / area)];
  if (encoding === undefined || !Object.hasOwn(PIXEL_BYTES, encoding)) return undefined;
  const each = PIXEL_BYTES[encoding]!;
  const step = statedStep || width * each;
  const length = step * height;
  if (step < width * each || length > size || offset + length > message.length) return undefined;
  return {
    encoding,
    width,
    height,
    step,
    data: message.subarray(offset, offset + length),
  };
}

/** The points of a message. */
export interface Cloud {
  /** The bytes from one point to the next. */
  readonly stride: number;
  /** The numbers of a point, with their offsets in it. */
  readonly fields: readonly { readonly name: string; scalar: Scalar; offset: number }[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Finds the points in a message; undefined if its count cannot be. */
export type CloudReader = (message: Uint8Array<ArrayBuffer>) => Cloud | undefined;

/** Returns the reader of the point cloud in a struct; undefined if it has none. */
export function cloudReader(layout: AnyLayout): CloudReader | undefined {
  for (const { shape, offset, size } of byOffset(layout)) {
    if (!isArray(shape) || !isLayout(shape.element)) continue;
    const fields = byOffset(shape.element).flatMap(({ name, shape, offset }) =>
      typeof shape === "string" ? [{ name, scalar: shape, offset }] : []
    );
    if (!["x", "y"].every((name) => fields.some((field) => field.name === name))) continue;
    const stride = shape.element.size;
    const count = Object.values(layout.fields).find(({ name, shape }) =>
      name === "count" && isWhole(shape)
    );
    return (message) => {
      const used = count === undefined ? shape.length : numberIn(viewOf(message), count);
      if (used === undefined || !(used >= 0 && used <= shape.length)) return undefined;
      if (offset + size > message.length) return undefined;
      return { stride, fields, data: message.subarray(offset, offset + used * stride) };
    };
  }
  return undefined;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>) =>
  new DataView(buffer, byteOffset, length);

function numberIn(view: DataView, { shape, offset }: Field): number | undefined {
  return numberAt(view, shape as Scalar, offset);
}

function textIn(message: Uint8Array, { offset, size }: Field): string {
  const bytes = message.subarray(offset, offset + size);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

const isWhole = (shape: FieldType) => typeof shape === "string" && /^[ui](8|16|32|64)$/.test(shape);

const isText = (shape: FieldType) =>
  typeof shape === "object" && "kind" in shape && shape.kind === "text";

/** The bytes of each element of a field that can hold pixels. */
function bytesPerElement(shape: FieldType): number | undefined {
  if (typeof shape === "string" || isLayout(shape)) return undefined;
  if (shape.kind === "bytes") return 1;
  if (!isArray(shape)) return undefined;
  return { u8: 1, u16: 2 }[shape.element as string];
}

function largest(fields: readonly Field[]): Field | undefined {
  return fields.filter(({ shape }) => bytesPerElement(shape) !== undefined)
    .sort((a, b) => b.size - a.size)[0];
}
