import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ClosedError, OsError } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { map, MapFlag, Protection, ranges, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { countFiles, isMapped } from "../os/process_state.ts";
import { ScratchFd } from "../os/scratch.ts";
import { byteAt, bytesFrom } from "./bytes.ts";

Deno.test("Mapping.anonymous() returns zeros that can be written", () => {
  using mapping = Mapping.anonymous(3 * pageSize(), "a test");
  assertEquals(mapping.bytes.slice(), new Uint8Array(3 * pageSize()));
  mapping.bytes.set(bytesFrom(0, mapping.length));
  assertEquals(mapping.bytes.slice(), bytesFrom(0, mapping.length));
});

Deno.test("Mapping.ofFile() shares the bytes of a file with every other mapping of it", () => {
  using file = ScratchFd.memory(2 * pageSize());
  using first = Mapping.ofFile(file.fd, { length: 2 * pageSize(), what: "a test" });
  using second = Mapping.ofFile(file.fd, { length: 2 * pageSize(), what: "a test" });
  assert(first.address !== second.address);
  first.bytes.set(bytesFrom(0, first.length));
  assertEquals(second.bytes.slice(), bytesFrom(0, first.length));
  assertEquals(Deno.readFileSync(`/proc/self/fd/${file.fd}`), bytesFrom(0, first.length));
});

Deno.test("Mapping.ofFile() maps for reading only when told so", () => {
  using file = ScratchFd.memory(pageSize());
  using writable = Mapping.ofFile(file.fd, { length: pageSize(), what: "a test" });
  using mapping = Mapping.ofFile(file.fd, { length: pageSize(), readOnly: true, what: "a test" });
  const range = mappedRanges().find(({ start }) => start === mapping.address);
  assertEquals(range?.permissions, "r--s");
  writable.bytes.set(bytesFrom(9, 100), 50);
  assertEquals(mapping.bytes.slice(50, 150), bytesFrom(9, 100));
});

Deno.test("Mapping.ofFile() stays when the fd is closed", () => {
  const file = ScratchFd.memory(pageSize());
  using mapping = Mapping.ofFile(file.fd, { length: pageSize(), what: "a test" });
  file[Symbol.dispose]();
  mapping.bytes[17] = byteAt(17);
  assertEquals(mapping.bytes[17], byteAt(17));
});

Deno.test("Mapping.ofFile() throws an OsError that says what failed for what", () => {
  const error = assertThrows(
    () => Mapping.ofFile(-1, { length: 4096, what: 'region "demo"' }),
    OsError,
    'Cannot map 4096 bytes for region "demo"',
  );
  assertEquals([error.syscall, error.code], ["mmap", "EBADF"]);
});

Deno.test("Mapping.anonymous() throws an OsError for more than there are addresses", () => {
  const error = assertThrows(() => Mapping.anonymous(2 ** 50, "a test"), OsError, "a test");
  assertEquals([error.syscall, error.code], ["mmap", "ENOMEM"]);
});

Deno.test("close() empties every view and unmaps the range", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(0, mapping.length));
  const views = [
    mapping.bytes,
    mapping.doubles,
    mapping.bytes.subarray(10, 20),
    new Uint32Array(mapping.bytes.buffer, 8, 2),
    new Float64Array(mapping.bytes.buffer),
  ];
  const view = new DataView(mapping.bytes.buffer, 8, 8);
  mapping.close();
  assert(!isMapped(mapping.address));
  for (const { length, [0]: first, byteLength, byteOffset } of views) {
    assertEquals([length, first, byteLength, byteOffset], [0, undefined, 0, 0]);
  }
  assertThrows(() => view.getUint8(0), TypeError);
  assertThrows(() => mapping.bytes.slice(), TypeError);
});

Deno.test("close() makes stores through a stale view go nowhere", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  const stale = mapping.bytes.subarray(0, 16);
  mapping.close();
  stale[3] = 77;
  assertThrows(() => stale.fill(78), TypeError);
  assertEquals(stale[3], undefined);
});

