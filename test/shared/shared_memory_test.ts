import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, OsError } from "../../src/errors.ts";
import { array, struct } from "../../src/struct.ts";
import { layout } from "../../src/layout/layout.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { pageSize } from "../../src/os/page.ts";
import {
  SHARED_MEMORY_CONTROL,
  sharedMemory,
  type TypedArrayConstructor,
} from "../../src/shared/shared_memory.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { Name } from "./scene.ts";

/** The count of references in the control block of the file. */
function noted(place: Name): number {
  const bytes = Deno.readFileSync(place.path("shm"));
  return SHARED_MEMORY_CONTROL.read(bytes, REGION_HEADER.size).references;
}

// ---- made and refused ----

Deno.test("open() makes zeroed memory of the size in a file of the name", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 5000 }).open();
  assertEquals([memory.name, memory.size, memory.bytes.length], [place.name, 5000, 5000]);
  assertEquals(memory.bytes, new Uint8Array(5000));
  assertEquals(place.files(), [`vring.shm.${place.name}`]);
  assertEquals([memory.references, memory.persist], [1, false]);
});

// ---- one memory ----

Deno.test("bytes are those of the file at the offset, and no others", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 5001 }).open();
  const before = Deno.readFileSync(place.path("shm"));
  memory.bytes.set(bytesFrom(3, 5001));
  const after = Deno.readFileSync(place.path("shm"));
  assertEquals([memory.offset, after.length], [pageSize(), pageSize() + 5001]);
  assertEquals(after.subarray(memory.offset), bytesFrom(3, 5001));
  assertEquals(after.subarray(0, memory.offset), before.subarray(0, memory.offset));
});

const ARRAYS = [
  Uint8Array,
  Int16Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
] as TypedArrayConstructor<ArrayBufferView & { readonly length: number }>[];

Deno.test("as() returns the bytes as numbers, and leaves out a rest that is too small", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 8 * 125 + 7 }).open();
  memory.bytes.set(bytesFrom(11, memory.size));
  const copy = bytesFrom(11, memory.size).buffer;
  for (const array of ARRAYS) {
    const numbers = memory.as(array);
    const whole = Math.floor(memory.size / array.BYTES_PER_ELEMENT);
    assertEquals(numbers, new array(copy, 0, whole));
  }
});

Deno.test("view() returns accessors for a layout at an offset", () => {
  using place = new Name();
  const definition = sharedMemory(place.name, { size: 100 });
  using one = definition.open();
  using other = definition.open({ open: "join" });
  const Pose = layout("pose", { x: "f64", seen: "u32" });
  const pose = one.view(Pose, 48);
  pose.x = -2.5;
  pose.seen = 0xfedcba98;
  const { x, seen } = other.view(Pose, 48);
  assertEquals([x, seen], [-2.5, 0xfedcba98]);
  assertEquals([other.view(Pose).x, other.as(Float64Array)[6]], [0, -2.5]);
});

Deno.test("view() takes a struct as it takes a layout", () => {
  using place = new Name();
  const Pose = struct("pose", { x: "f64", grid: array("f32", 3) });
  using memory = sharedMemory(place.name, { size: Pose.size }).open();
  const { x, grid } = Object.assign(memory.view(Pose), { x: -2.5 });
  grid[2] = 0.5;
  assertEquals([x, memory.as(Float64Array)[0], memory.as(Float32Array)[4]], [-2.5, -2.5, 0.5]);
});

Deno.test("view() refuses a layout that does not fit", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 100 }).open();
  const Pose = layout("pose", { x: "f64", seen: "u32" });
  for (const offset of [4, 88, 100, -8, NaN]) {
    assertThrows(() => memory.view(Pose, offset), RangeError);
  }
});

// ---- references ----

Deno.test("references count 1, 2, 3, 2, 1 and 0, and the last close removes the file", () => {
  using place = new Name();
  const open = () => sharedMemory(place.name, { size: 32 }).open();
  const one = open();
  const counts = [[one.references, noted(place)]];
  const two = open();
  counts.push([one.references, noted(place)]);
  const three = open();
  counts.push([two.references, noted(place)]);
  two.close();
  counts.push([three.references, noted(place)]);
  one.close();
  counts.push([three.references, noted(place)]);
  assertEquals(counts, [[1, 1], [2, 2], [3, 3], [2, 2], [1, 1]]);
  assertEquals(place.files().length, 1);
  three.close();
  assertEquals([one.references, two.references, three.references], [0, 0, 0]);
  assertEquals(place.files(), []);
});

