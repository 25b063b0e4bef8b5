/** Descriptions of layouts: they say everything, and what a peer has stored is checked. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkType,
  describeLayout,
  differences,
  type StructDescription,
} from "../../src/layout/describe.ts";
import { bytes, text } from "../../src/codec.ts";
import { array, struct as defineStruct } from "../../src/struct.ts";
import { type AnyLayout, layout } from "../../src/layout/layout.ts";
import { layoutOf } from "../../src/layout/rebuild.ts";
import { toDefinition } from "../../src/layout/tools/definition.ts";
import { choices, declare } from "./random.ts";

/** A description as another program reads it back. */
function stored(description: unknown): unknown {
  return JSON.parse(JSON.stringify(description));
}

function rebuilt(declared: AnyLayout): AnyLayout {
  return layoutOf(checkType(stored(describeLayout(declared))) as StructDescription);
}

Deno.test("a layout made from the description of any other is the same memory", () => {
  fc.assert(fc.property(choices({ plain: false }), (fields) => {
    const declared = declare("l", fields);
    const { hash, size, alignment } = rebuilt(declared);
    assertEquals([hash, size, alignment], [declared.hash, declared.size, declared.alignment]);
    assertEquals(describeLayout(rebuilt(declared)), describeLayout(declared));
  }));
});

Deno.test("the definition of any layout declares the same memory", () => {
  fc.assert(fc.property(choices({ plain: false }), (fields) => {
    const declared = declare("l", fields);
    const evaluate = new Function(
      ...["struct", "array", "bytes", "text"],
      `${toDefinition(declared)}; return L;`,
    );
    const made = evaluate(defineStruct, array, bytes, text) as AnyLayout;
    assertEquals(made.hash, declared.hash);
  }));
});

const Pose = layout("pose", { x: "f32", y: { type: "f64", at: 16 } }, { version: 3 });
const Imu = layout("imu", {
  time: "f64",
  count: { type: "u32", line: true, doc: "counts samples" },
  busy: { type: "u32", atomic: true },
  accel: layout.array("f32", 3),
  label: layout.text(16),
  key: layout.bytes(4),
  pose: Pose,
  path: layout.array(Pose, 2),
});

Deno.test("a definition is short, and declares each nested layout once", () => {
  assertEquals(
    Imu.toDefinition(),
    `const Pose = struct("pose", {
  x: "f32",
  y: { type: "f64", at: 16 },
}, { version: 3 });

const Imu = struct("imu", {
  time: "f64",
  count: { type: "u32", line: true, doc: "counts samples" },
  busy: { type: "u32", atomic: true },
  accel: array("f32", 3),
  label: text(16),
  key: bytes(4),
  pose: Pose,
  path: array(Pose, 2),
});
`,
  );
});

Deno.test("differences() names the fields", () => {
  const Other = layout("pose", { x: "f32", y: "f64" }, { version: 3 });
  const Changed = layout("imu", {
    time: "f64",
    count: { type: "u32", at: 64 },
    accel: layout.array("f64", 3),
    label: layout.text(16),
    pose: Other,
    path: layout.array(Other, 2),
    more: "u8",
  }, { version: 2 });
  const found = differences(describeLayout(Imu), describeLayout(Changed));
  assertEquals(found.slice(0, 5), [
    "the version is 1 there and 2 here",
    '"count" is u32 at 64 on its line there and u32 at 64 here'.replace("is u32", "is atomic u32"),
    '"busy" is only there',
    '"accel" is f32[3] at 132 there and f64[3] at 72 here',
    `"label" is text(16) at ${Imu.fields.label.offset} there and text(16) at 96 here`,
  ]);
  assertEquals(found.at(-1), '"more" is only here');
  const one = { name: "p", type: describeLayout(Pose), at: 0 };
  const other = { ...one, type: describeLayout(Other) };
  const [there, here] = [one, other].map((field) => ({ struct: "s", version: 1, fields: [field] }));
  assertEquals(differences(there!, here!), ['"p.y" is f64 at 16 there and f64 at 8 here']);
  const calls = (type: StructDescription) => ({
    request: type,
    response: { codec: "text", hash: "1" },
  });
  const text = '"request.p.y" is f64 at 16 there and f64 at 8 here';
  assertEquals(differences(calls(there!), calls(here!)), [text]);
  assertEquals(differences(there!, calls(here!)), []);
});

