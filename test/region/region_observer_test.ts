/** `observe()` looks at any region and changes nothing. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { observe } from "../../src/region/region_observer.ts";
import { Word32 } from "../../src/memory/word.ts";
import {
  CONTROL,
  dataOf,
  forge,
  idOf,
  MIRRORED,
  openFiles,
  OTHER_TYPE,
  patterned,
  Place,
  TYPE,
} from "./scene.ts";
import { joinRegion, openRegion } from "./opening.ts";

const SIZE = 600;

Deno.test("observe() reads the header, the words and the data, and sees who is there", () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o644 });
  dataOf(region).set(patterned(SIZE));
  new Word32(region.mapping, CONTROL.fields.count, region.controlOffset).store(7);
  const before = Deno.readFileSync(place.path);
  using observer = observe("test", place.name);
  assertEquals([observer.kind, observer.name, observer.path], ["test", place.name, place.path]);
  assertEquals([observer.details.id, observer.details.dataBytes], [idOf(region), SIZE]);
  assertEquals(observer.control(CONTROL), { turn: 0, count: 7 });
  assertEquals(observer.read(0, SIZE + 10), patterned(SIZE));
  assertEquals(observer.read(590, 5), patterned(SIZE).slice(590, 595));
  assertEquals(observer.read(SIZE, 5), new Uint8Array());
  assertEquals([observer.members, observer.isHeld(3), observer.hasName], [1, false, true]);
  using second = joinRegion(TYPE, place.path)!;
  using _role = second.tryHold(3);
  assertEquals([observer.members, observer.isHeld(3), observer.isHeld(2)], [2, true, false]);
  assertEquals([region.countMembers(), Deno.readFileSync(place.path)], [2, before]);
});

Deno.test("observe() looks at data that is mapped twice, and at an abandoned region", () => {
  using place = new Place(MIRRORED);
  const data = patterned(4096);
  forge(place.path, { regionType: MIRRORED, data });
  using observer = observe(MIRRORED.name, place.name);
  assertEquals([observer.members, observer.read(0, 5000)], [0, data]);
});

Deno.test("observe() sees that the name leads elsewhere, and reads on", () => {
  using place = new Place();
  const region = openRegion(TYPE, place.path, { dataBytes: SIZE });
  dataOf(region).set(patterned(SIZE));
  using observer = observe("test", place.name);
  region.close();
  assertEquals([place.exists, observer.hasName], [false, false]);
  using _other = openRegion(TYPE, place.path, { dataBytes: SIZE });
  assertEquals([observer.hasName, observer.members], [false, 0]);
  assertEquals(observer.read(0, SIZE), patterned(SIZE));
});

Deno.test("observe() copies what is left of a file that was shortened", () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: 3 * 4096 });
  using observer = observe("test", place.name);
  Deno.truncateSync(place.path, region.dataOffset + 100);
  assertEquals(observer.read(0, 4096).length, 100);
  assertEquals(observer.read(200, 10).length, 0);
  Deno.truncateSync(place.path, 300);
  assertThrows(() => observer.control(CONTROL), LayoutMismatchError, "its file ends after 300");
  region.mapping.close(); // its memory is gone
});

Deno.test("observe() refuses a file without a header, and leaves nothing open", () => {
  using place = new Place();
  const files = openFiles();
  const open = () => observe("test", place.name);
  assertEquals(assertThrows(open, OsError, "regions() lists").code, "ENOENT");
  Deno.writeFileSync(place.path, patterned(1000), { mode: 0o600 });
  assertThrows(open, LayoutMismatchError, "does not begin as a region does");
  assertEquals(openFiles(), files);
  for (const kind of ["", "../x", "A", 5]) {
    assertThrows(() => observe(kind as string, place.name), TypeError, "of kind");
  }
  assertThrows(() => observe("test", "a/../b\0"), TypeError);
});

Deno.test("observe() refuses other layouts, roles and ranges, and every call once closed", () => {
  using place = new Place();
  using _region = openRegion(TYPE, place.path, { dataBytes: SIZE });
  const observer = observe("test", place.name);
  assertThrows(() => observer.control(OTHER_TYPE.control as never), LayoutMismatchError, "layout");
  for (const role of [-1, 0.5, NaN, 2 ** 32]) {
    assertThrows(() => observer.isHeld(role), RangeError, "pass a count");
  }
  for (const [offset, length] of [[-1, 1], [SIZE + 1, 1], [0, -1], [0, 2 ** 31], [0.5, 1]]) {
    assertThrows(() => observer.read(offset!, length!), RangeError, `it has ${SIZE}`);
  }
  observer.close();
  observer.close();
  const calls = [
    () => observer.members,
    () => observer.hasName,
    () => observer.isHeld(0),
    () => observer.read(0, 1),
    () => observer.control(CONTROL),
  ];
  for (const call of calls) assertThrows(call, ClosedError);
  assert(observer.details.dataBytes === SIZE);
});
