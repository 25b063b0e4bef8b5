/** The C header, as text and as compilers see it. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type AnyLayout, type FieldType, layout } from "../../../src/layout/layout.ts";
import { choices, declare } from "../random.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const ImuSample = layout("imuSample", {
  time: { type: "f64", doc: "seconds */ since /* boot\\" },
  headPosition: { type: "u64", line: true, doc: "bytes\nwritten" },
  ready: { type: "u32", atomic: true },
  accel: layout.array("f32", 3),
  label: layout.text(5),
  blob: layout.bytes(2),
  pose: Pose,
  history: layout.array(Pose, 4),
  class: "u8",
}, { version: 2 });

Deno.test("Layout.toC() returns the struct, after those it contains", () => {
  const hash = (l: AnyLayout) => l.hash.toString(16).padStart(16, "0");
  assertEquals(
    ImuSample.toC(),
    `#define POSE_VERSION 1u
#define POSE_HASH UINT64_C(0x${hash(Pose)})
struct pose {
  float x;
  float y;
};
_Static_assert(offsetof(struct pose, x) == 0, "pose.x");
_Static_assert(offsetof(struct pose, y) == 4, "pose.y");
_Static_assert(_Alignof(struct pose) == 4, "alignment of pose");
_Static_assert(sizeof(struct pose) == 8, "size of pose");

#define IMU_SAMPLE_VERSION 2u
#define IMU_SAMPLE_HASH UINT64_C(0x${hash(ImuSample)})
struct imu_sample {
  double time; /* seconds * / since / * boot\\ */
  uint8_t _pad_8[56];
  _Alignas(64) _Atomic uint64_t head_position; /* bytes written */
  uint8_t _pad_72[56];
  _Atomic uint32_t ready;
  float accel[3];
  char label[5]; /* UTF-8, padded with NUL unless full */
  uint8_t blob[2];
  uint8_t _pad_151[1];
  struct pose pose;
  struct pose history[4];
  uint8_t class;
  uint8_t _pad_193[63];
};
_Static_assert(offsetof(struct imu_sample, time) == 0, "imuSample.time");
_Static_assert(offsetof(struct imu_sample, head_position) == 64, "imuSample.headPosition");
_Static_assert(offsetof(struct imu_sample, ready) == 128, "imuSample.ready");
_Static_assert(offsetof(struct imu_sample, accel) == 132, "imuSample.accel");
_Static_assert(offsetof(struct imu_sample, label) == 144, "imuSample.label");
_Static_assert(offsetof(struct imu_sample, blob) == 149, "imuSample.blob");
_Static_assert(offsetof(struct imu_sample, pose) == 152, "imuSample.pose");
_Static_assert(offsetof(struct imu_sample, history) == 160, "imuSample.history");
_Static_assert(offsetof(struct imu_sample, class) == 192, "imuSample.class");
_Static_assert(_Alignof(struct imu_sample) == 64, "alignment of imuSample");
_Static_assert(sizeof(struct imu_sample) == 256, "size of imuSample");
`,
  );
});

Deno.test("Layout.toC() puts names into snake case", () => {
  const Names = layout("HTTPServer2", { aB: "u8", someID: "u8", x2Y: "u8", already_so: "u8" });
  assertMatch(Names.toC(), /^struct http_server2 \{\n {2}uint8_t a_b;\n {2}uint8_t some_id;$/m);
  assertMatch(Names.toC(), /^ {2}uint8_t x2_y;\n {2}uint8_t already_so;\n\};$/m);
});

Deno.test("Layout.toC() lists the members by offset", () => {
  const Placed = layout("placed", { last: { type: "u8", at: 1 }, first: { type: "u8", at: 0 } });
  assertMatch(Placed.toC(), /uint8_t first;\n {2}uint8_t last;\n\};/);
});

Deno.test("layout.toCHeader() is one guarded file with each struct once", () => {
  const Inner = layout("inner", { pose: Pose });
  const Outer = layout("outer", { inner: Inner, other: Pose, more: layout.array(Inner, 2) });
  const header = layout.toCHeader([Outer, Pose, Inner, Outer], "VRING_TEST_H");
  const defined = [...header.matchAll(/^struct (\w+) \{$/gm)].map(([, name]) => name);
  assertEquals(defined, ["pose", "inner", "outer"]);
  assertMatch(header, /^#ifndef VRING_TEST_H\n#define VRING_TEST_H\n/);
  assertMatch(header, /#include <stddef.h>\n#include <stdint.h>\n/);
  assertMatch(header, /\n#endif\n$/);
});

Deno.test("layout.toCHeader() takes two equal layouts for one", () => {
  const again = layout("pose", { x: { type: "f32", doc: "ahead" }, y: "f32" });
  assertEquals(layout.toCHeader([Pose, again], "A_H"), layout.toCHeader([Pose], "A_H"));
});

Deno.test("layout.toCHeader() refuses two different structs of one name", () => {
  const other = layout("Pose", { x: "f64" });
  const message = 'Cannot make a C header: two different layouts are "struct pose"; rename one';
  assertThrows(() => layout.toCHeader([Pose, other], "A_H"), TypeError, message);
  const Both = layout("both", { a: Pose, b: other });
  assertThrows(() => Both.toC(), TypeError, message);
});

Deno.test("layout.toCHeader() refuses a guard that is not a macro name", () => {
  for (const guard of ["", "a_h", "A-H", "1A", "A H", "_A"]) {
    const message = `Cannot make a C header: guard "${guard}" is not a macro name; use capital`;
    assertThrows(() => layout.toCHeader([Pose], guard), TypeError, message);
  }
  for (const guard of [Symbol("A"), undefined, { toString: () => "A" }] as unknown as string[]) {
    assertThrows(() => layout.toCHeader([Pose], guard), TypeError, "is not a macro name");
  }
});

const FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];

/** The compiler's messages about a file, or undefined without the compiler. */
function compile(compiler: string, source: string): string | undefined {
  const path = Deno.makeTempFileSync({ suffix: ".c" });
  try {
    Deno.writeTextFileSync(path, source);
    const { stderr } = new Deno.Command(compiler, { args: [...FLAGS, path] }).outputSync();
    return new TextDecoder().decode(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    Deno.removeSync(path);
  }
}

/** The struct as someone would write it who knows nothing of offsets: C places the members. */
function plainStruct({ name, fields }: AnyLayout): string {
  const member = (name: string, type: FieldType): string => {
    if (typeof type === "string") return `${C_TYPES[type]} ${name}`;
    if (type.kind === "layout") return `struct plain_${type.name} ${name}`;
    if (type.kind === "array") return `${member(name, type.element)}[${type.length}]`;
    return `char ${name}[${type.size}]`;
  };
  const members = Object.values(fields).map(({ name, shape }) => `  ${member(name, shape)};\n`);
  return `struct plain_${name} {\n${members.join("")}};\n`;
}

const C_TYPES = {
  u8: "unsigned char",
  u16: "unsigned short",
  u32: "unsigned",
  u64: "unsigned long",
  i8: "signed char",
  i16: "short",
  i32: "int",
  i64: "long",
  bool: "unsigned char",
  f32: "float",
  f64: "double",
};

/** Asserts that C places the members of the plain struct where the layout has them. */
function plainAssertions({ name, fields, size }: AnyLayout): string {
  const offsets = Object.values(fields).map(({ name: field, offset }) =>
    `_Static_assert(offsetof(struct plain_${name}, ${field}) == ${offset}, "plain ${field}");\n`
  );
  return `${offsets.join("")}_Static_assert(sizeof(struct plain_${name}) == ${size}, "plain");\n`;
}

function* withNested(l: AnyLayout): Generator<AnyLayout> {
  for (const { shape } of Object.values(l.fields)) {
    const inner = typeof shape === "object" && shape.kind === "array" ? shape.element : shape;
    if (typeof inner === "object" && inner.kind === "layout") yield* withNested(inner);
  }
  yield l;
}

function randomLayouts(options: { plain: boolean }): AnyLayout[] {
  return fc.sample(choices(options), { numRuns: 60, seed: 1 }).map((fields, index) =>
    declare(`l${index}`, fields)
  );
}

/** Both supported processors; a machine has rarely more than its own compiler. */
for (const compiler of ["gcc", "aarch64-linux-gnu-gcc"]) {
  const missing = compile(compiler, "int x;\n") === undefined;
  const reason = `not run: there is no ${compiler} on this machine`;

  Deno.test(`layout.toCHeader() is accepted by ${compiler}`, () => {
    if (missing) return console.log(reason);
    const layouts = [ImuSample, ...randomLayouts({ plain: false })];
    const header = layout.toCHeader(layouts, "VRING_TEST_H");
    assertEquals(compile(compiler, header + header), "");
    const wrong = header.replace("uint8_t _pad_8[56]", "uint8_t _pad_8[60]");
    assertMatch(compile(compiler, wrong)!, /static assertion failed: "imuSample.headPosition"/);
  });

  Deno.test(`layout() places fields as ${compiler} does`, () => {
    if (missing) return console.log(reason);
    const layouts = randomLayouts({ plain: true });
    const structs = layouts.flatMap((l) => [...withNested(l)]);
    const source = `#include <stddef.h>\n${structs.map(plainStruct).join("")}`;
    const assertions = structs.map(plainAssertions).join("");
    assert(structs.length > layouts.length);
    assertEquals(compile(compiler, source + assertions), "");
    const wrong = assertions.replace(/== 0, "plain f0"/, '== 1, "plain f0"');
    assertMatch(compile(compiler, source + wrong)!, /static assertion failed: "plain f0"/);
  });
}