Deno.test("peers are the other members, and waitForPeers() waits for them", async () => {
  using place = new Name();
  const definition = sharedMemory(place.name, { size: 32 });
  using one = definition.open();
  using reader = definition.observer();
  assertEquals([one.peers, reader.peers], [0, 1]);
  await reader.waitForPeers(1);
  const late = await assertRejects(() => one.waitForPeers(1, { timeout: 0 }), DOMException);
  assertEquals(late.name, "TimeoutError");
  const waiting = one.waitForPeers(2);
  using two = definition.open();
  using _three = definition.open();
  await waiting;
  assertEquals([one.peers, two.peers, reader.peers], [2, 2, 3]);
  const more = one.waitForPeers(9);
  one.close();
  await assertRejects(() => more, ClosedError);
  assertThrows(() => one.peers, ClosedError);
});

Deno.test("references do not count a handle that observes", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 32 }).open();
  const reader = sharedMemory(place.name, { size: 32 }).observer();
  assertEquals([memory.references, reader.references], [1, 1]);
  reader.close();
  assertEquals([memory.references, reader.references], [1, 0]);
});

Deno.test("close() empties every view, and later calls throw a ClosedError", () => {
  using place = new Name();
  using _other = sharedMemory(place.name, { size: 64 }).open();
  const memory = sharedMemory(place.name, { size: 64 }).open();
  const { bytes } = memory;
  const numbers = memory.as(Float64Array);
  memory.close();
  memory.close();
  assertEquals([bytes.length, numbers.length, memory.bytes.length], [0, 0, 0]);
  assertEquals([bytes[0], numbers[0]], [undefined, undefined]);
  const action = `Cannot use shared memory "${memory.name}"`;
  assertThrows(() => memory.as(Float64Array), ClosedError, action);
  assertThrows(() => memory.view(layout("one", { x: "f64" })), ClosedError);
});

// ---- to stay, and to be removed ----

Deno.test("persist says whether the memory stays, in every handle", () => {
  using place = new Name();
  using one = sharedMemory(place.name, { size: 500 }).open();
  sharedMemory(place.name, { size: 500, persist: true }).open().close();
  assertEquals(one.persist, true);
});

// ---- reading only ----

Deno.test("ready() and an observer do not make the memory persist", async () => {
  using place = new Name();
  const kept = sharedMemory(place.name, { size: 500, persist: true });
  using memory = sharedMemory(place.name, { size: 500 }).open();
  await kept.ready();
  using _reader = kept.observer();
  assertEquals(memory.persist, false);
});

Deno.test("an observer sees the writes of others", () => {
  using place = new Name();
  using memory = sharedMemory(place.name, { size: 64 }).open();
  using reader = sharedMemory(place.name, { size: 64 }).observer();
  memory.bytes.set(bytesFrom(21, 64));
  assertEquals([reader.bytes, noted(place)], [bytesFrom(21, 64), 1]);
});

Deno.test("an observer does not keep memory alive, and finds none after all have left", () => {
  using place = new Name();
  const memory = sharedMemory(place.name, { size: 64 }).open();
  memory.bytes.set(bytesFrom(21, 64));
  using reader = sharedMemory(place.name, { size: 64 }).observer();
  memory.close();
  assertEquals([place.files(), reader.references, reader.bytes], [[], 0, bytesFrom(21, 64)]);
  const error = assertThrows(() => sharedMemory(place.name, { size: 64 }).observer(), OsError);
  assertEquals(error.code, "ENOENT");
  using fresh = sharedMemory(place.name, { size: 32 }).open();
  assertEquals(fresh.bytes, new Uint8Array(32));
});

Deno.test("the fields of a view throw TypeErrors once the memory is closed", () => {
  using place = new Name();
  const memory = sharedMemory(place.name, { size: 32 }).open();
  const view = memory.view(struct("kept", { a: "u8", b: array("f32", 2) }));
  view.a = 1;
  memory.close();
  assertThrows(() => view.a, TypeError);
  assertThrows(() => view.a = 2, TypeError);
});
