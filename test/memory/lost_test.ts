/**
 * Memory that is gone: a touch does not end the process, and the mapping is unusable for good.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { check, CorruptRegionError } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { mapMirrored } from "../../src/memory/mirror.ts";
import { Word32 } from "../../src/memory/word.ts";
import { close, map, MapFlag, memfd, MemfdFlag, Protection, truncate } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { ScratchFd } from "../os/scratch.ts";
import { bytesFrom } from "./bytes.ts";

const ANY = { path: "word", offset: 0 };

/** A mapping of two pages, whose file is then truncated to so many bytes. */
function truncated(bytes: number): Mapping {
  const length = 2 * pageSize();
  using file = ScratchFd.memory(length);
  const mapping = Mapping.ofFile(file.fd, { length, what: 'ring "demo"' });
  mapping.bytes.set(bytesFrom(0, length));
  check(truncate(file.fd, bytes), { syscall: "ftruncate", action: "truncate" });
  return mapping;
}

/** Touches a page that is gone, each in its own way; the result would be 0. */
const TOUCHES: Readonly<Record<string, (mapping: Mapping) => unknown>> = {
  "an array": ({ bytes }) => bytes[5000],
  "a store": ({ bytes }) => (bytes.fill(7), 0),
  "a word": (mapping) => new Word32(mapping, ANY).load(),
  "a read-modify-write": (mapping) => new Word32(mapping, ANY).or(1),
  "a native store": (mapping) =>
    new Word32(mapping, ANY).storeThenGlance(1, new Word32(mapping, ANY)) - 1,
  "a native spin": (mapping) => Number(new Word32(mapping, ANY).spinWhile(0, 1000)),
  TextDecoder: ({ bytes }) => new TextDecoder().decode(bytes).charCodeAt(9),
  base64: ({ bytes }) => Number(!/^A*=*$/.test(bytes.toBase64())),
  slice: ({ bytes }) => bytes.slice().reduce((sum, byte) => sum + byte),
  sort: ({ bytes }) => bytes.subarray(0, 100).sort()[3],
};

for (const [what, touch] of Object.entries(TOUCHES)) {
  Deno.test(`a touch of memory that is gone finds zeros, by ${what}`, () => {
    using mapping = truncated(0);
    mapping.checkWhole();
    assertEquals(touch(mapping), 0);
    assertThrows(
      () => mapping.checkWhole(),
      CorruptRegionError,
      'Cannot use ring "demo": its file was',
    );
    assertEquals([mapping.usable, mapping.isLost, mapping.closed], [true, true, false]);
  });
}

Deno.test("a fault takes all memory of a mapping away, for good, and none of another", () => {
  const length = 2 * pageSize();
  using file = ScratchFd.memory(length);
  using lost = Mapping.ofFile(file.fd, { length, what: "a test" });
  using other = Mapping.ofFile(file.fd, { length, what: "a test" });
  other.bytes.set(bytesFrom(0, length));
  truncate(file.fd, pageSize());
  assertEquals(lost.bytes[0], bytesFrom(0, 1)[0]); // the first page is there
  lost.checkWhole();
  assertEquals(lost.bytes[pageSize()], 0);
  assertEquals(lost.bytes[0], 0); // though its page still is
  truncate(file.fd, length);
  lost.bytes[3] = 77;
  assertEquals(other.bytes[3], bytesFrom(3, 1)[0]); // nothing reaches anybody
  assert(lost.isLost && !other.isLost);
  other.checkWhole();
});

Deno.test("a fault in one window of a mirror takes both away", () => {
  const capacity = pageSize();
  using file = ScratchFd.memory(3 * capacity);
  using mapping = mapMirrored(file.fd, { header: capacity, capacity, rings: 2, what: "a mirror" });
  mapping.bytes.fill(9);
  truncate(file.fd, 2 * capacity);
  assertEquals(mapping.bytes[4 * capacity], 0); // the second window of the second ring
  assertEquals([mapping.bytes[0], mapping.bytes[capacity], mapping.bytes[2 * capacity]], [0, 0, 0]);
  assert(mapping.isLost);
});

Deno.test("a mapping that takes the place of a lost one in the table is whole", () => {
  const lost = truncated(0);
  assertEquals(lost.bytes[0], 0);
  lost.close();
  assertEquals([lost.isLost, lost.usable, lost.closed], [false, false, true]);
  using next = Mapping.anonymous(pageSize(), "a test");
  next.checkWhole();
  assert(next.usable);
});

Deno.test("a huge page that the system does not have is memory that is gone", () => {
  const length = 2 ** 21;
  const fd = memfd("vring-test", MemfdFlag.closeOnExec | MemfdFlag.hugePages);
  if (fd < 0) return console.log("NOT TESTED: huge pages, as this kernel makes no file of them");
  try {
    check(truncate(fd, 64 * length), { syscall: "ftruncate", action: "make a file of huge pages" });
    const flags = MapFlag.shared | MapFlag.noReserve;
    const protection = Protection.read | Protection.write;
    const address = map({ length: 64 * length, protection, flags, fd });
    if (address < 0) return console.log("NOT TESTED: huge pages, which are not to be mapped here");
    using mapping = new Mapping(address, { length: 64 * length, what: "huge pages" });
    let sum = 0;
    for (let at = 0; at < mapping.length; at += length) sum += mapping.bytes[at]!; // beyond any pool
    assertEquals(sum, 0);
    assertThrows(() => mapping.checkWhole(), CorruptRegionError);
  } finally {
    close(fd);
  }
});

Deno.test("compiled code finds the fault word set after the first zero that it reads", () => {
  const length = pageSize();
  let unseen = 0;
  const look = (mapping: Mapping, fd: number, at: number) => {
    const { bytes } = mapping;
    for (let i = 0; i < 20_000; i++) {
      if (i === at) truncate(fd, 0);
      const byte = bytes[i & 1023];
      const isLost = mapping.isLost;
      if (byte === 0 && !isLost) unseen++;
      if (i > at && byte !== 0) unseen++;
    }
  };
  for (let round = 0; round < 60; round++) { // compiled after a few
    using file = ScratchFd.memory(length);
    using mapping = Mapping.ofFile(file.fd, { length, what: "a test" });
    mapping.bytes.fill(7);
    look(mapping, file.fd, round * 331);
    assert(mapping.isLost);
  }
  assertEquals(unseen, 0);
});