Deno.test("close() gives the memory back though its buffer was transferred, and then throws", () => {
  using file = ScratchFd.memory(pageSize());
  using other = Mapping.ofFile(file.fd, { length: pageSize(), what: "a test" });
  const mapping = Mapping.ofFile(file.fd, { length: pageSize(), what: 'memory "demo"' });
  mapping.bytes[5] = 55;
  const moved = structuredClone(mapping.bytes, { transfer: [mapping.bytes.buffer] });
  assertEquals([mapping.usable, mapping.closed, moved[5]], [false, false, 55]);
  assertThrows(() => mapping.close(), TypeError, 'Cannot close memory "demo" in order: the buffer');
  assertEquals([mapping.closed, isMapped(mapping.address), moved[5]], [true, false, 0]);
  moved[5] = 77;
  assertEquals([moved[5], other.bytes[5]], [77, 55]);
  mapping.close();
});

Deno.test("a Mapping says why it cannot be used", () => {
  const [closed, moved] = [1, 2].map(() => Mapping.anonymous(pageSize(), "a test"));
  closed!.close();
  moved!.bytes.buffer.transfer();
  assertInstanceOf(closed!.whyUnusable("it"), ClosedError);
  assertInstanceOf(moved!.whyUnusable("it"), TypeError);
  assertThrows(() => moved!.close(), TypeError);
});

Deno.test("close() can be called twice and unmaps nothing that came after", () => {
  const page = pageSize();
  const mapping = Mapping.anonymous(page, "a test");
  assertEquals(mapping.closed, false);
  mapping.close();
  assertEquals(mapping.closed, true);
  const { address } = mapping;
  const flags = MapFlag.shared | MapFlag.anonymous | MapFlag.fixed;
  assertEquals(map({ address, length: page, protection: Protection.read, flags }), address);
  mapping.close();
  mapping[Symbol.dispose]();
  assert(isMapped(address));
  assertEquals(unmap(address, page), 0);
});

Deno.test("close() notifies every listener, once, before the memory is gone", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  const told: string[] = [];
  const listeners = ["a", "b"].map((name) => () => {
    told.push(`${name} ${mapping.closed} ${mapping.bytes.length > 0}`);
  });
  const gone = () => told.push("taken back");
  [...listeners, gone].forEach((listener) => mapping.onClose(listener));
  mapping.offClose(gone);
  mapping.close();
  mapping.close();
  assertEquals(told, ["a false true", "b false true"]);
});

Deno.test("offClose() may be called from a listener of close()", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  const told: number[] = [];
  [1, 2].forEach((n) => {
    const listener = () => {
      mapping.offClose(listener);
      told.push(n);
    };
    mapping.onClose(listener);
  });
  mapping.close();
  assertEquals(told, [1, 2]);
});

Deno.test("onClose() throws a ClosedError once the mapping is closed", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.close();
  assertThrows(() => mapping.onClose(() => {}), ClosedError, "Cannot wait on a test: it is closed");
});

Deno.test("bytes and doubles are one view each of the same memory", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(0, mapping.length));
  assertEquals(mapping.doubles.length, mapping.length / 8);
  assertEquals(mapping.doubles[5], new DataView(bytesFrom(40, 8).buffer).getFloat64(0, true));
  assertStrictEquals(mapping.doubles, mapping.doubles);
  assertStrictEquals(mapping.bytes, mapping.bytes);
  assertEquals(mapping.bytes.byteOffset, 0);
});

Deno.test("a thousand mappings that were closed leave no range and no fd", () => {
  const cycle = () => {
    using file = ScratchFd.memory(2 * pageSize());
    using shared = Mapping.ofFile(file.fd, { length: 2 * pageSize(), what: "a test" });
    using anonymous = Mapping.anonymous(pageSize(), "a test");
    shared.bytes.set(anonymous.bytes, 5);
    return [shared.address, anonymous.address];
  };
  cycle();
  const fds = countFiles("/memfd:");
  const before = ranges();
  const used = new Set<number>();
  for (let i = 0; i < 1000; i++) cycle().forEach((address) => used.add(address));
  const after = ranges();
  assertEquals(after.retiredBytes - before.retiredBytes, 1000 * 3 * pageSize());
  assertLess(after.retired - before.retired, 500); // neighbours merge, here and in the kernel
  assertLess(countFiles("/memfd:"), fds + 500); // tests of other files may run beside this one
  const left = mappedRanges().filter((range) => range.path.includes("/memfd:scratch"));
  assertEquals(left, []);
  const shared = mappedRanges().filter(({ permissions }) => permissions.endsWith("s"));
  assertEquals(shared.filter(({ start }) => used.has(start)), []);
});
