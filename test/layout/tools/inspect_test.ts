/** Text for people: the dump of memory and the table for the documentation. */

import { assert, assertEquals } from "@std/assert";
import { layout } from "../../../src/layout/layout.ts";

const Pose = layout("pose", { x: "f32", y: "f32" });
const Sample = layout("sample", {
  time: "f64",
  sequence: { type: "u32", line: true, doc: "counts\n  samples | and `wraps`" },
  accel: layout.array("f32", 3),
  label: layout.text(16),
  blob: layout.bytes(3),
  pose: Pose,
  path: layout.array(Pose, 2),
  id: { type: "u64", at: 16, doc: "who" },
}, { version: 7 });

Deno.test("Layout.inspect() shows every value with its offset and name", () => {
  const bytes = new Uint8Array(Sample.size + 1);
  Sample.write(bytes, {
    time: 1.5,
    sequence: 4294967295,
    accel: [1, -2, 0.5],
    label: "left wing",
    blob: Uint8Array.of(0, 10, 255),
    pose: { x: 1, y: 2 },
    path: [{ x: 3, y: 4 }, { x: 5, y: 6 }],
    id: 18446744073709551615n,
  }, 1);
  const hash = Sample.hash.toString(16).padStart(16, "0");
  assertEquals(
    Sample.inspect(bytes, 1),
    `sample, version 7, 192 bytes, hash 0x${hash}
    0  time       1.5
   16  id         18446744073709551615
   64  sequence   4294967295
  128  accel      1, -2, 0.5
  140  label      "left wing"
  156  blob       00 0a ff
  160  pose.x     1
  164  pose.y     2
  168  path[0].x  3
  172  path[0].y  4
  176  path[1].x  5
  180  path[1].y  6
`,
  );
});

Deno.test("Layout.inspect() shows only the beginning of long values", () => {
  const Long = layout("longOne", {
    bytes: layout.bytes(2 ** 20),
    full: layout.bytes(32),
    numbers: layout.array("u16", 1000),
    poses: layout.array(Pose, 100),
  });
  const bytes = Uint8Array.from({ length: Long.size }, (_, index) => index);
  const lines = Long.inspect(bytes).split("\n");
  assertEquals(lines.length, 1 + 3 + 4 * 2 + 1 + 1);
  assert(lines[1]!.endsWith("1c 1d 1e 1f ... 1048544 more"), lines[1]);
  assert(lines[2]!.endsWith("1c 1d 1e 1f"), lines[2]);
  assert(lines[3]!.endsWith(", 16190 ... 984 more"), lines[3]);
  assert(/ poses\[3\]\.y +-?[0-9.e+-]+$/.test(lines[11]!), lines[11]);
  assert(/^ +1050640 {2}poses\[4\] +\.\.\. 96 more$/.test(lines[12]!), lines[12]);
});

Deno.test("Layout.inspect() shows nothing that a terminal obeys", () => {
  const Note = layout("note", { text: layout.text(40) });
  const bytes = new Uint8Array(Note.size);
  const shown = (text: string) => {
    Note.write(bytes, { text });
    return /text {2}(.*)\n$/.exec(Note.inspect(bytes))?.[1];
  };
  assertEquals(shown('é "€" 😀 b'), String.raw`"é \"€\" 😀 b"`);
  assertEquals(shown("\x1b[2J\r\n\x7f\x9b"), String.raw`"\u001b[2J\r\n\u{7f}\u{9b}"`);
  assertEquals(shown("\u202e\u2028\u{e0001}"), String.raw`"\u{202e}\u{2028}\u{e0001}"`);
});

Deno.test("Layout.toMarkdown() lists the fields by offset, as deno fmt would", () => {
  assertEquals(
    Sample.toMarkdown(),
    `| offset | size | type                 | name     | meaning                       |
| ------ | ---- | -------------------- | -------- | ----------------------------- |
| 0      | 8    | f64                  | time     |                               |
| 16     | 8    | u64                  | id       | who                           |
| 64     | 4    | atomic u32, own line | sequence | counts samples \\| and \`wraps\` |
| 128    | 12   | f32[3]               | accel    |                               |
| 140    | 16   | text(16)             | label    |                               |
| 156    | 3    | bytes(3)             | blob     |                               |
| 160    | 8    | pose                 | pose     |                               |
| 168    | 16   | pose[2]              | path     |                               |
`,
  );
});
