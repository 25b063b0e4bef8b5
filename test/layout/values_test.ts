/** Copies in and out. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Input, layout } from "../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const Robot = layout("robot", {
  id: "u64",
  level: "u8",
  joints: layout.array("i32", 3),
  name: layout.text(8),
  key: layout.bytes(3),
  pose: Pose,
  path: layout.array(Pose, 2),
});

function robot(): Input<typeof Robot> {
  return {
    id: 0xfedcba9876543210n,
    level: 200,
    joints: [-1, 2, -3],
    name: "arm",
    key: Uint8Array.of(7, 8, 9),
    pose: { x: 1.5, y: -2.5 },
    path: [{ x: 3, y: 4 }, { x: 5, y: 6 }],
  };
}

Deno.test("Layout.read() copies what Layout.write() stored", () => {
  const bytes = new Uint8Array(Robot.size);
  Robot.write(bytes, robot());
  const value = Robot.read(bytes);
  assertEquals(value, {
    id: 0xfedcba9876543210n,
    level: 200,
    joints: Int32Array.of(-1, 2, -3),
    name: "arm",
    key: Uint8Array.of(7, 8, 9),
    pose: { x: 1.5, y: -2.5 },
    path: [{ x: 3, y: 4 }, { x: 5, y: 6 }],
  });
  bytes.fill(0xff);
  assertEquals([value.id, value.joints[2], value.key[2]], [0xfedcba9876543210n, -3, 9]);
  assert(value.joints.buffer !== bytes.buffer && value.key.buffer !== bytes.buffer);
});

Deno.test("Layout.read() and Layout.write() work at any offset", () => {
  const bytes = Uint8Array.from({ length: 128 }, (_, index) => index + 100);
  const before = bytes.slice();
  Robot.write(bytes.subarray(2), robot(), 11);
  assertEquals(Robot.read(bytes, 13), Robot.read(bytes.slice(13)));
  assertEquals(Robot.read(bytes, 13).path[1], { x: 5, y: 6 });
  assertEquals(bytes.subarray(0, 13), before.subarray(0, 13));
  assertEquals(bytes.subarray(13 + Robot.size), before.subarray(13 + Robot.size));
});

Deno.test("Layout.write() does not change the bytes between the fields", () => {
  const bytes = new Uint8Array(Robot.size).fill(0xa5);
  Robot.write(bytes, robot());
  assertEquals(bytes.subarray(9, 12), Uint8Array.of(0xa5, 0xa5, 0xa5)); // level to joints
});

Deno.test("Layout.write() takes a view, also of the same memory", () => {
  const bytes = new Uint8Array(Robot.size);
  Robot.write(bytes, robot());
  const copy = new Uint8Array(Robot.size);
  Robot.write(copy, Robot.view(bytes));
  assertEquals(copy, bytes);
  Robot.write(copy, Robot.view(copy));
  assertEquals(copy, bytes);
});

Deno.test("Layout.write() takes any kind of array", () => {
  const bytes = new Uint8Array(Robot.size);
  for (const joints of [[1, 2, 3], Int8Array.of(1, 2, 3), { length: 3, 0: 1, 1: 2, 2: 3 }]) {
    Robot.write(bytes.fill(0), { ...robot(), joints });
    assertEquals(Robot.read(bytes).joints, Int32Array.of(1, 2, 3));
  }
});

/** Refused, and not a byte changed though the fields before are all right. */
function refuses(change: object, error: typeof TypeError, message: string): void {
  const bytes = new Uint8Array(Robot.size).fill(0xa5);
  const value = { ...robot(), ...change } as Input<typeof Robot>;
  assertThrows(() => Robot.write(bytes, value), error, message);
  assertEquals(bytes, new Uint8Array(Robot.size).fill(0xa5));
}

Deno.test("Layout.write() refuses values that do not fit, and stores nothing", () => {
  refuses(
    { level: 256 },
    RangeError,
    "Cannot write robot.level: 256 does not fit in u8; pass an int",
  );
  refuses({ level: -1 }, RangeError, "pass an integer from 0 to 255");
  refuses(
    { id: 2n ** 64n },
    RangeError,
    "robot.id: 18446744073709551616 does not fit in u64; pass",
  );
  refuses(
    { joints: [1, 2, 2 ** 31] },
    RangeError,
    "robot.joints[2]: 2147483648 does not fit in i32",
  );
  refuses(
    { joints: Uint32Array.of(1, 2, 2 ** 31) },
    RangeError,
    "robot.joints[2]: 2147483648 does",
  );
  refuses({ joints: [1, 2] }, RangeError, "robot.joints: it holds 3 and 2 were passed; pass all");
  refuses({ joints: [1, 2, 3, 4] }, RangeError, "robot.joints: it holds 3 and 4 were passed");
  refuses({ key: new Uint8Array(2) }, RangeError, "robot.key: it holds 3 and 2 were passed");
  refuses({ key: new Uint8Array(4) }, RangeError, "robot.key: it holds 3 and 4 were passed");
  refuses(
    { name: "too long!" },
    RangeError,
    "robot.name: the text takes 9 bytes and there is room",
  );
  refuses({ path: [] }, RangeError, "robot.path: it holds 2 and 0 were passed");
});

