import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ClosedError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { layout } from "../../src/layout/layout.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { pageSize } from "../../src/os/page.ts";
import {
  SHARED_MEMORY_CONTROL,
  SharedMemory,
  type TypedArrayConstructor,
} from "../../src/shared/shared_memory.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "./scene.ts";

/** The count of references in the file, for whoever reads the control block. */
function noted(place: Name): number {
  const bytes = Deno.readFileSync(place.path("shm"));
  return SHARED_MEMORY_CONTROL.read(bytes, REGION_HEADER.size).references;
}

/** The inode of the file. */
function inodeOf(place: Name): number {
  return Deno.statSync(place.path("shm")).ino!;
}

// ---- made and refused ----

Deno.test("open() makes zeroed memory of the size in a file of the name", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 5000 });
  assertEquals([memory.name, memory.size, memory.bytes.length], [place.name, 5000, 5000]);
  assertEquals(memory.bytes, new Uint8Array(5000));
  assertEquals(place.files(), [`vring.shm.${place.name}`]);
  assertEquals([memory.references, memory.persist], [1, false]);
});

Deno.test("open() makes memory of 1 byte", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 1 });
  memory.bytes[0] = 77;
  using other = SharedMemory.open(place.name, { size: 1 });
  assertEquals([other.size, other.bytes[0]], [1, 77]);
});

Deno.test("open() and create() refuse a size that is none, and make nothing", () => {
  using place = new Name();
  const files = countFiles("/dev/shm/");
  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
    for (const make of [SharedMemory.open, SharedMemory.create]) {
      const error = assertThrows(() => make(place.name, { size }), RangeError);
      assertStringIncludes(error.message, `Cannot make shared memory of ${size} bytes`);
      assertStringIncludes(error.message, "a whole number of bytes");
    }
  }
  assertEquals([place.files(), countFiles("/dev/shm/")], [[], files]);
});

Deno.test("open() refuses a size that no address space has, and makes nothing", () => {
  using place = new Name();
  const error = assertThrows(
    () => SharedMemory.open(place.name, { size: 2 ** 46 + 1 }),
    RangeError,
  );
  assertStringIncludes(error.message, `${2 ** 46}`);
  assertEquals([place.files(), countFiles("/dev/shm")], [[], 0]);
});

Deno.test("open() says how much memory is missing, and makes nothing", () => {
  using place = new Name();
  const before = [countFiles("/dev/shm/"), rangesOf("/dev/shm/").length];
  const error = assertThrows(() => SharedMemory.open(place.name, { size: 2 ** 45 }), OsError);
  assertEquals([error.syscall, error.code], ["fallocate", "ENOSPC"]);
  assertMatch(error.message, /has [\d.]+ MB free and 33554432(\.0)? MB are needed/);
  assertEquals(place.files(), []);
  assertEquals([countFiles("/dev/shm/"), rangesOf("/dev/shm/").length], before);
});

Deno.test("open() refuses another size than the memory has, which goes on", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 100 });
  memory.bytes.set(bytesFrom(7, 100));
  for (const size of [99, 101, 8192]) {
    const error = assertThrows(() => SharedMemory.open(place.name, { size }), LayoutMismatchError);
    const what = `Cannot open shared memory "${place.name}": it holds 100 bytes, not ${size}`;
    assertStringIncludes(error.message, what);
  }
  assertThrows(() => SharedMemory.connect(place.name, { size: 99 }), LayoutMismatchError);
  assertEquals([memory.references, memory.bytes], [1, bytesFrom(7, 100)]);
});

Deno.test("SharedMemory refuses names that cannot be one", () => {
  for (const name of ["", "/", " ", "a/b", "a\0", "..", "ü", "a".repeat(201)]) {
    const attempts = [
      () => SharedMemory.open(name, { size: 1 }),
      () => SharedMemory.create(name, { size: 1 }),
      () => SharedMemory.connect(name),
      () => SharedMemory.unlink(name),
    ];
    for (const attempt of attempts) {
      const error = assertThrows(attempt, TypeError);
      assertStringIncludes(error.message, `Cannot use ${JSON.stringify(name)} as a name: `);
    }
  }
});

Deno.test("SharedMemory takes a name of 200 characters", () => {
  using place = new Name();
  const name = `${place.name}.${"_-".repeat(100)}`.slice(0, 200);
  using memory = SharedMemory.open(`/${name}`, { size: 8 });
  using other = SharedMemory.connect(name);
  assertEquals([memory.references, other.references], [2, 2]);
});

Deno.test("create() makes memory, and refuses while somebody uses the name", () => {
  using place = new Name();
  const memory = SharedMemory.create(place.name, { size: 64 });
  const error = assertThrows(() => SharedMemory.create(place.name, { size: 64 }), OsError);
  assertEquals([error.code, memory.references], ["EEXIST", 1]);
  memory.close();
  using _next = SharedMemory.create(place.name, { size: 65 });
});

