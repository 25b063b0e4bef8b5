/** Where fields are placed, and what is refused. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type AnyLayout, type Declarations, layout } from "../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });

function offsets({ fields }: AnyLayout): Record<string, number> {
  return Object.fromEntries(Object.values(fields).map(({ name, offset }) => [name, offset]));
}

Deno.test("layout() places fields as C does", () => {
  const Mixed = layout("mixed", {
    a: "u8",
    b: "u16",
    c: "u8",
    d: "u32",
    e: "i32",
    f: "u8",
    g: "u64",
    h: "f32",
    i: "f64",
    j: layout.bytes(3),
    k: layout.text(2),
    l: layout.array("u16", 3),
    m: "u8",
  });
  assertEquals(offsets(Mixed), {
    a: 0,
    b: 2,
    c: 4,
    d: 8,
    e: 12,
    f: 16,
    g: 24,
    h: 32,
    i: 40,
    j: 48,
    k: 51,
    l: 54,
    m: 60,
  });
  assertEquals([Mixed.size, Mixed.alignment], [64, 8]);
});

Deno.test("layout() rounds the size up to the alignment", () => {
  assertEquals(layout("a", { x: "u8" }).size, 1);
  assertEquals(layout("a", { x: "u16", y: "u8" }).size, 4);
  assertEquals(layout("a", { x: "u64", y: "u8" }).size, 16);
  assertEquals(layout("a", { x: layout.bytes(5) }).size, 5);
});

Deno.test("layout() places nested layouts and arrays of them at their alignment", () => {
  const Odd = layout("odd", { wide: "u32", narrow: "u8" });
  const Outer = layout("outer", {
    first: "u8",
    one: Odd,
    second: "u8",
    many: layout.array(Odd, 3),
    last: "u8",
  });
  assertEquals(offsets(Outer), { first: 0, one: 4, second: 12, many: 16, last: 40 });
  assertEquals(Outer.fields.many.size, 24);
  assertEquals([Outer.size, Outer.alignment], [44, 4]);
});

Deno.test("layout() gives a word with `line` 64 bytes for itself", () => {
  const Control = layout("control", {
    capacity: "u32",
    head: { type: "u64", line: true },
    tail: { type: "u32", line: true },
    note: "u8",
  });
  assertEquals(offsets(Control), { capacity: 0, head: 64, tail: 128, note: 192 });
  assertEquals([Control.size, Control.alignment], [256, 64]);
  assertEquals(Control.fields.head.size, 8);
});

Deno.test("layout() keeps the lines of nested layouts", () => {
  const Lane = layout("lane", { head: { type: "u32", line: true } });
  const Lanes = layout("lanes", { count: "u32", lanes: layout.array(Lane, 2), after: "u8" });
  assertEquals(offsets(Lanes), { count: 0, lanes: 64, after: 192 });
  assertEquals([Lanes.size, Lanes.alignment], [256, 64]);
});

Deno.test("layout() places a field where `at` says, and the next after all others", () => {
  const Placed = layout("placed", {
    far: { type: "u32", at: 32 },
    near: { type: "u64", at: 8 },
    next: "u8",
  });
  assertEquals(offsets(Placed), { far: 32, near: 8, next: 36 });
  assertEquals(Placed.size, 40);
});

Deno.test("layout() describes each field", () => {
  const Imu = layout("imu", {
    sequence: { type: "u32", line: true, doc: "counts samples" },
    ready: { type: "i32", atomic: true },
    accel: layout.array("f32", 3),
    label: layout.text(16),
    blob: layout.bytes(8),
    pose: Pose,
    history: layout.array(Pose, 4),
  }, { version: 2 });
  assertEquals([Imu.name, Imu.version], ["imu", 2]);
  assertEquals({ ...Imu.fields.sequence }, {
    name: "sequence",
    path: "imu.sequence",
    type: "u32",
    shape: "u32",
    offset: 0,
    size: 4,
    atomic: true,
    line: true,
    doc: "counts samples",
  });
  assertEquals({ ...Imu.fields.ready }, {
    name: "ready",
    path: "imu.ready",
    type: "i32",
    shape: "i32",
    offset: 64,
    size: 4,
    atomic: true,
    line: false,
    doc: "",
  });
  const types = Object.values(Imu.fields).map(({ type }) => type);
  assertEquals(types, ["u32", "i32", "f32[3]", "text(16)", "bytes(8)", "pose", "pose[4]"]);
  assertStrictEquals(Imu.fields.pose.shape, Pose);
});

Deno.test("layout() has version 1 unless told otherwise", () => {
  assertEquals(Pose.version, 1);
  assertEquals(layout("pose", { x: "f32" }, { version: 0 }).version, 0);
});

Deno.test("layout() returns a frozen layout", () => {
  const declared = { x: "u8" } as const;
  const One = layout("one", declared);
  for (const part of [One, One.fields, One.fields.x, layout.bytes(1), layout.array("u8", 1)]) {
    assert(Object.isFrozen(part));
  }
});

Deno.test("layout() accepts names that JavaScript reserves and C does not", () => {
  const Names = layout("names", {
    class: "u8",
    delete: "u8",
    data: "u8",
    fields: "u8",
    then: "u8",
  });
  assertEquals(Object.keys(Names.fields), ["class", "delete", "data", "fields", "then"]);
});

/** Checks that layout() refuses fields with an error. They have any type: callers may use
 * JavaScript. */