Deno.test("Layout.write() refuses values of a wrong type, and stores nothing", () => {
  refuses(
    { id: 1 },
    TypeError,
    "Cannot write robot.id: the value is of type number; pass a bigint",
  );
  refuses(
    { level: undefined },
    TypeError,
    "robot.level: the value is of type undefined; pass a num",
  );
  refuses({ joints: 5 }, TypeError, "robot.joints: the value is of type number; pass an array");
  refuses(
    { joints: [1, 2, "3"] },
    TypeError,
    "robot.joints[2]: the value is of type string; pass a",
  );
  refuses({ name: 5 }, TypeError, "robot.name: the value is of type number; pass a string");
  refuses(
    { key: [1, 2, 3] },
    TypeError,
    "robot.key: the value is of type object; pass a Uint8Array",
  );
  refuses({ pose: null }, TypeError, "robot.pose: the value is of type null; pass an object");
  refuses(
    { pose: { x: 1 } },
    TypeError,
    "robot.pose.y: the value is of type undefined; pass a num",
  );
  refuses(
    { path: [{ x: 1, y: 2 }, { x: 1 }] },
    TypeError,
    "robot.path[1].y: the value is of type un",
  );
  for (const value of [undefined, null, 5]) {
    const bytes = new Uint8Array(Robot.size);
    assertThrows(
      () => Robot.write(bytes, value as never),
      TypeError,
      "Cannot write robot: the value",
    );
  }
});

Deno.test("Layout.write() refuses a value with a field missing", () => {
  for (const name of Object.keys(Robot.fields)) {
    refuses(
      { [name]: undefined },
      TypeError,
      `Cannot write robot.${name}: the value is of type unde`,
    );
  }
});

Deno.test("Layout.read() and Layout.write() refuse memory that is too small", () => {
  const bytes = new Uint8Array(Robot.size);
  for (const offset of [1, -1, 0.5, NaN]) {
    const end =
      `"robot": its ${Robot.size} bytes at offset ${offset} are not within the ${bytes.length} b`;
    assertThrows(() => Robot.read(bytes, offset), RangeError, `Cannot read ${end}`);
    assertThrows(() => Robot.write(bytes, robot(), offset), RangeError, `Cannot write ${end}`);
    assertThrows(() => Robot.inspect(bytes, offset), RangeError, `Cannot inspect ${end}`);
  }
});

/** An object whose property `name` is `first` at the first look, and `then` from then on. */
function changing(name: string, first: unknown, then: unknown): Input<typeof Robot> {
  let looks = 0;
  const get = () => looks++ === 0 ? first : then;
  return Object.defineProperty({ ...robot() }, name, { get });
}

Deno.test("Layout.write() stores no value that it has not checked, also of getters that change", () => {
  const Liar = class extends Uint8Array {
    override get length() {
      return 3;
    }
  };
  for (
    const [name, first, then, error] of [
      ["level", 1, 256, RangeError],
      ["level", 1, "1", TypeError],
      ["id", 1n, 2n ** 64n, RangeError],
      ["joints", [1, 2, 3], [1, 2, 2 ** 31], RangeError],
      ["joints", Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 3, 4), RangeError],
      ["key", Uint8Array.of(1, 2, 3), new Uint8Array(50), RangeError],
      ["key", Uint8Array.of(1, 2, 3), "abc", TypeError],
      ["key", new Liar(50), new Liar(50), RangeError],
      ["name", "arm", "a\0b", RangeError],
      ["pose", { x: 1, y: 2 }, null, TypeError],
      ["path", [{ x: 1, y: 2 }, { x: 3, y: 4 }], [{ x: 1, y: 2 }], RangeError],
    ] as const
  ) {
    const { offset, size } = Robot.fields[name];
    const bytes = new Uint8Array(Robot.size).fill(0xa5);
    assertThrows(() => Robot.write(bytes, changing(name, first, then)), error, `robot.${name}`);
    const after = bytes.subarray(offset + size);
    assertEquals(after, new Uint8Array(after.length).fill(0xa5), "nothing beyond the field");
  }
});
