/** Images and point clouds: recognised, made smaller, and read by a foreign reader. */

import { parse } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bytes, text } from "../../src/codec.ts";
import { leavesOf, numberAt } from "../../src/inspect/leaves.ts";
import type { AnyLayout } from "../../src/layout/fields.ts";
import { cloudFrame, pictureFrame } from "../../src/live/frame.ts";
import { PICTURE_HEAD, PictureForm } from "../../src/live/protocol.ts";
import { shownOf } from "../../src/live/shown.ts";
import { FILE_FORM, type FoxgloveForm, foxgloveForm } from "../../src/record/foxglove.ts";
import { cloudReader, pictureReader } from "../../src/record/picture.ts";
import { array, struct } from "../../src/struct.ts";
import { Random } from "../random.ts";

const Image = struct("image", {
  number: "u64",
  width: "u32",
  height: "u32",
  encoding: text(8),
  data: bytes(4 * 5 * 3),
});
const Point = struct("point", { x: "f32", y: "f32", z: "f32", level: "u16" });
const Cloud = struct("cloud", { count: "u32", points: array(Point, 6) });
const Photo = struct("photo", { format: text(8), length: "u32", data: bytes(64) });

function encoded(type: AnyLayout, value: unknown): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(type.size);
  type.write(into, value as never);
  return into;
}

const pixels = (count: number) => Uint8Array.from({ length: count }, (_, i) => 3 + i * 7);
const image = (changes: object = {}) =>
  encoded(Image, {
    number: 1n,
    width: 4,
    height: 5,
    encoding: "rgb8",
    data: pixels(60),
    ...changes,
  });

/** Reads a message with the reader of Foxglove's tools. */
// deno-lint-ignore no-explicit-any
function judged({ schema, encode }: FoxgloveForm, message: Uint8Array<ArrayBuffer>): any {
  const reader = new MessageReader(parse(schema.data, { ros2: true }));
  return reader.readMessage(encode(message, 1_700_000_000_250.5)!);
}

Deno.test("an image in a struct becomes a RawImage that Foxglove's reader reads", () => {
  const form = foxgloveForm(Image as AnyLayout)!;
  assertEquals([form.what, form.schema.name], ["image", "foxglove_msgs/msg/RawImage"]);
  const read = judged(form, image());
  assertEquals(read.timestamp, { sec: 1_700_000_000, nanosec: 250_500_000 });
  assertEquals([read.width, read.height, read.encoding, read.step], [4, 5, "rgb8", 12]);
  assertEquals(new Uint8Array(read.data), pixels(60));
});

Deno.test("the file of an image becomes a CompressedImage", () => {
  const file = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
  const data = new Uint8Array(64);
  data.set(file);
  const form = foxgloveForm(Photo as AnyLayout)!;
  const read = judged(form, encoded(Photo, { format: "jpeg", length: 7, data }));
  assertEquals([read.format, new Uint8Array(read.data)], ["jpeg", file]);
  assertEquals(form.schema.name, "foxglove_msgs/msg/CompressedImage");
  assertEquals(judged(FILE_FORM, file).format, "jpeg"); // without a struct around it
  assertEquals(FILE_FORM.encode(new Uint8Array(9), 0), undefined);
});

Deno.test("points in an array become a PointCloud", () => {
  const points = Array.from({ length: 6 }, (_, i) => ({ x: i, y: -i, z: i / 2, level: 7 * i }));
  const message = encoded(Cloud, { count: 4, points });
  const form = foxgloveForm(Cloud as AnyLayout)!;
  const read = judged(form, message);
  assertEquals([form.what, read.point_stride, read.pose.orientation.w], ["points", Point.size, 1]);
  assertEquals(
    read.fields.map(({ name, offset, type }: Record<string, unknown>) => [name, offset, type]),
    [["x", 0, 7], ["y", 4, 7], ["z", 8, 7], ["level", 12, 3]],
  );
  assertEquals(read.data.length, 4 * Point.size);
  const data = new DataView(read.data.buffer, read.data.byteOffset);
  assertEquals(data.getFloat32(3 * Point.size + 4, true), -3);
  assertEquals(data.getUint16(2 * Point.size + 12, true), 14);
});

