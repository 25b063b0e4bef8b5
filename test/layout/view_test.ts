/** Accessors in place. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { layout } from "../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const Sample = layout("sample", {
  time: "f64",
  id: "u64",
  sequence: { type: "u32", atomic: true },
  delta: "i32",
  accel: layout.array("f32", 3),
  gain: "f32",
  port: "u16",
  flags: "u8",
  label: layout.text(7),
  blob: layout.bytes(4),
  pose: Pose,
  history: layout.array(Pose, 2),
  counts: layout.array("u64", 2),
});

/** Bytes that differ everywhere. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index * 37 + 11);
}

Deno.test("Layout.view() puts each value where the field is, little-endian", () => {
  const Numbers = layout("numbers", {
    a: "u8",
    b: "u16",
    c: "u32",
    d: "u64",
    e: "i32",
    f: "f32",
    g: "f64",
    h: layout.text(4),
    i: layout.bytes(2),
    j: layout.array("u16", 2),
  });
  const bytes = new Uint8Array(Numbers.size);
  const view = Numbers.view(bytes);
  view.a = 0x12;
  view.b = 0x1234;
  view.c = 0x12345678;
  view.d = 0x123456789abcdef0n;
  view.e = -2;
  view.f = 1;
  view.g = 1;
  view.h = "hé";
  view.i.set([1, 2]);
  view.j.set([0x1234, 0x5678]);
  const expected = "12 00 34 12 78 56 34 12 f0 de bc 9a 78 56 34 12 fe ff ff ff " +
    "00 00 80 3f 00 00 00 00 00 00 f0 3f 68 c3 a9 00 01 02 34 12 78 56 00 00 00 00 00 00";
  assertEquals(bytes, Uint8Array.from(expected.split(" "), (hex) => parseInt(hex, 16)));
});

Deno.test("Layout.view() reads the current memory", () => {
  const bytes = pattern(Sample.size);
  const view = Sample.view(bytes);
  const data = new DataView(bytes.buffer);
  for (let round = 0; round < 2; round++) {
    assertEquals(view.time, data.getFloat64(0, true));
    assertEquals(view.id, data.getBigUint64(8, true));
    assertEquals(view.sequence, data.getUint32(16, true));
    assertEquals(view.delta, data.getInt32(20, true));
    assertEquals(view.accel[2], data.getFloat32(32, true));
    assertEquals(view.port, data.getUint16(40, true));
    assertEquals(view.flags, data.getUint8(42));
    assertEquals(view.blob[3], bytes[Sample.fields.blob.offset + 3]);
    assertEquals(view.pose.y, data.getFloat32(Sample.fields.pose.offset + 4, true));
    assertEquals(view.history[1]!.y, data.getFloat32(Sample.fields.history.offset + 12, true));
    bytes.reverse();
  }
});

Deno.test("Layout.view() begins at an offset of any part of a buffer", () => {
  const buffer = pattern(512).buffer;
  const bytes = new Uint8Array(buffer, 24, 300);
  const view = Sample.view(bytes, 16);
  view.pose.x = 1.5;
  view.label = "here";
  view.counts[1] = 5n;
  const same = Sample.view(new Uint8Array(buffer), 40);
  assertEquals([same.pose.x, same.label, same.counts[1]], [1.5, "here", 5n]);
  const before = pattern(512);
  assertEquals(new Uint8Array(buffer, 0, 40), before.subarray(0, 40));
  assertEquals(new Uint8Array(buffer, 40 + Sample.size), before.subarray(40 + Sample.size));
});

Deno.test("Layout.view() makes arrays and nested views once", () => {
  const view = Sample.view(new Uint8Array(Sample.size));
  assertStrictEquals(view.accel, view.accel);
  assertStrictEquals(view.blob, view.blob);
  assertStrictEquals(view.pose, view.pose);
  assertStrictEquals(view.history, view.history);
  assert(view.accel instanceof Float32Array && view.counts instanceof BigUint64Array);
  assert(Object.isFrozen(view.history));
  assertEquals(view.history.length, 2);
});

Deno.test("Layout.view() refuses numbers that do not fit, and stores nothing", () => {
  const bytes = pattern(Sample.size);
  const view = Sample.view(bytes);
  const refuses = (name: "flags" | "port" | "sequence" | "delta" | "id", value: unknown) => {
    assertThrows(
      () => view[name] = value as never,
      RangeError,
      `Cannot write sample.${name}: ${value} does not fit in ${Sample.fields[name].type}; pass an`,
    );
  };
  for (const value of [-1, 256, 0.5, NaN, Infinity]) refuses("flags", value);
  for (const value of [-1, 65536, 0.5]) refuses("port", value);
  for (const value of [-1, 2 ** 32, 0.5]) refuses("sequence", value);
  for (const value of [-(2 ** 31) - 1, 2 ** 31, 0.5]) refuses("delta", value);
  for (const value of [-1n, 2n ** 64n]) refuses("id", value);
  assertEquals(bytes, pattern(Sample.size));
});

Deno.test("Layout.view() takes the first and the last number of each range", () => {
  const view = Sample.view(new Uint8Array(Sample.size));
  const ends = {
    flags: [0, 255],
    port: [0, 65535],
    sequence: [0, 2 ** 32 - 1],
    delta: [-(2 ** 31), 2 ** 31 - 1],
    id: [0n, 2n ** 64n - 1n],
  } as const;
  for (const name of ["flags", "port", "sequence", "delta", "id"] as const) {
    for (const value of ends[name]) {
      view[name] = value as never;
      assertEquals<unknown>(view[name], value);
    }
  }
});

Deno.test("Layout.view() refuses values of a wrong type", () => {
  const view = Sample.view(new Uint8Array(Sample.size));
  const refuses = (name: "flags" | "gain" | "id" | "label", value: unknown, message: string) => {
    const full = `Cannot write sample.${name}: the value is of type ${message}`;
    assertThrows(() => view[name] = value as never, TypeError, full);
  };
  refuses("flags", "1", "string; pass a number");
  refuses("flags", 1n, "bigint; pass a number");
  refuses("gain", undefined, "undefined; pass a number");
  refuses("gain", null, "null; pass a number");
  refuses("id", 1, "number; pass a bigint");
  refuses("label", 1, "number; pass a string");
});

Deno.test("Layout.view() copies what is assigned to an array or a struct, whole or not at all", () => {
  const view = Sample.view(new Uint8Array(Sample.size)) as { accel: unknown; pose: unknown };
  const { accel, pose } = view;
  view.accel = [1, 2, 3];
  view.pose = { x: 4, y: 5 };
  assertStrictEquals(view.accel, accel);
  assertStrictEquals(view.pose, pose);
  assertEquals([...view.accel as Float32Array], [1, 2, 3]);
  assertEquals((view.pose as { y: number }).y, 5);
  const few = () => view.accel = [9, 8];
  assertThrows(few, RangeError, "Cannot write sample.accel: it holds 3 and 2 were passed");
  const word = () => view.accel = [9, 8, "7"];
  assertThrows(word, TypeError, "Cannot write sample.accel[2]: the value is of type string");
  assertEquals([...view.accel as Float32Array], [1, 2, 3]);
});

Deno.test("Layout.view() refuses an assignment to a name that is no field", () => {
  const view = Sample.view(new Uint8Array(Sample.size)) as unknown as Record<string, unknown>;
  const message = "Cannot write sample.tiem: the struct has no such field";
  assertThrows(() => view.tiem = 1, TypeError, message);
  assertEquals([view.tiem, "tiem" in view], [undefined, false]);
  const pose = view.pose as Record<string, unknown>;
  assertThrows(() => pose.z = 1, TypeError, "Cannot write pose.z: the struct has no such field");
});

Deno.test("Layout.view() pads text with NUL, and lets it fill its room", () => {
  const bytes = pattern(Sample.size);
  const view = Sample.view(bytes);
  const { offset } = Sample.fields.label;
  const room = bytes.subarray(offset, offset + 7);
  view.label = "äöü€".slice(0, 3) + "x"; // 7 bytes
  assertEquals(view.label, "äöüx");
  assertEquals(room, new TextEncoder().encode("äöüx"));
  view.label = "\ufeffa";
  assertEquals(view.label, "\ufeffa");
  assertEquals(room, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0, 0, 0));
  view.label = "";
  assertEquals(view.label, "");
  assertEquals(room, new Uint8Array(7));
});

Deno.test("Layout.view() refuses text that would not read back the same", () => {
  const view = Sample.view(new Uint8Array(Sample.size));
  view.label = "before";
  const refuses = (text: string, message: string) => {
    assertThrows(
      () => view.label = text,
      RangeError,
      `Cannot write sample.label: the text ${message}`,
    );
  };
  refuses("12345678", "takes 8 bytes and there is room for 7; shorten it");
  refuses("€€€", "takes 9 bytes and there is room for 7; shorten it");
  refuses("123456é", "takes 8 bytes and there is room for 7; shorten it");
  refuses("a\0b", "has a NUL in it, which ends a text; remove it");
  refuses("\ud83d", "has half a character in it; use toWellFormed()");
  assertEquals(view.label, "before");
});

Deno.test("Layout.view() reads text that a broken peer wrote", () => {
  const bytes = new Uint8Array(Sample.size).fill(0xff);
  assertEquals(Sample.view(bytes).label, "\ufffd".repeat(7));
  bytes[Sample.fields.label.offset + 2] = 0;
  assertEquals(Sample.view(bytes).label, "\ufffd\ufffd");
});

Deno.test("Layout.view() refuses memory that is too small", () => {
  const { size } = Sample;
  const refuses = (length: number, offset: number) => {
    const message =
      `Cannot view "sample": its ${size} bytes at offset ${offset} are not within the `;
    assertThrows(() => Sample.view(new Uint8Array(length), offset), RangeError, message);
  };
  refuses(size - 1, 0);
  refuses(size, 8);
  refuses(size, -8);
  refuses(size * 2, 0.5);
  refuses(size * 2, NaN);
  refuses(size, Infinity);
  // The buffer continues, the bytes do not.
  const part = new Uint8Array(size * 2).subarray(0, size - 1);
  assertThrows(() => Sample.view(part), RangeError, "pass more, or another offset");
  Sample.view(new Uint8Array(size + 8), 8);
});

Deno.test("Layout.view() refuses memory that is not aligned", () => {
  const bytes = new Uint8Array(512);
  const message =
    'Cannot view "sample": it would begin at byte 12 of the buffer; move it to 16, or';
  assertThrows(() => Sample.view(bytes, 12), RangeError, message);
  assertThrows(() => Sample.view(bytes.subarray(8), 4), RangeError, message);
  Sample.view(bytes.subarray(4), 4);
  Pose.view(bytes, 12);
  const Lined = layout("lined", { word: { type: "u32", line: true } });
  assertThrows(
    () => Lined.view(bytes, 32),
    RangeError,
    "begin at byte 32 of the buffer; move it to 64",
  );
});

Deno.test("Layout.view() over memory that was closed is an error or empty, never a crash", () => {
  const bytes = new Uint8Array(Sample.size);
  const view = Sample.view(bytes);
  const { accel } = view;
  bytes.buffer.transfer(0);
  assertEquals([accel.length, view.accel.length], [0, 0]);
  const message = (field: string) => `Cannot use field sample.${field}: its memory was closed`;
  assertThrows(() => view.time, TypeError, message("time"));
  assertThrows(() => view.time = 1, TypeError, message("time"));
  assertThrows(() => view.label, TypeError, message("label"));
  assertThrows(() => view.label = "a", TypeError, message("label"));
  assertThrows(() => view.pose, TypeError, message("pose"));
});

Deno.test("Layout.view() works over a SharedArrayBuffer", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(Sample.size));
  const view = Sample.view(bytes);
  view.label = "shared";
  view.counts[1] = 7n;
  assertEquals([view.label, Sample.read(bytes).counts[1]], ["shared", 7n]);
});

Deno.test("Layout.view() shows its fields to console.log", () => {
  const view = Pose.view(new Uint8Array(8));
  view.x = 1.5;
  assertEquals(Deno.inspect({ view }), "{ view: pose { x: 1.5, y: 0 } }");
});