/** A struct in a struct in a struct. */
function nested(deep: number): unknown {
  const type = deep === 0 ? "u8" : nested(deep - 1);
  return { struct: "s", version: 1, fields: [{ name: "f", type, at: 0 }] };
}

function struct(change: object): unknown {
  return { struct: "s", version: 1, fields: [], ...change };
}

function withType(type: unknown): unknown {
  return struct({ fields: [{ name: "f", type, at: 0 }] });
}

Deno.test("checkType() refuses an invalid description, and says why", () => {
  const field = { name: "f", type: "u8", at: 0 };
  const invalid: [unknown, string][] = [
    [null, "the type is null"],
    [[], "the type is an Array"],
    ["f64", "the type is"],
    [{}, "the type is undefined"],
    [struct({ struct: "a b" }), '"a b" does not match'],
    [struct({ struct: "\x1b[2J" }), "does not match"],
    [struct({ struct: "s".repeat(65) }), "does not match"],
    [struct({ version: -1 }), "-1 is not a whole number"],
    [struct({ version: 2 ** 60 }), "is not a whole number"],
    [struct({ fields: {} }), "the fields of a struct are an Object"],
    [struct({ fields: [1] }), "a field is 1"],
    [struct({ fields: [{ ...field, name: "_x" }] }), '"_x" does not match'],
    [struct({ fields: [{ ...field, at: 0.5 }] }), "0.5 is not a whole number"],
    [struct({ fields: [{ ...field, at: "0" }] }), '"0" is not a whole number'],
    [struct({ fields: Array(1025).fill(field) }), "more than 1024 fields"],
    [withType({ array: struct({ fields: Array(1024).fill(field) }), length: 1 }), "1024 fields"],
    [withType("i7"), '"i7" names no scalar'],
    [withType("toString"), "names no scalar"],
    [withType({ bytes: 1.5 }), "1.5 is not a whole number"],
    [withType({ array: "f32" }), "undefined is not a whole number"],
    [withType({ array: { bytes: 1 }, length: 1 }), "the fields of a struct are undefined"],
    [nested(8), "nested more than 8 deep"],
    [{ codec: "a\nb", hash: "1" }, "does not match"],
    [{ codec: "text", hash: "0x1" }, "does not match"],
    [{ codec: "text", hash: "0" }, "does not match"],
    [{ request: struct({}) }, "the type is undefined"],
  ];
  for (const [description, reason] of invalid) {
    assertThrows(() => checkType(stored(description)), Error, reason, JSON.stringify(description));
  }
  let calls: unknown = struct({});
  for (let deep = 0; deep < 20; deep++) calls = { request: calls, response: calls };
  assertThrows(() => checkType(calls), Error, "nested more than 8 deep");
  checkType(nested(7));
});

Deno.test("layoutOf() refuses fields that overlap, are out of line or are too large", () => {
  const two = (at: number, type: unknown = "u32") => ({
    fields: [{ name: "a", type: "u32", at: 0 }, { name: "b", type, at }],
  });
  const invalid: [unknown, string][] = [
    [struct(two(2)), "is not at a multiple of 4"],
    [struct(two(0)), 'overlaps "a"'],
    [struct(two(2 ** 40)), "1073741824 are the limit"],
    [struct(two(4, { bytes: 2 ** 31 })), "not an integer from 1 to"],
    [struct(two(4, { bytes: 0 })), "not an integer from 1 to"],
    [struct(two(4, { array: "f64", length: 2 ** 30 })), "1073741824 are the limit"],
    [struct({ fields: [] }), "it has no fields"],
    [struct({ version: 2 ** 32 }), "is not an integer from 0 to 2^32 - 1"],
    [struct({ fields: [{ name: "if", type: "u8", at: 0 }] }), "means something else in C"],
    [struct({ fields: [{ name: "f", type: "u8", at: 0, line: true }] }), "cannot be atomic"],
  ];
  for (const [description, reason] of invalid) {
    const checked = checkType(stored(description)) as StructDescription;
    const error = assertThrows(() => layoutOf(checked));
    assert(error instanceof Error && error.message.includes(reason), `${error}`);
  }
});
