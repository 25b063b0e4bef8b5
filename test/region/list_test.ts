/** `regions()`: tells what there is, and changes nothing. */

import { assert, assertEquals } from "@std/assert";
import { LockFile } from "../../src/region/liveness.ts";
import { MEMBER } from "../../src/region/opened.ts";
import { dataOffsetOf, REGION_HEADER } from "../../src/region/header.ts";
import { type RegionInfo, regions } from "../../src/region/list.ts";
import { topicPath } from "../../src/region/names.ts";
import { pageSize } from "../../src/os/page.ts";
import {
  CONTROL,
  dataOf,
  forge,
  idOf,
  MIRRORED,
  openFiles,
  patterned,
  Place,
  removeFile,
  TYPE,
} from "./scene.ts";
import { joinRegion, openRegion } from "./opening.ts";

const SIZE = 3000;

function infoOf(path: string): RegionInfo | undefined {
  return regions().find((info) => info.path === path);
}

Deno.test("regions() reports all about a region in use", () => {
  using place = new Place();
  const message = { name: "pose", hash: 0xabcn };
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o640, message });
  const { size, blocks } = Deno.statSync(place.path);
  assertEquals(infoOf(place.path), {
    name: place.name,
    kind: "test",
    path: place.path,
    sizeBytes: size,
    allocatedBytes: blocks! * 512,
    mode: 0o640,
    owner: Deno.uid()!,
    inUse: true,
    details: {
      id: idOf(region),
      dataBytes: SIZE,
      abiHash: CONTROL.hash,
      dataOffset: region.dataOffset,
      persist: false,
      type: { ...message, description: { codec: "pose", hash: "abc" } },
      geometry: {},
      policy: {},
      features: [],
    },
    problem: undefined,
  });
});

Deno.test("regions() counts mirrored data once", () => {
  using place = new Place(MIRRORED);
  const dataBytes = 4 * pageSize();
  using region = openRegion(MIRRORED, place.path, { dataBytes });
  const info = infoOf(place.path);
  assertEquals([info?.details?.dataBytes, info?.sizeBytes], [
    dataBytes,
    region.dataOffset + dataBytes,
  ]);
});

Deno.test("regions() reports regions in use, kept and abandoned", () => {
  using place = new Place();
  const state = () => {
    const info = infoOf(place.path);
    return info && [info.inUse, info.details?.persist];
  };
  assertEquals(state(), undefined);
  const region = openRegion(TYPE, place.path, { dataBytes: SIZE });
  assertEquals(state(), [true, false]);
  openRegion(TYPE, place.path, { dataBytes: SIZE, persist: true }).close();
  assertEquals(state(), [true, true]);
  region.close();
  assertEquals(state(), [false, true]);
  forge(place.path);
  assertEquals(state(), [false, false]);
});

Deno.test("regions() reports topics with their slashes", () => {
  const topic = `test/${Deno.pid}/front`;
  const path = topicPath("test", topic);
  using _file = { [Symbol.dispose]: () => removeFile(path) };
  forge(path);
  assertEquals(infoOf(path)?.name, topic);
});

Deno.test("regions() reports why it cannot tell more", () => {
  const things: Record<string, (path: string) => void> = {
    "the file is empty": (path) => Deno.writeFileSync(path, new Uint8Array(0)),
    "the file ends after 9 bytes, within the header": (path) =>
      Deno.writeFileSync(path, new Uint8Array(9)),
    "the file does not begin as a region does": (path) => Deno.writeFileSync(path, patterned(9999)),
    "its header has version 7, and this code knows 2": (path) => {
      forge(path);
      const bytes = Deno.readFileSync(path);
      bytes[REGION_HEADER.fields.header_version.offset] = 7;
      Deno.writeFileSync(path, bytes);
    },
    [`its header states ${2n ** 64n - 1n} bytes with data from ${dataOffsetOf(TYPE)}`]: (path) => {
      forge(path);
      const bytes = Deno.readFileSync(path);
      const { offset } = REGION_HEADER.fields.byte_length;
      bytes.fill(0xff, offset, offset + 8);
      Deno.writeFileSync(path, bytes);
    },
    "it is not a regular file": (path) => Deno.mkdirSync(path),
  };
  for (const [problem, put] of Object.entries(things)) {
    using place = new Place();
    put(place.path);
    const info = infoOf(place.path);
    const { size, mode } = Deno.lstatSync(place.path);
    assertEquals([info?.problem, info?.details], [problem, undefined]);
    assertEquals([info?.sizeBytes, info?.mode], [size, mode! & 0o7777]);
    const inUse = problem === "it is not a regular file" ? undefined : false;
    assertEquals(info?.inUse, inUse, problem);
  }
});

