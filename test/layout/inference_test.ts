/** The types that TypeScript infers; the compiler checks most of them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { type Field, type Input, layout, type Value, type View } from "../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const Imu = layout("imu", {
  time: "f64",
  sequence: { type: "u32", atomic: true, line: true, doc: "counts samples" },
  accel: layout.array("f32", 3),
  ids: layout.array("u64", 2),
  label: layout.text(16),
  blob: layout.bytes(8),
  pose: { type: Pose, doc: "where it was" },
  history: layout.array(Pose, 4),
  id: { type: "u64", at: 512 },
}, { version: 2 });

type ImuView = View<typeof Imu>;
type ImuValue = Value<typeof Imu>;
type ImuInput = Input<typeof Imu>;

/** Whether a property can be assigned. */
type IsWritable<T, K extends keyof T> = IsExact<Pick<T, K>, { -readonly [P in K]: T[P] }>;

Deno.test("View<L> has the type of each accessor", () => {
  assertType<IsExact<ImuView["time"], number>>(true);
  assertType<IsExact<ImuView["sequence"], number>>(true);
  assertType<IsExact<ImuView["id"], bigint>>(true);
  assertType<IsExact<ImuView["label"], string>>(true);
  assertType<IsExact<ImuView["accel"], Float32Array<ArrayBufferLike>>>(true);
  assertType<IsExact<ImuView["ids"], BigUint64Array<ArrayBufferLike>>>(true);
  assertType<IsExact<ImuView["blob"], Uint8Array<ArrayBufferLike>>>(true);
  assertType<IsExact<ImuView["pose"], View<typeof Pose>>>(true);
  assertType<IsExact<ImuView["pose"]["x"], number>>(true);
  assertType<IsExact<ImuView["history"], readonly View<typeof Pose>[]>>(true);
  assertType<IsExact<keyof ImuView, keyof typeof Imu.fields>>(true);
});

Deno.test("View<L> can be assigned to where a field is one value", () => {
  assertType<IsWritable<ImuView, "time">>(true);
  assertType<IsWritable<ImuView, "sequence">>(true);
  assertType<IsWritable<ImuView, "label">>(true);
  assertType<IsWritable<ImuView, "accel">>(false);
  assertType<IsWritable<ImuView, "blob">>(false);
  assertType<IsWritable<ImuView, "pose">>(false);
  assertType<IsWritable<ImuView["pose"], "x">>(true);
});

Deno.test("Value<L> has the type of each copy", () => {
  assertType<
    IsExact<ImuValue, {
      time: number;
      sequence: number;
      accel: Float32Array<ArrayBuffer>;
      ids: BigUint64Array<ArrayBuffer>;
      label: string;
      blob: Uint8Array<ArrayBuffer>;
      pose: Value<typeof Pose>;
      history: Value<typeof Pose>[];
      id: bigint;
    }>
  >(true);
  assertType<IsExact<Value<typeof Pose>, { x: number; y: number }>>(true);
});

Deno.test("Input<L> takes values, views and plain arrays, and every field", () => {
  const bytes = new Uint8Array(Imu.size);
  const value = Imu.read(bytes) satisfies ImuInput;
  Imu.view(bytes) satisfies ImuInput;
  ({ ...value, accel: [1, 2, 3], ids: [1n, 2n] }) satisfies ImuInput;
  // @ts-expect-error An array of numbers is not an array of bigints.
  ({ ...value, ids: [1, 2] }) satisfies ImuInput;
  // @ts-expect-error All fields are needed.
  ({ time: 1 }) satisfies ImuInput;
  // @ts-expect-error Of nested layouts too.
  ({ ...value, pose: { x: 1 } }) satisfies ImuInput;
  assertEquals(value.accel.length, 3);
});

Deno.test("Layout.fields knows the names", () => {
  Imu.fields.sequence satisfies Field;
  // @ts-expect-error Imu has no such field.
  assertEquals(Imu.fields.sequnce, undefined);
  // @ts-expect-error The view has no such accessor.
  assertEquals(Pose.view(new Uint8Array(8)).z, undefined);
});

Deno.test("layout() refuses wrong declarations before they run", () => {
  const declarations = () => [
    // @ts-expect-error u128 is not a field type.
    layout("l", { a: "u128" }),
    // @ts-expect-error A float cannot be atomic.
    layout("l", { a: { type: "f32", atomic: true } }),
    // @ts-expect-error Bytes cannot have a line.
    layout("l", { a: { type: layout.bytes(4), line: true } }),
    // @ts-expect-error Text is not an element of arrays.
    layout("l", { a: layout.array(layout.text(4), 4) }),
    // @ts-expect-error An offset is a number.
    layout("l", { a: { type: "f32", at: "8" } }),
  ];
  assertEquals(typeof declarations, "function");
});

Deno.test("errors of the compiler show the fields of a struct as plain properties", async () => {
  const directory = await Deno.makeTempDir();
  const source = `
    import { array, struct } from ${JSON.stringify(import.meta.resolve("../../src/struct.ts"))};
    import type { Value, View } from ${JSON.stringify(import.meta.resolve("../../src/message.ts"))};
    const Pose = struct("pose", { x: "f64" });
    const Scan = struct("scan", { time: "f64", ranges: array("f32", 3), pose: Pose });
    export const value: Value<typeof Scan> = 1;
    export const view: View<typeof Scan> = 1;
  `;
  try {
    await Deno.writeTextFile(`${directory}/shown.ts`, source);
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "-q", `${directory}/shown.ts`],
      env: { NO_COLOR: "1" },
    }).output();
    const shown = new TextDecoder().decode(stderr);
    assertStringIncludes(
      shown,
      "'{ time: number; ranges: Float32Array<ArrayBuffer>; pose: { x: number; }; }'",
    );
    assertStringIncludes(
      shown,
      "'{ time: number; readonly ranges: Float32Array<ArrayBufferLike>; readonly pose: { x: number; }; }'",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
