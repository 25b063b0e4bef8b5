import { assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ClosedError } from "../../src/errors.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { ranges } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { byteAt, bytesFrom } from "../memory/bytes.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { steps, tell } from "./story.ts";

const PAGE = pageSize();

/** An empty ring of one page whose two positions stand at `offset`. */
function ringAt(offset: number): MirrorRing {
  const ring = new MirrorRing(PAGE);
  ring.claim(offset);
  ring.commit(offset);
  ring.consume(offset);
  return ring;
}

/** The memory of rings that this process has mapped; the native library is mapped by this name too. */
function ringRanges(): string[] {
  return rangesOf("/memfd:vring (")
    .filter(({ permissions }) => permissions.endsWith("s"))
    .map(({ start }) => start.toString(16));
}

Deno.test("MirrorRing rounds its capacity up to whole pages", () => {
  const pages = [[1, 1], [PAGE - 1, 1], [PAGE, 1], [PAGE + 1, 2], [5 * PAGE - 7, 5]] as const;
  for (const [wanted, expected] of pages) {
    using ring = new MirrorRing(wanted);
    assertEquals(ring.capacity, expected * PAGE);
    assertEquals([ring.available, ring.free], [0, ring.capacity]);
    assertEquals([ring.hugePages, ring.hugePagesRefused], [false, undefined]);
  }
});

Deno.test("MirrorRing refuses a capacity that is not a whole number from 1 to its limit", () => {
  for (const wrong of [0, -1, -PAGE, 1.5, NaN, Infinity, -Infinity, 2 ** 36 + 1, 2 ** 53]) {
    assertThrows(() => new MirrorRing(wrong), RangeError, `a ring of ${wrong} bytes`);
  }
});

Deno.test("MirrorRing keeps a message in one piece at every offset across the seam", () => {
  using ring = new MirrorRing(PAGE);
  const length = 100;
  for (let offset = 0; offset < PAGE; offset++) {
    ring.write(bytesFrom(offset, length));
    const piece = ring.peek();
    assertEquals(piece.byteOffset, offset);
    assertEquals(piece.slice(), bytesFrom(offset, length));
    ring.consume(length);
    ring.claim(PAGE - length + 1);
    ring.commit(); // on to the next offset
    ring.consume(PAGE - length + 1);
  }
});

Deno.test("claim() takes all free space by default", () => {
  using ring = ringAt(7);
  ring.write(bytesFrom(0, 100));
  assertEquals(ring.claim().length, PAGE - 100);
  assertEquals(ring.free, PAGE - 100);
});

Deno.test("commit() counts for the last claim only, and once", () => {
  using ring = ringAt(0);
  ring.claim(50);
  ring.claim(10);
  assertThrows(() => ring.commit(11), RangeError, "10 are claimed");
  ring.commit(4);
  assertThrows(() => ring.commit(1), RangeError, "0 are claimed");
  ring.commit(); // nothing
  assertEquals(ring.available, 4);
});

Deno.test("peek() and claim() show the memory of the ring itself", () => {
  using ring = ringAt(PAGE - 4);
  ring.claim(8).set(bytesFrom(0, 8));
  ring.commit();
  ring.peek().set(bytesFrom(77, 2), 5);
  const target = new Uint8Array(8);
  ring.read(target);
  assertEquals(target, Uint8Array.of(...bytesFrom(0, 5), ...bytesFrom(77, 2), byteAt(7)));
});

Deno.test("claim(), commit(), peek() and consume() refuse more than there is, changing nothing", () => {
  using ring = ringAt(9);
  ring.write(bytesFrom(0, 12));
  assertThrows(() => ring.claim(PAGE - 11), RangeError, `${PAGE - 12} of ${PAGE} are free`);
  assertThrows(() => ring.commit(1), RangeError, "0 are claimed");
  assertThrows(() => ring.peek(13), RangeError, "12 are readable");
  assertThrows(() => ring.consume(13), RangeError, "12 are readable");
  ring.claim(5);
  for (const wrong of [-1, NaN, 0.5, Infinity, -Infinity]) {
    assertThrows(() => ring.claim(wrong), RangeError, `${wrong} bytes`);
    assertThrows(() => ring.commit(wrong), RangeError, `${wrong} bytes`);
    assertThrows(() => ring.peek(wrong), RangeError, `${wrong} bytes`);
    assertThrows(() => ring.consume(wrong), RangeError, `${wrong} bytes`);
  }
  assertEquals([ring.available, ring.free], [12, PAGE - 12]);
  assertEquals(ring.peek().slice(), bytesFrom(0, 12));
});

Deno.test("bytes shows every byte twice, in both directions", () => {
  using ring = new MirrorRing(2 * PAGE);
  const { bytes, capacity } = ring;
  assertEquals(bytes.length, 2 * capacity);
  bytes.set(bytesFrom(0, capacity));
  assertEquals(bytes.slice(capacity), bytesFrom(0, capacity));
  bytes.set(bytesFrom(9999, capacity), capacity);
  assertEquals(bytes.slice(0, capacity), bytesFrom(9999, capacity));
});

