import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ClosedError } from "../../src/errors.ts";
import { LeapfrogRing } from "../../src/mirror_ring/leapfrog_ring.ts";
import { pageSize } from "../../src/os/page.ts";
import { type MappedRange, mappedRanges } from "../../src/os/proc_maps.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { countFiles } from "../os/process_state.ts";
import { steps, tell } from "./story.ts";

const PAGE = pageSize();
const RANGE = 6 * PAGE;

/** The windows of a ring, as the kernel has them: the shared mappings in its range. */
function windowsOf({ start, end }: LeapfrogRing): MappedRange[] {
  return mappedRanges().filter((range) =>
    range.permissions === "rw-s" && range.start >= start && range.end <= end
  );
}

/** Moves a ring on by so many bytes, which are consumed. */
function pass(ring: LeapfrogRing, length: number): void {
  for (let left = length; left > 0; left -= PAGE) {
    ring.commit(ring.claim(Math.min(left, PAGE)).length);
    ring.consume(ring.available);
  }
}

Deno.test("LeapfrogRing rounds its capacity up to whole pages, and its range to whole windows", () => {
  const cases = [
    [1, undefined, PAGE, 2 ** 26],
    [PAGE + 1, 8 * PAGE, 2 * PAGE, 8 * PAGE],
    [PAGE, 4 * PAGE + 1, PAGE, 5 * PAGE],
    [2 ** 25, undefined, 2 ** 25, 2 ** 27],
  ] as const;
  for (const [minCapacity, range, capacity, length] of cases) {
    using ring = new LeapfrogRing(minCapacity, { range });
    assertEquals([ring.capacity, ring.end - ring.start], [capacity, length]);
    assertEquals([ring.available, ring.free, ring.leaps, ring.laps], [0, capacity, 0, 0]);
    assertEquals([ring.tail, ring.head, ring.window], Array(3).fill(ring.start));
  }
});

Deno.test("LeapfrogRing refuses a capacity or a range that is impossible", () => {
  for (const wrong of [0, -1, 1.5, NaN, Infinity, 2 ** 36 + 1]) {
    assertThrows(() => new LeapfrogRing(wrong), RangeError, `a ring of ${wrong} bytes`);
  }
  for (const range of [0, 4 * PAGE - 1, 1e5 + 0.5, NaN, Infinity, 2 ** 40 + 1]) {
    const make = () => new LeapfrogRing(PAGE, { range });
    assertThrows(make, RangeError, `in a range of ${range} bytes: pass a whole number`);
  }
});

Deno.test("LeapfrogRing keeps one memory, and shows it at two addresses that move on", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  const at = () => windowsOf(ring).map(({ start, end }) => [start - ring.start, end - ring.start]);
  const seen: unknown[] = [at()];
  for (let window = 1; window <= 4; window++) {
    pass(ring, PAGE);
    ring.claim(1);
    seen.push(at());
  }
  const [first, ...others] = windowsOf(ring);
  assert(others.every(({ inode }) => inode === first!.inode));
  // Two windows that meet at the end of the file are two mappings, as their offsets are both 0.
  const expected = [0, 0, 1, 2, 3].map((page) => [
    [page * PAGE, (page + 1) * PAGE],
    [(page + 1) * PAGE, (page + 2) * PAGE],
  ]);
  assertEquals(seen, expected);
  assertEquals(ring.leaps, 3);
});

Deno.test("head and tail are the addresses of the bytes, and grow until the range ends", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  const addressOf = (bytes: Uint8Array<ArrayBuffer>) =>
    Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  let passed = 0;
  for (let i = 0; i < 11; i++) {
    const claim = ring.claim(1000);
    assertEquals([addressOf(claim), ring.head - ring.start], [ring.head, passed]);
    ring.commit();
    assertEquals(addressOf(ring.peek()), ring.tail);
    ring.consume(1000);
    passed += 1000;
  }
  assertEquals([ring.tail, ring.laps], [ring.start + passed, 0]);
});

Deno.test("LeapfrogRing keeps a message in one piece at every offset across every seam", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  const length = 100;
  let written = 0;
  while (ring.laps < 3) {
    ring.write(bytesFrom(written, length));
    assertEquals(ring.peek().slice(), bytesFrom(written, length));
    ring.consume(length - 1); // one byte stays, so that the ring is never empty
    written += length;
    const rest = ring.peek(1)[0];
    assertEquals(rest, bytesFrom(written - 1, 1)[0]);
    ring.consume(1);
  }
});

Deno.test("a view of consumed bytes reads zeros once their window has moved, and stores reach nobody", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  ring.write(bytesFrom(1, PAGE));
  const stale = ring.peek(PAGE);
  ring.consume(PAGE);
  assertEquals(stale.slice(), bytesFrom(1, PAGE)); // not yet
  ring.write(bytesFrom(1, PAGE));
  ring.consume(PAGE);
  ring.write(bytesFrom(7, 1)); // the first window leaps
  assertEquals([ring.leaps, stale.slice()], [1, new Uint8Array(PAGE)]);
  stale.fill(0xee);
  ring.write(bytesFrom(8, PAGE - 1));
  assertEquals(ring.peek().slice(), bytesFrom(7, PAGE));
});

