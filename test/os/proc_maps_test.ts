import { assert, assertEquals, assertGreater } from "@std/assert";
import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { type MappedRange, mappedRanges } from "../../src/os/proc_maps.ts";
import { isMapped } from "./process_state.ts";
import { ScratchFd } from "./scratch.ts";

function rangeAt(address: number): MappedRange | undefined {
  return mappedRanges().find(({ start, end }) => start <= address && address < end);
}

Deno.test("mappedRanges() reports the length, protection and file of a mapping", () => {
  const page = pageSize();
  using file = ScratchFd.memory(4 * page);
  const request = { length: 2 * page, protection: Protection.read, fd: file.fd, offset: page };
  const address = map({ ...request, flags: MapFlag.shared });
  assertGreater(address, 0);
  try {
    const range = rangeAt(address);
    assert(range !== undefined);
    assertEquals([range.start, range.end], [address, address + 2 * page]);
    assertEquals(range.permissions, "r--s");
    assertEquals(range.offset, page);
    assertEquals(range.inode, Deno.statSync(`/proc/self/fd/${file.fd}`).ino);
    assertEquals(range.path, "/memfd:scratch (deleted)");
  } finally {
    unmap(address, 2 * page);
  }
});

Deno.test("mappedRanges() returns ranges in order that do not overlap", () => {
  const ranges = mappedRanges();
  assertGreater(ranges.length, 10);
  let last = 0;
  for (const { start, end } of ranges) {
    assert(last <= start && start < end, `${start} ${end}`);
    last = end;
  }
});

Deno.test("mappedRanges() no longer has a range that was unmapped", () => {
  const page = pageSize();
  const flags = MapFlag.shared | MapFlag.anonymous;
  const address = map({ length: page, protection: Protection.none, flags });
  assert(isMapped(address));
  assertEquals(unmap(address, page), 0);
  assert(!isMapped(address));
});
