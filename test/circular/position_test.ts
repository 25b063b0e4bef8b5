/**
 * Positions of a circular buffer far out: below and beyond every wrap, and at their end.
 */

import { circular } from "../../src/circular/definition.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { pageSize } from "../../src/os/page.ts";
import { LAST_POSITION } from "../../src/circular/circular_buffer.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { bytesBetween, Inside, isPayload, lengthOf, payload } from "./scene.ts";

const CAPACITY = pageSize();
const LONGEST = 600;

function write(writer: CircularBufferWriter): void {
  writer.trySend(payload(writer.sequence, lengthOf(writer.sequence, LONGEST)));
}

/** Receives all there is: every message whole, in order, and the account of the lost exact. */
function drain(reader: CircularBufferReader): { read: number; lost: number } {
  let [read, lost] = [0, 0];
  for (;;) {
    const { sequence: before, lostBytes } = reader;
    const message = reader.tryReceive();
    if (message === undefined) return { read, lost };
    const { sequence, value } = message;
    assertEquals([sequence, reader.sequence], [before + message.lost + 1, sequence]);
    assertEquals(reader.lostBytes - lostBytes, bytesBetween(before, sequence - 1, LONGEST));
    assertEquals(value.length, lengthOf(sequence - 1, LONGEST));
    assert(isPayload(value, sequence - 1), `message ${sequence}`);
    lost += message.lost;
    read++;
  }
}

Deno.test("messages are counted across every wrap of their number", () => {
  for (const wrap of [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 51]) {
    using place = new Name();
    using inside = new Inside(place.name, CAPACITY);
    inside.startAt(2 ** 40, { sequence: wrap - 5, payload: wrap - 500 });
    using writer = circular(place.name, { capacity: CAPACITY }).writer();
    using reader = circular(place.name, { capacity: CAPACITY }).reader();
    using late = circular(place.name, { capacity: CAPACITY }).reader();
    for (let i = 0; i < 100; i++) {
      assertEquals(writer.sequence, wrap - 5 + i);
      writer.trySend(payload(i, 99));
      assertEquals(reader.tryReceive(), {
        value: payload(i, 99),
        sequence: wrap - 4 + i,
        lost: 0,
      });
    }
    const { value, sequence, lost } = late.tryReceive()!;
    assert(lost > 0 && sequence === wrap - 4 + lost);
    assertEquals([value, late.lost, late.lostBytes], [payload(lost, 99), lost, 99 * lost]);
  }
});

Deno.test("lost bytes are exact where their count begins again", () => {
  const limit = 2 ** 52;
  for (const before of [1, 50, 101, 5000]) {
    using place = new Name();
    using inside = new Inside(place.name, CAPACITY);
    inside.startAt(2 ** 50, { sequence: 2 ** 44, payload: limit - before });
    using writer = circular(place.name, { capacity: CAPACITY }).writer();
    using reader = circular(place.name, { capacity: CAPACITY }).reader();
    using late = circular(place.name, { capacity: CAPACITY }).reader();
    for (let i = 0; i < 100; i++) {
      writer.trySend(payload(i, 101));
      assertEquals(reader.tryReceive()?.value, payload(i, 101));
    }
    assertEquals(inside.head(inside.ring.published.load())[1], 10_100 - before);
    for (let i = 0; i < 100; i++) writer.trySend(payload(i, 101));
    const losses = [late, reader].map((one) => [one.tryReceive()!.lost, one.lost, one.lostBytes]);
    const lost = late.sequence - 1 - 2 ** 44;
    assertEquals(losses, [
      [lost, lost, 101 * lost],
      [lost - 100, lost - 100, 101 * (lost - 100)],
    ]);
    using newcomer = circular(place.name, { capacity: CAPACITY }).reader();
    using next = circular(place.name, { capacity: CAPACITY }).reader({ start: "now" });
    assertEquals([newcomer.tryReceive()?.lost, next.tryReceive()], [0, undefined]);
  }
});