Deno.test("two rings share nothing", () => {
  using first = new MirrorRing(PAGE);
  using second = new MirrorRing(PAGE);
  first.bytes.set(bytesFrom(0, 2 * PAGE));
  assertEquals(second.bytes.slice(), new Uint8Array(2 * PAGE));
});

Deno.test("close() empties every view and every method throws a ClosedError", () => {
  const before = ringRanges();
  const ring = ringAt(PAGE - 4);
  ring.write(bytesFrom(0, 12));
  const views = [ring.bytes, ring.peek(), ring.claim(5)];
  assertEquals(ringRanges().length, before.length + 2);
  ring.close();
  assertEquals(ringRanges(), before);
  assertEquals(views.map((view) => [view.length, view[0]]), Array(3).fill([0, undefined]));
  const calls = [
    () => ring.bytes,
    () => ring.write(bytesFrom(0, 1)),
    () => ring.write(new Uint8Array()),
    () => ring.read(new Uint8Array(1)),
    () => ring.read(new Uint8Array()),
    () => ring.claim(1),
    () => ring.claim(),
    () => ring.commit(1),
    () => ring.commit(),
    () => ring.peek(1),
    () => ring.peek(),
    () => ring.consume(1),
  ];
  for (const call of calls) assertThrows(call, ClosedError, "the ring: it is closed");
  ring.close();
});

Deno.test("a thousand rings leave no range and no fd", () => {
  const before = ringRanges();
  const fds = countFiles("/memfd:");
  for (let i = 0; i < 1000; i++) {
    using ring = new MirrorRing((1 + i % 3) * PAGE);
    assertEquals(ring.write(bytesFrom(i, 9)), 9);
  }
  assertEquals(ringRanges(), before);
  assertLess(countFiles("/memfd:"), fds + 500); // tests of other files may run beside this one
});

Deno.test("MirrorRing is a queue of bytes under any order of operations", () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2), steps(PAGE), (pages, story) => {
      using ring = new MirrorRing(pages * PAGE);
      tell(ring, story);
    }),
    { numRuns: 200 },
  );
});

Deno.test("rings that were closed lie side by side, and take few mappings of the kernel", () => {
  const cycle = () => new MirrorRing(PAGE).close();
  cycle();
  const before = [ranges().retired, mappedRanges().length];
  for (let i = 0; i < 1000; i++) cycle();
  const after = [ranges().retired, mappedRanges().length];
  assertLess(after[0]! - before[0]!, 250);
  assertLess(after[1]! - before[1]!, 500);
});

const HUGE_PAGE = 2 * 1024 * 1024;
const HUGE_PAGE_COUNT = "/proc/sys/vm/nr_hugepages";

function hugePages(what: "Free" | "Total"): number {
  const meminfo = Deno.readTextFileSync("/proc/meminfo");
  return Number(new RegExp(`HugePages_${what}: +(\\d+)`).exec(meminfo)?.[1] ?? 0);
}

Deno.test("MirrorRing falls back to small pages, and says why, without huge ones", () => {
  const wanted = (hugePages("Total") + 1) * HUGE_PAGE;
  using ring = new MirrorRing(wanted - 5, { hugePages: true });
  assertEquals([ring.hugePages, ring.capacity], [false, wanted]);
  assertStringIncludes(ring.hugePagesRefused ?? "", "vm.nr_hugepages");
  assertStringIncludes(ring.hugePagesRefused ?? "", `reserve ${wanted / HUGE_PAGE} or more`);
  assertEquals(ring.write(bytesFrom(0, 100)), 100);
});

/** Sets some huge pages aside; how many, or why that is not possible. */
function reserveHugePages(count: number): Disposable | string {
  const before = Deno.readTextFileSync(HUGE_PAGE_COUNT);
  try {
    Deno.writeTextFileSync(HUGE_PAGE_COUNT, String(Number(before) + count));
  } catch (error) {
    return `${HUGE_PAGE_COUNT} cannot be written: ${error}`;
  }
  const restore = () => Deno.writeTextFileSync(HUGE_PAGE_COUNT, before);
  if (hugePages("Free") >= count) return { [Symbol.dispose]: restore };
  restore();
  return `the kernel has no ${count} huge pages to give`;
}

Deno.test("MirrorRing uses huge pages when the system has some", () => {
  const reserved = reserveHugePages(2);
  if (typeof reserved === "string") {
    console.log(`NOT TESTED: rings on huge pages, as ${reserved}`);
    return;
  }
  using _reserved = reserved;
  const free = hugePages("Free");
  {
    using ring = new MirrorRing(PAGE, { hugePages: true });
    assertEquals([ring.hugePages, ring.hugePagesRefused], [true, undefined]);
    assertEquals(ring.capacity, HUGE_PAGE);
    ring.claim(HUGE_PAGE - 7);
    ring.commit();
    ring.consume(HUGE_PAGE - 7);
    ring.write(bytesFrom(0, 20));
    assertEquals(ring.peek().slice(), bytesFrom(0, 20));
    assertEquals(ring.bytes.slice(0, 13), bytesFrom(7, 13));
    assertEquals(hugePages("Free"), free - 1);
    const [first, second] = rangesOf("/memfd:vring (").filter((r) => r.end - r.start === HUGE_PAGE);
    assertEquals(second?.start, first?.end);
  }
  assertEquals(hugePages("Free"), free);
});
