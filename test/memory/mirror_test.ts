import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OsError } from "../../src/errors.ts";
import { mapMirrored } from "../../src/memory/mirror.ts";
import { pageSize } from "../../src/os/page.ts";
import { addressSpace, rangesOf } from "../os/process_state.ts";
import { ScratchFd, ScratchFile } from "../os/scratch.ts";
import { bytesFrom } from "./bytes.ts";

const PAGE = pageSize();

Deno.test("mapMirrored() maps the header once and the ring behind it twice", () => {
  using file = ScratchFd.memory(3 * PAGE);
  const request = { header: PAGE, capacity: 2 * PAGE, what: "a test" };
  using mapping = mapMirrored(file.fd, request);
  assertEquals(mapping.length, 5 * PAGE);
  mapping.bytes.set(bytesFrom(0, 3 * PAGE));
  assertEquals(Deno.readFileSync(`/proc/self/fd/${file.fd}`), bytesFrom(0, 3 * PAGE));
  assertEquals(mapping.bytes.slice(3 * PAGE), bytesFrom(PAGE, 2 * PAGE));
  mapping.bytes.set(bytesFrom(5, 2 * PAGE), 3 * PAGE);
  assertEquals(
    mapping.bytes.slice(0, 3 * PAGE),
    Uint8Array.of(...bytesFrom(0, PAGE), ...bytesFrom(5, 2 * PAGE)),
  );
});

Deno.test("mapMirrored() maps several rings, each followed by itself", () => {
  using file = ScratchFd.memory(7 * PAGE);
  const capacity = 2 * PAGE;
  using mapping = mapMirrored(file.fd, { header: PAGE, capacity, rings: 3, what: "a test" });
  assertEquals(mapping.length, PAGE + 6 * capacity);
  for (let ring = 0; ring < 3; ring++) {
    const start = PAGE + 2 * capacity * ring;
    const contents = bytesFrom(ring, capacity);
    mapping.bytes.set(contents.subarray(5), start + 5);
    mapping.bytes.set(contents.subarray(0, 5), start + capacity); // runs past the seam
    assertEquals(mapping.bytes.slice(start, start + capacity), contents);
    assertEquals(mapping.bytes.slice(start + capacity, start + 2 * capacity), contents);
  }
  const expected = [0, 1, 2].map((ring) => bytesFrom(ring, capacity));
  const rings = Deno.readFileSync(`/proc/self/fd/${file.fd}`).subarray(PAGE);
  assertEquals(rings, Uint8Array.of(...expected.flatMap((ring) => [...ring])));
});

Deno.test("mapMirrored() maps for reading only when told so", () => {
  using file = ScratchFd.memory(PAGE);
  using mapping = mapMirrored(file.fd, {
    header: 0,
    capacity: PAGE,
    readOnly: true,
    what: "a test",
  });
  const ranges = rangesOf("/memfd:scratch");
  assertEquals(ranges.map(({ permissions }) => permissions), ["r--s", "r--s"]);
  assertEquals(ranges.map(({ start }) => start), [mapping.address, mapping.address + PAGE]);
});

Deno.test("mapMirrored() aligns the ring and leaves nothing beside it", () => {
  const alignment = 64 * PAGE;
  using file = ScratchFd.memory(PAGE);
  const grown = growth(() => {
    const mapping = mapMirrored(file.fd, { header: 0, capacity: PAGE, alignment, what: "a test" });
    assertEquals(mapping.address % alignment, 0);
    mapping.close(); // which keeps the addresses of both windows
  });
  assert(grown.includes(2), `${grown}`);
});

/**
 * By how many pages the address space grows in each of several calls. The engine and its threads
 * map memory when they like, but a call that leaks grows it every time.
 */
function growth(call: () => void): number[] {
  return Array.from({ length: 20 }, () => {
    const before = addressSpace();
    call();
    return addressSpace() - before;
  });
}

/** Runs a call that fails in a system call, and checks that it leaves nothing mapped. */
function failing(call: () => unknown, code: string): OsError {
  const error = assertThrows(call, OsError);
  assertEquals([error.syscall, error.code], ["mmap", code]);
  const grown = growth(() => assertThrows(call, OsError));
  assert(grown.includes(0), `${grown}`);
  assertEquals(rangesOf("/memfd:scratch"), []);
  return error;
}

Deno.test("mapMirrored() leaves nothing behind when there are not enough addresses", () => {
  using file = ScratchFd.memory(PAGE);
  const request = { header: 0, capacity: 2 ** 47, what: 'ring "demo"' };
  const error = failing(() => mapMirrored(file.fd, request), "ENOMEM");
  assertStringIncludes(error.message, 'addresses for ring "demo"');
});

Deno.test("mapMirrored() leaves nothing behind when the first window cannot be mapped", () => {
  using named = new ScratchFile(PAGE);
  using file = ScratchFd.open(named.path, 0); // cannot be mapped for writing
  const request = { header: 0, capacity: PAGE, what: 'ring "demo"' };
  const error = failing(() => mapMirrored(file.fd, request), "EACCES");
  assertStringIncludes(error.message, `${PAGE} bytes twice for ring "demo"`);
});

Deno.test("mapMirrored() leaves nothing behind when the second window cannot be mapped", () => {
  using file = ScratchFd.memory(2 * PAGE);
  // The second window begins at an offset within a page.
  const request = { header: PAGE / 2, capacity: PAGE / 2, what: "a test" };
  failing(() => mapMirrored(file.fd, request), "EINVAL");
});