function refuses(name: string, fields: unknown, error: typeof TypeError, message: string): void {
  const full = assertThrows(() => layout(name, fields as Declarations), error, message).message;
  assert(!/[.]$|n't/.test(full), full);
}

Deno.test("layout() refuses a name that is not an identifier", () => {
  const names = ["", "a b", "a-b", "a.b", "1a", "7", "-1", "é", "$a", "_a", "__proto__"];
  for (const name of names) {
    refuses(name, { x: "u8" }, TypeError, `: the name "${name}" is not an identifier; use letters`);
    const fields = { ok: "u8", [name]: "u8" };
    refuses("l", fields, TypeError, `Cannot lay out "l": field "${name}" is not an identifier`);
  }
  refuses("l", { [Symbol("s")]: "u8" }, TypeError, 'field "Symbol(s)" is not an identifier');
});

Deno.test("layout() refuses a name that means something else in C or JavaScript", () => {
  for (const name of ["int", "Int", "while", "staticAssert", "typeof", "linux", "errno"]) {
    refuses(name, { x: "u8" }, TypeError, `the name "${name}" means something else in C`);
    refuses("l", { [name]: "u8" }, TypeError, `field "${name}" means something else in C`);
  }
  for (const name of ["constructor", "toString", "valueOf", "hasOwnProperty"]) {
    refuses(name, { x: "u8" }, TypeError, `the name "${name}" is part of every JavaScript object`);
    refuses("l", { [name]: "u8" }, TypeError, `field "${name}" is part of every JavaScript object`);
  }
});

Deno.test("layout() refuses two fields with the same name in C", () => {
  const message = 'Cannot lay out "l": fields "aB" and "a_b" have the same name in C; rename one';
  refuses("l", { aB: "u8", a_b: "u8" }, TypeError, message);
});

Deno.test("layout() refuses a type that it does not know", () => {
  const types = ["u128", "", "toString", 8, null, undefined, [], {}, { kind: "u8" }, { type: "x" }];
  for (const type of types) {
    refuses("l", { a: type }, TypeError, 'Cannot lay out "l": field "a" is ');
  }
  refuses(
    "l",
    { a: "u128" },
    TypeError,
    "array(), struct(), or u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 bool",
  );
});

Deno.test("layout() refuses an option that it does not know", () => {
  const message = 'field "a" has an unknown option "lines"; there are type, at, doc, atomic, line';
  refuses("l", { a: { type: "u32", lines: true } }, TypeError, message);
});

Deno.test("layout() refuses atomics of anything but a word", () => {
  const types = ["u8", "u16", "f32", "f64", layout.bytes(4), layout.text(4), Pose];
  for (const type of [...types, layout.array("u32", 1)]) {
    refuses("l", { a: { type, atomic: true } }, TypeError, "cannot be atomic; use u32, i32 or u64");
    refuses("l", { a: { type, line: true } }, TypeError, "cannot be atomic; use u32, i32 or u64");
  }
  const declared = { a: { type: "u32", line: true, atomic: false } };
  refuses("l", declared, TypeError, 'has a line but is not atomic; drop "atomic: false"');
});

Deno.test("layout() refuses fields that overlap", () => {
  refuses(
    "imu",
    { a: "u64", b: { type: "u32", at: 4 } },
    RangeError,
    'Cannot lay out "imu": field "b" at offset 4 overlaps "a" (0..8); move it to 8 or drop "at"',
  );
  const inside = { a: layout.bytes(16), b: { type: "u8", at: 15 } };
  refuses("l", inside, RangeError, 'overlaps "a" (0..16); move it to 16');
  const around = { a: { type: "u8", at: 4 }, b: { type: layout.bytes(9), at: 0 } };
  refuses("l", around, RangeError, 'overlaps "a" (4..5); move it to 5');
  layout("l", { a: { type: "u8", at: 4 }, b: { type: layout.bytes(4), at: 0 } });
});

Deno.test("layout() refuses fields that share a line", () => {
  const after = { a: { type: "u32", line: true }, b: { type: "u32", at: 60 } };
  refuses("l", after, RangeError, 'at offset 60 shares the line of "a" (0..64); move it to 64');
  const before = { a: { type: "u8", at: 127 }, b: { type: "u32", line: true, at: 64 } };
  refuses("l", before, RangeError, 'shares its line with "a" (127..128); move it to 128');
  layout("l", { a: { type: "u8", at: 63 }, b: { type: "u32", line: true, at: 64 } });
});

Deno.test("layout() refuses a field that is not aligned", () => {
  const fields = { a: "u8", b: { type: "u32", at: 2 } };
  refuses(
    "l",
    fields,
    RangeError,
    'at offset 2 is not at a multiple of 4; move it to 4 or drop "a',
  );
  const word = { b: { type: "u64", atomic: true, at: 12 } };
  refuses("l", word, RangeError, "is not at a multiple of 8");
  const line = { b: { type: "u32", line: true, at: 32 } };
  refuses("l", line, RangeError, "is not at a multiple of 64; move it to 0");
  refuses("l", { b: { type: Pose, at: 2 } }, RangeError, "is not at a multiple of 4");
  refuses("l", { b: { type: layout.array("u16", 2), at: 3 } }, RangeError, "a multiple of 2");
});

Deno.test("layout() refuses an invalid offset", () => {
  for (const at of [-8, 0.5, NaN, Infinity, "8"]) {
    refuses(
      "l",
      { a: { type: "u8", at } },
      RangeError,
      `at offset ${at} is not at an integer from 0 on`,
    );
  }
});

Deno.test("layout() refuses a version that does not fit 32 bits", () => {
  for (const version of [-1, 0.5, NaN, 2 ** 32]) {
    const message = `Cannot lay out "l": version ${version} is not an integer from 0 to 2^32 - 1`;
    assertThrows(() => layout("l", { a: "u8" }, { version }), RangeError, message);
  }
});

Deno.test("layout() refuses nothing and too much", () => {
  refuses("l", {}, RangeError, 'Cannot lay out "l": it has no fields; declare at least one');
  const half = layout.bytes(2 ** 29);
  assertEquals(layout("l", { a: half, b: half }).size, 2 ** 30);
  const message = "it takes 1073741825 bytes and 1073741824 are the limit; make it smaller";
  refuses("l", { a: half, b: half, c: "u8" }, RangeError, message);
  const more = "it takes 1610612740 bytes and 1073741824 are the limit; make it smaller";
  refuses("l", { a: half, b: half, c: half, d: "u32" }, RangeError, more);
  refuses("l", { a: { type: "u8", at: 2 ** 30 } }, RangeError, message);
});

Deno.test("layout.bytes(), layout.text() and layout.array() refuse invalid sizes", () => {
  for (const size of [0, -1, 1.5, NaN, 2 ** 30 + 1]) {
    const end = "the number is not an integer from 1 to 1073741824; pass one that is";
    assertThrows(() => layout.bytes(size), RangeError, `Cannot declare bytes(${size}): ${end}`);
    assertThrows(() => layout.text(size), RangeError, `Cannot declare text(${size}): ${end}`);
    assertThrows(
      () => layout.array("f32", size),
      RangeError,
      `Cannot declare f32[${size}]: ${end}`,
    );
  }
  const message = "Cannot declare pose[134217729]: it takes 1073741832 bytes and 1073741824 are";
  assertThrows(() => layout.array(Pose, 2 ** 27 + 1), RangeError, message);
  assertEquals(layout.array(Pose, 2 ** 27).length, 2 ** 27);
});

Deno.test("layout.array() refuses elements that are neither scalars nor layouts", () => {
  for (
    const [element, name] of [
      [layout.bytes(4), "bytes(4)"],
      [layout.text(4), "text(4)"],
      [layout.array("u8", 4), "u8[4]"],
      ["u128", '"u128"'],
      [null, "null"],
    ]
  ) {
    const message = `Cannot declare an array of ${name}: its elements are scalars or a struct; put`;
    assertThrows(() => layout.array(element as "u8", 4), TypeError, message);
  }
});