Deno.test("other structs are neither images nor points", () => {
  for (
    const fields of [
      { x: "f64", y: "f64" },
      { width: "u32", height: "u32" },
      { width: "f32", height: "f32", data: bytes(12) },
      { width: "u32", height: "u32", data: array("f32", 12) },
      { points: array(struct("a", { x: "f32" }), 3) },
    ] as const
  ) {
    const layout = struct("other", fields) as AnyLayout;
    assertEquals(foxgloveForm(layout), undefined, Object.keys(fields).join());
  }
});

Deno.test("sizes that a peer states wrongly give no image, and a hint states missing ones", () => {
  const read = pictureReader(Image as AnyLayout)!;
  assertEquals(read(image())?.data.length, 60);
  for (
    const wrong of [
      { width: 5 },
      { width: 0 },
      { width: 2 ** 31, height: 2 ** 31 },
      { encoding: "toString" },
      { encoding: "nothing" },
    ]
  ) assertEquals(read(image(wrong)), undefined, JSON.stringify(wrong));
  assertEquals(read(image().subarray(0, 40)), undefined);
  assertEquals(read(image({ width: 4, height: 3, encoding: "" }))?.encoding, undefined); // 5 bytes
  assertEquals(read(image({ encoding: "" }))?.encoding, "rgb8"); // 3 bytes for each pixel
  const Bare = struct("bare", { at: "f64", pixels: bytes(20) });
  assertEquals(pictureReader(Bare as AnyLayout), undefined);
  const hinted = pictureReader(Bare as AnyLayout, { width: 5, height: 4 })!;
  const found = hinted(encoded(Bare, { at: 0, pixels: pixels(20) }))!;
  assertEquals([found.width, found.height, found.encoding], [5, 4, "mono8"]);
  assertEquals(
    cloudReader(Cloud as AnyLayout)!(encoded(Cloud, {
      count: 7,
      points: Array(6).fill({ x: 0, y: 0, z: 0, level: 0 }),
    })),
    undefined,
  );
});

Deno.test("any bytes give an image within them, or none", () => {
  const chance = new Random("picture");
  const forms = [Image, Photo, Cloud].map((type) => foxgloveForm(type as AnyLayout)!);
  for (let round = 0; round < 500; round++) {
    const message = new Uint8Array(chance.below(140));
    for (let i = 0; i < message.length; i++) message[i] = chance.below(256) & chance.below(256);
    for (const { encode } of forms) {
      const made = encode(message, 0);
      assert(made === undefined || made.length < message.length + 512);
    }
  }
});

Deno.test("an image is scaled down to its budget, and keeps its pixels and its shape", () => {
  const [width, height] = [64, 48];
  // each pixel says where it is
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    data.set([i % width, Math.floor(i / width), 9], 3 * i);
  }
  const picture = { encoding: "bgr8", width, height, step: 3 * width, data };
  const whole = pictureFrame(picture, 5, 77, 10_000) as Uint8Array<ArrayBuffer>;
  assertEquals(whole.length, PICTURE_HEAD + data.length);
  assertEquals([...whole.subarray(PICTURE_HEAD, PICTURE_HEAD + 3)], [9, 0, 0]); // red comes first
  const small = pictureFrame(picture, 5, 77, 1000) as Uint8Array<ArrayBuffer>;
  assert(small.length <= PICTURE_HEAD + 1000 && small.length > PICTURE_HEAD + 500);
  const head = new DataView(small.buffer);
  const [w, h] = [head.getUint32(8, true), head.getUint32(12, true)];
  assertEquals([small[0], head.getUint32(4, true), head.getFloat64(24, true)], [
    PictureForm.rgb,
    5,
    77,
  ]);
  assertEquals([head.getUint32(16, true), head.getUint32(20, true)], [width, height]);
  assert(Math.abs(w / h - width / height) < 0.1);
  for (let i = 0; i < w * h; i++) {
    const [, row, column] = small.subarray(PICTURE_HEAD + 3 * i);
    assert(Math.abs(column! - (i % w) * width / w) < 2);
    assert(Math.abs(row! - Math.floor(i / w) * height / h) < 2);
  }
  assertStringIncludes(
    pictureFrame({ ...picture, step: 0 }, 1, 1, 1000) as string,
    "--image-bytes",
  );
  assertEquals(typeof pictureFrame({ ...picture, height: 1, width: 3072 }, 1, 1, 100), "object");
});