Deno.test("regions() does not follow a symbolic link", () => {
  using place = new Place();
  using link = new Place();
  using _region = openRegion(TYPE, place.path, { dataBytes: SIZE });
  Deno.symlinkSync(place.path, link.path);
  const info = infoOf(link.path);
  assertEquals([info?.problem, info?.inUse], ["it is not a regular file", undefined]);
});

Deno.test("regions() leaves out files that are not named as regions", () => {
  const endings = ["other.", "vring-", "vring.", "vring.Test.", "vring.test.a b", "vring.test.ä"];
  const paths = endings.map((ending) => `/dev/shm/${ending}${Deno.pid}`);
  using _files = { [Symbol.dispose]: () => paths.forEach(removeFile) };
  for (const path of paths) forge(path);
  assertEquals(paths.filter((path) => infoOf(path) !== undefined), []);
});

Deno.test("regions() is sorted by file name", () => {
  using _first = new Place();
  const places = [new Place(), new Place(MIRRORED), new Place(), new Place()];
  using _places = { [Symbol.dispose]: () => places.forEach((place) => place[Symbol.dispose]()) };
  for (const { path } of places) forge(path);
  const paths = regions().map(({ path }) => path);
  assertEquals(paths, [...paths].sort());
  for (const { path } of places) assert(paths.includes(path));
});

Deno.test("regions() finds more regions than one read of the directory returns", () => {
  const places = Array.from({ length: 1500 }, () => new Place());
  using _places = { [Symbol.dispose]: () => places.forEach((place) => place[Symbol.dispose]()) };
  for (const { path } of places) Deno.writeFileSync(path, new Uint8Array(1));
  const paths = new Set(regions().map(({ path }) => path));
  assertEquals(places.filter(({ path }) => !paths.has(path)).length, 0);
});

Deno.test("regions() changes no file, no lock and no byte", () => {
  using live = new Place();
  using abandoned = new Place();
  using kept = new Place();
  using foreign = new Place();
  using region = openRegion(TYPE, live.path, { dataBytes: SIZE });
  using _reader = joinRegion(TYPE, live.path, { readOnly: true });
  using _role = region.tryHold(3);
  dataOf(region).set(patterned(SIZE));
  forge(abandoned.path);
  forge(kept.path, { persist: true });
  Deno.writeFileSync(foreign.path, patterned(10));
  Deno.truncateSync(foreign.path, 100_000); // a hole, which reading may not fill
  const paths = [live, abandoned, kept, foreign].map(({ path }) => path);

  const look = () => ({
    files: paths.map((path) => {
      const { dev, ino, size, blocks, mode, nlink, uid, mtime, ctime } = Deno.lstatSync(path);
      return { path, dev, ino, size, blocks, mode, nlink, uid, mtime, ctime };
    }),
    contents: paths.map((path) => Deno.readFileSync(path)),
    locks: locksOf(paths),
    open: openFiles(),
  });
  const before = look();
  assert(before.locks.length >= 3, "the locks of the members are not to be seen");
  const listed = regions().filter(({ path }) => paths.includes(path));
  assertEquals(listed.length, 4);
  assertEquals(look(), before);
});

/** The kernel's list of the locks on these files. */
function locksOf(paths: string[]): string[] {
  const inodes = paths.map((path) => Deno.statSync(path).ino);
  // A listing is no snapshot: it can miss a lock while other processes lock and unlock. All of five
  // listings miss only one that is not held.
  const listings = Array.from({ length: 5 }, () => Deno.readTextFileSync("/proc/locks"));
  const lines = listings.flatMap((listing) => listing.split("\n"))
    .filter((line) => inodes.some((inode) => line.includes(`:${inode} `)))
    .map((line) => line.replace(/^\d+: /, ""));
  return [...new Set(lines)].sort();
}

Deno.test("regions() does not stand in the way of the last one out", () => {
  using place = new Place();
  forge(place.path);
  regions();
  using locks = new LockFile(place.path, { write: true, what: "the test" });
  assert(locks.tryLock(MEMBER, "write"));
});
