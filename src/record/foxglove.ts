/**
 * Images and point clouds in the messages of Foxglove's schemas, which its panels show.
 *
 * The messages are CDR with a `ros2msg` schema, as all structs in recordings are: numbers stand at
 * multiples of their size after a head of four bytes, texts and sequences behind their length.
 *
 * @module
 */

import type { AnyLayout } from "../layout/fields.ts";
import type { Scalar } from "../layout/scalars.ts";
import { CDR_HEAD } from "../layout/tools/ros_message.ts";
import {
  type Cloud,
  cloudReader,
  hasFiles,
  type Picture,
  type PictureHint,
  pictureReader,
  readFile,
} from "./picture.ts";
import type { Schema } from "./writer.ts";

/** Messages of a topic in one of Foxglove's schemas. */
export interface FoxgloveForm {
  /** What they are; the live view appends it to the name of the topic. */
  readonly what: "image" | "points";
  readonly schema: Schema;
  /** Makes the message; undefined if the sizes in it cannot be. */
  encode(message: Uint8Array<ArrayBuffer>, timeMs: number): Uint8Array<ArrayBuffer> | undefined;
}

/** Returns Foxglove's form of a struct that is an image or a point cloud; undefined for others. */
export function foxgloveForm(
  layout: AnyLayout | undefined,
  hint?: PictureHint,
): FoxgloveForm | undefined {
  if (layout === undefined) return undefined;
  const picture = pictureReader(layout, hint);
  if (picture !== undefined) {
    const isFile = hint === undefined && hasFiles(layout);
    return imageForm(picture, isFile);
  }
  const cloud = cloudReader(layout);
  return cloud && {
    what: "points",
    schema: POINT_CLOUD,
    encode(message, timeMs) {
      const found = cloud(message);
      return found && encodeCloud(found, timeMs);
    },
  };
}

function imageForm(
  read: (message: Uint8Array<ArrayBuffer>) => Picture | undefined,
  isFile: boolean,
): FoxgloveForm {
  return {
    what: "image",
    schema: isFile ? COMPRESSED_IMAGE : RAW_IMAGE,
    encode(message, timeMs) {
      const found = read(message);
      return found && (isFile ? encodeFile(found, timeMs) : encodePixels(found, timeMs));
    },
  };
}

const TIME = "builtin_interfaces/Time timestamp\nstring frame_id\n";

const schemaOf = (name: string, fields: string, others: Record<string, string> = {}): Schema => ({
  name: `foxglove_msgs/msg/${name}`,
  encoding: "ros2msg",
  data: Object.entries({
    ...others,
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec\n",
  }).reduce((text, [type, lines]) => `${text}${"=".repeat(80)}\nMSG: ${type}\n${lines}`, fields),
});

const RAW_IMAGE = schemaOf(
  "RawImage",
  `${TIME}uint32 width\nuint32 height\nstring encoding\nuint32 step\nuint8[] data\n`,
);

const COMPRESSED_IMAGE = schemaOf("CompressedImage", `${TIME}uint8[] data\nstring format\n`);

const POINT_CLOUD = schemaOf(
  "PointCloud",
  `${TIME}geometry_msgs/Pose pose\nuint32 point_stride\nfoxglove_msgs/PackedElementField[] fields\n` +
    "uint8[] data\n",
  {
    "geometry_msgs/Pose": "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n",
    "geometry_msgs/Point": "float64 x\nfloat64 y\nfloat64 z\n",
    "geometry_msgs/Quaternion": "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n",
    "foxglove_msgs/PackedElementField": "string name\nuint32 offset\nuint8 type\n",
  },
);

/** Foxglove's form of messages that are files of images, such as JPEG, without a struct. */
export const FILE_FORM: FoxgloveForm = imageForm(readFile, true);

/** The numbers of PackedElementField; types that are missing cannot be shown. */
const ELEMENT: Partial<Readonly<Record<Scalar, number>>> = {
  u8: 1,
  i8: 2,
  u16: 3,
  i16: 4,
  u32: 5,
  i32: 6,
  f32: 7,
  f64: 8,
};

function encodePixels(picture: Picture, timeMs: number): Uint8Array<ArrayBuffer> {
  const { width, height, encoding, step, data } = picture;
  return new Cdr(data.length + 128).stamp(timeMs)
    .u32(width).u32(height).text(encoding).u32(step).bytes(data).done();
}

function encodeFile({ data, encoding }: Picture, timeMs: number): Uint8Array<ArrayBuffer> {
  return new Cdr(data.length + 128).stamp(timeMs).bytes(data).text(encoding).done();
}

function encodeCloud({ stride, fields, data }: Cloud, timeMs: number): Uint8Array<ArrayBuffer> {
  const shown = fields.filter(({ scalar }) => ELEMENT[scalar] !== undefined);
  const cdr = new Cdr(data.length + 256 + 96 * shown.length).stamp(timeMs);
  for (const value of [0, 0, 0, 0, 0, 0, 1]) cdr.f64(value); // no offset, no rotation
  cdr.u32(stride).u32(shown.length);
  for (const { name, offset, scalar } of shown) cdr.text(name).u32(offset).u8(ELEMENT[scalar]!);
  return cdr.bytes(data).done();
}

/** Writes a message of CDR. */
class Cdr {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #data: DataView;
  #at = CDR_HEAD.length;

  constructor(mostBytes: number) {
    this.#bytes = new Uint8Array(mostBytes);
    this.#data = new DataView(this.#bytes.buffer);
    this.#bytes.set(CDR_HEAD);
  }

  /** Returns the offset of the next number of this size. */
  #place(size: number): number {
    const from = this.#at - CDR_HEAD.length;
    const at = CDR_HEAD.length + Math.ceil(from / size) * size;
    this.#at = at + size;
    return at;
  }

  u8(value: number): this {
    this.#data.setUint8(this.#place(1), value);
    return this;
  }

  u32(value: number): this {
    this.#data.setUint32(this.#place(4), value, true);
    return this;
  }

  f64(value: number): this {
    this.#data.setFloat64(this.#place(8), value, true);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.u32(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** A text, with the NUL that its length counts. */
  text(value: string): this {
    return this.bytes(new TextEncoder().encode(`${value}\0`));
  }

  /** The time, and an empty frame. */
  stamp(timeMs: number): this {
    const seconds = Math.floor(timeMs / 1000);
    return this.u32(seconds).u32(Math.floor((timeMs - seconds * 1000) * 1e6)).text("");
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }
}