Deno.test("connect() throws an OsError when there is none of the name", () => {
  using place = new Name();
  for (const options of [{}, { size: 8 }, { readOnly: true }]) {
    const error = assertThrows(() => SharedMemory.connect(place.name, options), OsError);
    assertEquals(error.code, "ENOENT");
    assertStringIncludes(error.message, `Cannot connect to shared memory "${place.name}"`);
    assertStringIncludes(error.message, "open it to make it");
  }
  assertEquals(place.files(), []);
});

Deno.test("open() does not take another kind of file for memory", () => {
  using place = new Name();
  Deno.writeFileSync(place.path("shm"), bytesFrom(1, 8192), { mode: 0o600 });
  assertThrows(() => SharedMemory.open(place.name, { size: 4096 }), LayoutMismatchError);
  assertThrows(() => SharedMemory.connect(place.name), LayoutMismatchError);
  assertEquals(Deno.readFileSync(place.path("shm")), bytesFrom(1, 8192));
});

Deno.test("open() gives new memory its mode whatever the umask", () => {
  using usual = new Name();
  using shared = new Name();
  const umask = Deno.umask(0o077);
  try {
    using _one = SharedMemory.open(usual.name, { size: 8 });
    using _other = SharedMemory.open(shared.name, { size: 8, mode: 0o664 });
    using _same = SharedMemory.open(shared.name, { size: 8, mode: 0o600 }); // too late to matter
    const modes = [usual, shared].map((place) => Deno.statSync(place.path("shm")).mode! & 0o7777);
    assertEquals(modes, [0o600, 0o664]);
  } finally {
    Deno.umask(umask);
  }
});

// ---- one memory ----

Deno.test("two handles share every byte", () => {
  using place = new Name();
  const size = 3 * pageSize() + 123;
  using one = SharedMemory.open(place.name, { size });
  using other = SharedMemory.open(place.name, { size });
  one.bytes.set(bytesFrom(0, size));
  assertEquals(other.bytes, bytesFrom(0, size));
  other.bytes.set(bytesFrom(999, size));
  assertEquals(one.bytes, bytesFrom(999, size));
});

Deno.test("bytes are those of the file at the offset, and nothing else in it", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 5001 });
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

Deno.test("as() gives the bytes as numbers, and leaves out a rest that is too small", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 8 * 125 + 7 });
  memory.bytes.set(bytesFrom(11, memory.size));
  const copy = bytesFrom(11, memory.size).buffer;
  for (const array of ARRAYS) {
    const numbers = memory.as(array);
    const whole = Math.floor(memory.size / array.BYTES_PER_ELEMENT);
    assertEquals(numbers, new array(copy, 0, whole));
  }
});

Deno.test("as() writes through to the other handle", () => {
  using place = new Name();
  using one = SharedMemory.open(place.name, { size: 64 });
  using other = SharedMemory.connect(place.name);
  one.as(Float64Array).set([0.1, -2, 1e300, NaN, 5, 6, 7, 8.5]);
  assertEquals([...other.as(Float64Array)], [0.1, -2, 1e300, NaN, 5, 6, 7, 8.5]);
});

Deno.test("as() is empty where not one element fits", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 7 });
  assertEquals(memory.as(Float64Array).length, 0);
});

Deno.test("view() gives accessors for a layout at an offset", () => {
  using place = new Name();
  using one = SharedMemory.open(place.name, { size: 100 });
  using other = SharedMemory.connect(place.name);
  const Pose = layout("pose", { x: "f64", seen: "u32" });
  const pose = one.view(Pose, 48);
  pose.x = -2.5;
  pose.seen = 0xfedcba98;
  const { x, seen } = other.view(Pose, 48);
  assertEquals([x, seen], [-2.5, 0xfedcba98]);
  assertEquals([other.view(Pose).x, other.as(Float64Array)[6]], [0, -2.5]);
});

Deno.test("view() refuses a layout that does not fit", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 100 });
  const Pose = layout("pose", { x: "f64", seen: "u32" });
  for (const offset of [4, 88, 100, -8, NaN]) {
    assertThrows(() => memory.view(Pose, offset), RangeError);
  }
});

// ---- references ----

Deno.test("references count 1, 2, 3, 2, 1 and 0, and the last close removes the file", () => {
  using place = new Name();
  const open = () => SharedMemory.open(place.name, { size: 32 });
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

Deno.test("references count a handle that may only read", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 32 });
  const reader = SharedMemory.connect(place.name, { readOnly: true });
  assertEquals([memory.references, reader.references], [2, 2]);
  reader.close();
  assertEquals([memory.references, reader.references], [1, 0]);
});

