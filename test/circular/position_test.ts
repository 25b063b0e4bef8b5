/**
 * Positions of a circular buffer far out: below and beyond every wrap, and at their end.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { pageSize } from "../../src/os/page.ts";
import { LAST_POSITION } from "../../src/circular/circular_buffer.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { bytesBetween, Inside, isPayload, lengthOf, payload } from "./scene.ts";

const CAPACITY = pageSize();
const LONGEST = 600;

function write(writer: CircularBufferWriter): void {
  writer.write(payload(writer.sequence, lengthOf(writer.sequence, LONGEST)));
}

/** Reads all there is: every message whole, in order, and the account of the lost exact. */
function drain(reader: CircularBufferReader): { read: number; lost: number } {
  let [read, lost] = [0, 0];
  for (;;) {
    const { sequence } = reader;
    const outcome = reader.tryRead();
    if (outcome.state === "empty" || outcome.state === "closed") return { read, lost };
    if (outcome.state === "lost") {
      assertEquals(reader.sequence, sequence + outcome.messages);
      assertEquals(outcome.bytes, bytesBetween(sequence, reader.sequence, LONGEST));
      lost += outcome.messages;
      continue;
    }
    assertEquals(outcome.message.length, lengthOf(sequence, LONGEST));
    assert(isPayload(outcome.message, sequence), `message ${sequence}`);
    read++;
  }
}

Deno.test("messages are counted across every wrap of their number", () => {
  for (const wrap of [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 51]) {
    using place = new Name();
    using inside = new Inside(place.name, CAPACITY);
    inside.startAt(2 ** 40, { sequence: wrap - 5, payload: wrap - 500 });
    using writer = CircularBufferWriter.open(place.name);
    using reader = CircularBufferReader.open(place.name);
    using late = CircularBufferReader.open(place.name);
    for (let i = 0; i < 100; i++) {
      assertEquals(writer.sequence, wrap - 5 + i);
      writer.write(payload(i, 99));
      assertEquals(reader.tryRead(), { state: "ok", message: payload(i, 99) });
    }
    const outcome = late.tryRead();
    const messages = late.sequence - (wrap - 5);
    assert(messages > 0);
    assertEquals(outcome, { state: "lost", messages, bytes: 99 * messages });
    assertEquals(late.tryRead(), { state: "ok", message: payload(messages, 99) });
  }
});

Deno.test("lost bytes are exact where their count begins again", () => {
  const limit = 2 ** 52;
  for (const before of [1, 50, 101, 5000]) {
    using place = new Name();
    using inside = new Inside(place.name, CAPACITY);
    inside.startAt(2 ** 50, { sequence: 2 ** 44, payload: limit - before });
    using writer = CircularBufferWriter.open(place.name);
    using reader = CircularBufferReader.open(place.name);
    using late = CircularBufferReader.open(place.name);
    for (let i = 0; i < 100; i++) {
      writer.write(payload(i, 101));
      assertEquals(reader.tryRead(), { state: "ok", message: payload(i, 101) });
    }
    assertEquals(inside.head(inside.ring.published.load())[1], 10_100 - before);
    for (let i = 0; i < 100; i++) writer.write(payload(i, 101));
    const outcomes = [late.tryRead(), reader.tryRead()];
    const lost = late.sequence - 2 ** 44;
    assertEquals(outcomes, [
      { state: "lost", messages: lost, bytes: 101 * lost },
      { state: "lost", messages: lost - 100, bytes: 101 * (lost - 100) },
    ]);
    using newcomer = CircularBufferReader.open(place.name);
    using next = CircularBufferReader.open(place.name, { start: "now" });
    assertEquals([newcomer.tryRead().state, next.tryRead().state], ["ok", "empty"]);
  }
});

Deno.test("read() wakes when the low half of the position wraps to 0", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(2 ** 32 - 5); // a record of 8 bytes takes 5 units
  using writer = CircularBufferWriter.open(place.name);
  using reader = CircularBufferReader.open(place.name);
  const reading = reader.read({ timeout: 20_000 });
  writer.write(payload(0, 8));
  assertEquals(await reading, { state: "ok", message: payload(0, 8) });
  assertEquals(inside.ring.publishedLow.load(), 0);
});

/** The units that a writer at 10 GB/s writes in a day. */
const DAY_UNITS = 10e9 / 8 * 86_400;

Deno.test("a reader that was stopped for a day learns how much it lost", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(1000);
  using reader = CircularBufferReader.open(place.name);
  const day = { sequence: 9_000_000_000_007, payload: 123_456_789_012_345 };
  inside.startAt(1000 + DAY_UNITS, day);
  using writer = CircularBufferWriter.open(place.name);
  writer.write(payload(0, 70));
  const { sequence: messages, payload: bytes } = day;
  assertEquals(reader.tryRead(), { state: "lost", messages, bytes });
  assertEquals(reader.tryRead(), { state: "ok", message: payload(0, 70) });
  assertEquals([reader.lostMessages, reader.lostBytes], [messages, bytes]);
});

Deno.test("a reader is not fooled by a position, head and number that differ by 2^32", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(24);
  using reader = CircularBufferReader.open(place.name);
  using poller = CircularBufferReader.open(place.name);
  inside.startAt(24 + 2 ** 32, { sequence: 2 ** 32, payload: 2 ** 32 });
  using writer = CircularBufferWriter.open(place.name);
  const lost = { state: "lost", messages: 2 ** 32, bytes: 2 ** 32 } as const;
  assertEquals(reader.tryRead(), lost); // before anything is written there
  writer.write(payload(0, 70));
  assertEquals(poller.poll(() => assert(false)), { handled: 0, state: "lost" });
  assertEquals([poller.lostMessages, poller.lostBytes], [2 ** 32, 2 ** 32]);
  assertEquals(reader.tryRead(), { state: "ok", message: payload(0, 70) });
});

// ---- the end ----

/** A buffer just before the end of all positions, and how many messages it took. */
function writtenToTheEnd(place: Name, before: number) {
  using inside = new Inside(place.name, CAPACITY);
  inside.startAt(LAST_POSITION - before);
  const writer = CircularBufferWriter.open(place.name);
  const reader = CircularBufferReader.open(place.name);
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
    assertThrows(() => writer.write(new Uint8Array(writer.maxMessage)), CorruptRegionError);
    const { sequence } = writer;

    using late = CircularBufferReader.open(place.name);
    assertEquals(drain(late).read, sequence - first(place));
    assertEquals(late.sequence, sequence);
    using newest = CircularBufferReader.open(place.name, { start: "newest" });
    assertEquals(drain(newest).read, Math.min(1, sequence));
    writer.close();
    assertEquals([drain(reader), reader.tryRead()], [{ read: 0, lost: 0 }, { state: "closed" }]);
    using next = CircularBufferWriter.open(place.name);
    assertThrows(() => next.claim(next.maxMessage), CorruptRegionError);
  });
}

/** The number of the oldest message that is there. */
function first(place: Name): number {
  using reader = CircularBufferReader.open(place.name);
  return reader.sequence;
}