Deno.test("at the end of its range the ring starts over, and what was shown before stays valid", () => {
  for (const begin of [5 * PAGE + 1, 5 * PAGE + 500, 6 * PAGE - 5, 6 * PAGE]) {
    using ring = new LeapfrogRing(PAGE, { range: RANGE });
    pass(ring, begin);
    const kept = Math.min(100, 6 * PAGE - begin);
    ring.write(bytesFrom(50, kept));
    const shown = ring.peek();
    assertEquals([ring.laps, ring.tail - ring.start], [0, begin]);
    ring.write(bytesFrom(50 + kept, PAGE - kept)); // ends behind the range
    assertEquals([ring.laps, ring.tail - ring.start], [1, begin - 5 * PAGE]);
    assertEquals(shown.slice(), bytesFrom(50, kept));
    assertEquals(ring.peek().slice(), bytesFrom(50, PAGE));
    assertEquals(windowsOf(ring).map(({ start }) => (start - ring.start) / PAGE), [0, 1, 5]);
    ring.consume(kept >> 1);
    assertEquals(
      shown.subarray(kept >> 1).slice(),
      bytesFrom(50 + (kept >> 1), kept - (kept >> 1)),
    );
    ring.consume(ring.available);
    pass(ring, PAGE + 1);
    assertEquals(windowsOf(ring).length, 2);
    assertEquals(shown.slice(), new Uint8Array(kept));
  }
});

Deno.test("LeapfrogRing is a queue of bytes under any order of operations, also where its range ends", () => {
  const capacity = fc.constantFrom(PAGE, 2 * PAGE);
  let laps = 0;
  fc.assert(
    fc.property(
      capacity,
      fc.constantFrom(4, 5, 9),
      fc.nat(9 * PAGE),
      steps(PAGE),
      (capacity, windows, begin, story) => {
        using ring = new LeapfrogRing(capacity, { range: windows * capacity });
        pass(ring, begin);
        const { start, end, laps: lapsBefore } = ring;
        tell(ring, story, () => {
          const { window, tail, head, available } = ring;
          assertEquals([head - tail, (window - start) % capacity], [available, 0]);
          assert(start <= window && window <= tail && window + 2 * capacity <= end);
          assert(tail <= head && head <= tail + capacity && head <= window + 2 * capacity);
        });
        laps += ring.laps - lapsBefore;
      },
    ),
    { numRuns: 400 },
  );
  assert(laps > 10, `${laps} laps are too few to test the end of the range`);
});

Deno.test("claim() of a ring that starts over discards the claim before it", () => {
  using ring = new LeapfrogRing(PAGE, { range: 4 * PAGE });
  pass(ring, 4 * PAGE - 10);
  ring.claim(5);
  ring.claim(20);
  assertEquals(ring.laps, 1);
  ring.commit(20);
  assertThrows(() => ring.commit(1), RangeError, "0 are claimed");
  assertEquals(ring.available, 20);
});

Deno.test("claim(), commit(), peek() and consume() refuse more than there is, and move nothing", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  ring.write(bytesFrom(0, 12));
  const before = [ring.head, ring.tail, ring.window, ring.leaps];
  assertThrows(() => ring.claim(PAGE - 11), RangeError, `${PAGE - 12} of ${PAGE} are free`);
  assertThrows(() => ring.commit(1), RangeError, "0 are claimed");
  assertThrows(() => ring.peek(13), RangeError, "12 are readable");
  assertThrows(() => ring.consume(13), RangeError, "12 are readable");
  assertEquals([ring.head, ring.tail, ring.window, ring.leaps], before);
});

Deno.test("close() of a LeapfrogRing empties every view and returns its addresses and its fd", () => {
  const fds = countFiles("/memfd:");
  const ring = new LeapfrogRing(PAGE, { range: RANGE });
  pass(ring, 2 * PAGE);
  ring.write(bytesFrom(0, 12));
  const views = [ring.peek(), ring.claim(5)];
  assertEquals(countFiles("/memfd:"), fds + 1);
  ring.close();
  assertEquals([windowsOf(ring), countFiles("/memfd:")], [[], fds]);
  assertEquals(views.map((view) => [view.length, view[0]]), Array(2).fill([0, undefined]));
  const calls = [
    () => ring.write(bytesFrom(0, 1)),
    () => ring.read(new Uint8Array()),
    () => ring.claim(),
    () => ring.commit(),
    () => ring.peek(),
    () => ring.consume(0),
  ];
  for (const call of calls) assertThrows(call, ClosedError, "the ring: it is closed");
  ring.close();
});

Deno.test("a thousand leaps leave no mapping and no fd", () => {
  using ring = new LeapfrogRing(PAGE, { range: RANGE });
  pass(ring, 5 * PAGE);
  const before = [mappedRanges().length, countFiles("/memfd:")];
  pass(ring, 1000 * PAGE);
  assertEquals([ring.leaps >= 1000, ring.laps >= 200], [true, true]);
  const after = [mappedRanges().length, countFiles("/memfd:")];
  assertLess(after[0]! - before[0]!, 50); // the engine maps memory of its own meanwhile
  assertEquals(after[1], before[1]);
});

Deno.test("LeapfrogRing says what it could not make if the addresses are not to be had", () => {
  const error = assertThrows(() => new LeapfrogRing(2 ** 35, { range: 2 ** 40 }), Error);
  assertStringIncludes(error.message, "a leapfrog ring");
});