Deno.test("points are left out evenly until they fit", () => {
  const points = Array.from({ length: 6 }, (_, i) => ({ x: i, y: -i, z: i / 2, level: 0 }));
  const cloud = cloudReader(Cloud as AnyLayout)!(encoded(Cloud, { count: 6, points }))!;
  const frame = cloudFrame(cloud, 1, 1, 40) as Uint8Array<ArrayBuffer>;
  const data = new DataView(frame.buffer, PICTURE_HEAD);
  assertEquals(frame.length, PICTURE_HEAD + 36);
  assertEquals([0, 1, 2].map((i) => data.getFloat32(12 * i, true)), [0, 2, 4]);
  assertEquals(data.getFloat32(12 + 8, true), 1);
});

Deno.test("leaves are the numbers of a struct, with their offsets", () => {
  const Inner = struct("inner", { a: "u8", b: "f64" });
  const Outer = struct("outer", {
    few: array("i16", 2),
    many: array("f32", 100),
    inner: Inner,
    two: array(Inner, 2),
    name: text(8),
  });
  const leaves = leavesOf(Outer as AnyLayout);
  assertEquals(leaves.map(({ path }) => path), [
    "few.0",
    "few.1",
    "inner.a",
    "inner.b",
    "two.0.a",
    "two.0.b",
    "two.1.a",
    "two.1.b",
  ]);
  const message = encoded(Outer, {
    few: [-3, 4],
    many: new Float32Array(100),
    inner: { a: 5, b: 6.5 },
    two: [{ a: 7, b: 8.5 }, { a: 9, b: -10.5 }],
    name: "",
  });
  const data = new DataView(message.buffer);
  assertEquals(
    leaves.map(({ scalar, offset }) => numberAt(data, scalar, offset)),
    [-3, 4, 5, 6.5, 7, 8.5, 9, -10.5],
  );
  assertEquals(numberAt(data, "f64", message.length - 7), undefined);
  assertEquals(leavesOf(Outer as AnyLayout, 3).length, 3);
});

Deno.test("values are shown in a bounded form", () => {
  assertEquals(shownOf({ a: 1n, b: [1, NaN], c: new Uint8Array(40), d: "x" }), {
    fields: [
      ["a", "1"],
      ["b", { array: 2, head: [1, "NaN"], plot: undefined }],
      ["c", { bytes: 40, hex: "00".repeat(32) }],
      ["d", "x"],
    ],
  });
  const long = shownOf(Float32Array.from({ length: 10_000 }, (_, i) => i)) as {
    array: number;
    head: number[];
    plot: number[];
  };
  assertEquals([long.array, long.head.length, long.plot.length], [10_000, 16, 256]);
  let deep: unknown = 1;
  for (let i = 0; i < 100; i++) deep = { deep };
  const wide = Array.from({ length: 1200 }, () => Array(20).fill("y".repeat(9000)));
  for (const value of [deep, wide, Object.fromEntries(wide.map((_, i) => [`k${i}`, i]))]) {
    assert(JSON.stringify(shownOf(value)).length < 200_000);
  }
});