Deno.test("receive() wakes when the low half of the position wraps to 0", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(2 ** 32 - 5); // a record of 8 bytes takes 5 units
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  const reading = reader.receive({ timeout: 20_000 });
  writer.trySend(payload(0, 8));
  assertEquals((await reading)?.value, payload(0, 8));
  assertEquals(inside.ring.publishedLow.load(), 0);
});

/** The units that a writer at 10 GB/s writes in a day. */
const DAY_UNITS = 10e9 / 8 * 86_400;

Deno.test("a reader that was stopped for a day learns how much it lost", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(1000);
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  const day = { sequence: 9_000_000_000_007, payload: 123_456_789_012_345 };
  inside.startAt(1000 + DAY_UNITS, day);
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  writer.trySend(payload(0, 70));
  const { sequence: messages, payload: bytes } = day;
  const message = { value: payload(0, 70), sequence: messages + 1, lost: messages };
  assertEquals(reader.tryReceive(), message);
  assertEquals([reader.lost, reader.lostBytes], [messages, bytes]);
});

Deno.test("a reader is not fooled by a position, head and number that differ by 2^32", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(24);
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  using poller = circular(place.name, { capacity: CAPACITY }).reader();
  inside.startAt(24 + 2 ** 32, { sequence: 2 ** 32, payload: 2 ** 32 });
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  assertEquals(reader.tryReceive(), undefined); // before anything is written there
  assertEquals(reader.lost, 2 ** 32);
  writer.trySend(payload(0, 70));
  assertEquals(poller.poll(({ lost }) => assertEquals(lost, 2 ** 32)), 1);
  assertEquals([poller.lost, poller.lostBytes], [2 ** 32, 2 ** 32]);
  const message = { value: payload(0, 70), sequence: 2 ** 32 + 1, lost: 2 ** 32 };
  assertEquals(reader.tryReceive(), message);
});

// ---- the end ----

/** A buffer just before the end of all positions, and how many messages it took. */
function writtenToTheEnd(place: Name, before: number) {
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(LAST_POSITION - before);
  const writer = circular(place.name, { capacity: CAPACITY }).writer();
  const reader = circular(place.name, { capacity: CAPACITY }).reader();
  let refusal: unknown;
  for (let i = 0; i < 1000 && refusal === undefined; i++) {
    try {
      write(writer);
      assertEquals(drain(reader), { read: 1, lost: 0 });
    } catch (error) {
      refusal = error;
    }
  }
  return { writer, reader, refusal, published: inside.ring.published.load() };
}

for (const before of [0, 3, 8, 9, 100, 700, 3000]) {
  Deno.test(`a writer ${before} units before the end refuses to go beyond it`, () => {
    using place = new Name();
    using stack = new DisposableStack();
    const { writer, reader, refusal, published } = writtenToTheEnd(place, before);
    stack.use(writer);
    stack.use(reader);
    assert(refusal instanceof CorruptRegionError, `${refusal}`);
    assertStringIncludes(refusal.message, "its positions are used up");
    assert(published <= LAST_POSITION, `${published - LAST_POSITION} beyond`);
    assertThrows(() => writer.trySend(new Uint8Array(writer.maxMessage)), CorruptRegionError);
    const { sequence } = writer;

    using late = circular(place.name, { capacity: CAPACITY }).reader();
    assertEquals(drain(late).read, sequence - first(place));
    assertEquals(late.sequence, sequence);
    using newest = circular(place.name, { capacity: CAPACITY }).reader({ start: "newest" });
    assertEquals(drain(newest).read, Math.min(1, sequence));
    writer.close();
    assertEquals([drain(reader), reader.ended], [{ read: 0, lost: 0 }, true]);
    using next = circular(place.name, { capacity: CAPACITY }).writer();
    assertThrows(() => next.tryClaim(next.maxMessage), CorruptRegionError);
  });
}

/** The number of the oldest message that is there. */
function first(place: Name): number {
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  return reader.sequence;
}