Deno.test("references do not count an attempt that failed", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 32 });
  assertThrows(() => SharedMemory.open(place.name, { size: 33 }), LayoutMismatchError);
  assertThrows(() => SharedMemory.create(place.name, { size: 32 }), OsError);
  assertEquals(memory.references, 1);
});

Deno.test("close() gives memory, mapping and files back", () => {
  using place = new Name();
  const before = [countFiles("/dev/shm/"), rangesOf("/dev/shm/").length];
  {
    using one = SharedMemory.open(place.name, { size: 2 ** 20 });
    using _other = SharedMemory.connect(place.name, { readOnly: true });
    one.bytes.fill(1);
    assertEquals(rangesOf("/dev/shm/").length, before[1]! + 2);
    assert(countFiles("/dev/shm/") > before[0]!);
  }
  assertEquals(place.files(), []);
  assertEquals([countFiles("/dev/shm/"), rangesOf("/dev/shm/").length], before);
});

Deno.test("close() empties every view, and what it is asked then is a ClosedError", () => {
  using place = new Name();
  using _other = SharedMemory.open(place.name, { size: 64 });
  const memory = SharedMemory.open(place.name, { size: 64 });
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

Deno.test("close() of one handle leaves the memory of the other", () => {
  using place = new Name();
  using one = SharedMemory.open(place.name, { size: 500 });
  const other = SharedMemory.open(place.name, { size: 500 });
  other.bytes.set(bytesFrom(5, 500));
  other.close();
  assertEquals([one.bytes, one.references], [bytesFrom(5, 500), 1]);
});

Deno.test("open() after the last close makes other memory, zeroed", () => {
  using place = new Name();
  const old = SharedMemory.open(place.name, { size: 500 });
  old.bytes.set(bytesFrom(5, 500));
  old.close();
  using memory = SharedMemory.open(place.name, { size: 400 });
  assertEquals(memory.bytes, new Uint8Array(400));
});

// ---- to stay, and to be removed ----

Deno.test("memory with persist stays when the last one leaves, until it is unlinked", () => {
  using place = new Name();
  const first = SharedMemory.open(place.name, { size: 500, persist: true });
  first.bytes.set(bytesFrom(5, 500));
  assertEquals(first.persist, true);
  first.close();
  assertEquals(place.files().length, 1);
  {
    using again = SharedMemory.open(place.name, { size: 500 });
    assertEquals([again.bytes, again.persist, again.references], [bytesFrom(5, 500), true, 1]);
  }
  assertEquals(place.files().length, 1);
  assertEquals([SharedMemory.unlink(place.name), SharedMemory.unlink(place.name)], [true, false]);
  assertEquals(place.files(), []);
});

Deno.test("open() with persist makes memory stay that was there without it", () => {
  using place = new Name();
  using one = SharedMemory.open(place.name, { size: 500 });
  SharedMemory.open(place.name, { size: 500, persist: true }).close();
  assertEquals(one.persist, true);
  one.close();
  assertEquals(place.files().length, 1);
});

Deno.test("create() refuses memory that stayed", () => {
  using place = new Name();
  SharedMemory.create(place.name, { size: 500, persist: true }).close();
  const error = assertThrows(() => SharedMemory.create(place.name, { size: 500 }), OsError);
  assertEquals(error.code, "EEXIST");
});

Deno.test("unlink() leaves the memory to those who have it, and newcomers make another", () => {
  using place = new Name();
  using old = SharedMemory.open(place.name, { size: 100 });
  old.bytes.set(bytesFrom(5, 100));
  const inode = inodeOf(place);
  assertEquals(SharedMemory.unlink(place.name), true);
  using memory = SharedMemory.open(place.name, { size: 200 });
  assertNotEquals(inodeOf(place), inode);
  assertEquals([old.bytes, memory.bytes], [bytesFrom(5, 100), new Uint8Array(200)]);
  assertEquals([old.references, memory.references], [1, 1]);
  old.close();
  assertEquals(place.files().length, 1); // it is not its file any more
});

// ---- reading only ----

Deno.test("connect() with readOnly shows what others write", () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 64 });
  using reader = SharedMemory.connect(place.name, { readOnly: true, size: 64 });
  memory.bytes.set(bytesFrom(21, 64));
  assertEquals([reader.bytes, noted(place)], [bytesFrom(21, 64), 1]);
});

Deno.test("connect() with readOnly finds nothing where all have left", () => {
  using place = new Name();
  const memory = SharedMemory.open(place.name, { size: 64 });
  const reader = SharedMemory.connect(place.name, { readOnly: true });
  memory.close(); // not the last one, who cannot remove it
  reader.close();
  assertEquals(place.files().length, 1);
  const error = assertThrows(() => SharedMemory.connect(place.name, { readOnly: true }), OsError);
  assertEquals(error.code, "ENOENT");
  using fresh = SharedMemory.open(place.name, { size: 32 });
  assertEquals(fresh.bytes, new Uint8Array(32));
});
