/**
 * Where readers of a circular buffer begin, and how writers follow each other.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { Inside, payload } from "./scene.ts";

const CAPACITY = 2 ** 16;

Deno.test("a closed writer throws a ClosedError, and its claim is empty", () => {
  using place = new Name();
  using _reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
  const writer = CircularBufferWriter.open(place.name);
  const claim = writer.claim(100);
  writer.close();
  const attempts = [
    () => writer.write(payload(1, 1)),
    () => writer.claim(1),
    () => writer.publish(),
  ];
  for (const attempt of attempts) {
    const error = assertThrows(attempt, ClosedError);
    assertStringIncludes(error.message, `circular buffer "${place.name}": it is closed`);
  }
  writer.discard();
  assertEquals([claim.length, claim[0]], [0, undefined]);
});

Deno.test("a closed reader throws a ClosedError", async () => {
  using place = new Name();
  using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
  writer.write(payload(0, 10));
  writer.write(payload(1, 10));
  const reader = CircularBufferReader.open(place.name);
  reader.tryRead();
  reader.close();
  const attempts = [
    () => reader.tryRead(),
    () => reader.tryRead(new Uint8Array(10)),
    () => reader.readSync(),
    () => reader.poll(() => {}),
  ];
  for (const attempt of attempts) {
    const error = assertThrows(attempt, ClosedError);
    assertStringIncludes(error.message, `circular buffer "${place.name}": it is closed`);
  }
  const outcome = await reader.read().catch((error) => error.name);
  const iterated = await reader[Symbol.asyncIterator]().next().catch((error) => error.name);
  assertEquals([outcome, iterated], ["ClosedError", "ClosedError"]);
  assertEquals([reader.sequence, reader.lostMessages], [1, 0]);
});

// ---- where a reader begins ----

/** A buffer in which messages were written, and the writer. */
function written(place: Name, messages: number): CircularBufferWriter {
  const writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
  for (let i = 0; i < messages; i++) writer.write(payload(i, 50));
  return writer;
}

/** The numbers of the messages that a reader finds, then its `lostMessages`. */
function findings(reader: CircularBufferReader): number[] {
  const found: number[] = [];
  for (;;) {
    const { sequence } = reader;
    const outcome = reader.tryRead();
    if (outcome.state !== "ok") break;
    assertEquals(outcome.message, payload(sequence, 50));
    found.push(sequence);
  }
  return [...found, reader.lostMessages];
}

Deno.test("a reader begins at the oldest message that is there, unless told otherwise", () => {
  using place = new Name();
  using _writer = written(place, 3);
  using byDefault = CircularBufferReader.open(place.name);
  using reader = CircularBufferReader.open(place.name, { start: "oldest" });
  assertEquals([findings(byDefault), findings(reader)], [[0, 1, 2, 0], [0, 1, 2, 0]]);
});

Deno.test("a reader that begins at the oldest message has lost none of those before", () => {
  using place = new Name();
  using _writer = written(place, 5000);
  using reader = CircularBufferReader.open(place.name);
  const first = reader.sequence;
  assert(first > 0);
  const found = findings(reader);
  assertEquals([found[0], found.at(-2), found.at(-1), found.length], [
    first,
    4999,
    0,
    5001 - first,
  ]);
});

Deno.test("a reader with start newest begins at the last message", () => {
  using place = new Name();
  using writer = written(place, 3);
  using reader = CircularBufferReader.open(place.name, { start: "newest" });
  writer.write(payload(3, 50));
  assertEquals(findings(reader), [2, 3, 0]);
});

Deno.test("a reader with start newest begins with the first message where there was none", () => {
  using place = new Name();
  using writer = written(place, 0);
  using reader = CircularBufferReader.open(place.name, { start: "newest" });
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.write(payload(0, 50));
  writer.write(payload(1, 50));
  assertEquals(findings(reader), [0, 1, 0]);
});

Deno.test("a reader with start newest begins with the next message where the last was overwritten", () => {
  using place = new Name();
  using writer = written(place, 3);
  writer.claim(writer.maxMessage); // nothing is left
  using reader = CircularBufferReader.open(place.name, { start: "newest" });
  assertEquals([reader.tryRead().state, reader.sequence], ["empty", 3]);
  writer.discard();
  writer.write(payload(3, 50));
  assertEquals(findings(reader), [3, 0]);
});

Deno.test("a reader with start now begins with what is written from then on", () => {
  using place = new Name();
  using writer = written(place, 3);
  using reader = CircularBufferReader.open(place.name, { start: "now" });
  assertEquals([reader.tryRead().state, reader.sequence], ["empty", 3]);
  writer.write(payload(3, 50));
  assertEquals(findings(reader), [3, 0]);
});

Deno.test("a reader that comes before the writer gets every message", () => {
  for (const start of ["oldest", "newest", "now"] as const) {
    using place = new Name();
    using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY, start });
    assertEquals(reader.tryRead(), { state: "empty" });
    using _writer = written(place, 3);
    assertEquals(findings(reader), [0, 1, 2, 0]);
  }
});

Deno.test("readers do not take messages from each other", () => {
  using place = new Name();
  using writer = written(place, 3);
  using one = CircularBufferReader.open(place.name);
  using other = CircularBufferReader.open(place.name);
  assertEquals(findings(one), [0, 1, 2, 0]);
  writer.write(payload(3, 50));
  assertEquals([findings(other), findings(one)], [[0, 1, 2, 3, 0], [3, 0]]);
});

// ---- a writer goes, another comes ----

Deno.test("a reader is told that the writer has closed, after every message", () => {
  using place = new Name();
  const writer = written(place, 3);
  using reader = CircularBufferReader.open(place.name);
  writer.close();
  assertEquals(findings(reader), [0, 1, 2, 0]);
  assertEquals([reader.tryRead(), reader.readSync()], [{ state: "closed" }, { state: "closed" }]);
  assertEquals(reader.tryRead(new Uint8Array(1)), { state: "closed" });
});

Deno.test("the next writer goes on where the last one closed, and old readers with it", () => {
  using place = new Name();
  const first = written(place, 3);
  using reader = CircularBufferReader.open(place.name);
  using late = CircularBufferReader.open(place.name);
  assertEquals(findings(reader), [0, 1, 2, 0]);
  first.close();
  assertEquals(reader.tryRead().state, "closed");
  using writer = CircularBufferWriter.open(place.name);
  assertEquals([writer.sequence, reader.tryRead().state], [3, "empty"]);
  writer.write(payload(3, 50));
  assertEquals([findings(reader), findings(late)], [[3, 0], [0, 1, 2, 3, 0]]);
});

Deno.test("CircularBufferWriter.open() rings for those whom a dead writer left asleep", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  const raised = inside.ring.bell.raise();
  using _writer = CircularBufferWriter.open(place.name);
  assertEquals(inside.ring.bell.word.load(), raised + 1);
});

Deno.test("a writer that comes again and again continues the sequence over many laps", () => {
  using place = new Name();
  using reader = CircularBufferReader.open(place.name, { capacity: 4096 });
  for (let sequence = 0; sequence < 300; sequence++) {
    using writer = CircularBufferWriter.open(place.name);
    assertEquals(writer.sequence, sequence);
    writer.write(payload(sequence, 123));
    assertEquals(reader.tryRead(), { state: "ok", message: payload(sequence, 123) });
  }
});

Deno.test("a writer that closes inside a claim leaves what is not published unpublished", () => {
  using place = new Name();
  using reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
  {
    using writer = CircularBufferWriter.open(place.name);
    writer.write(payload(0, 50));
    writer.claim(1000).set(payload(7, 1000));
  }
  using writer = CircularBufferWriter.open(place.name);
  writer.write(payload(1, 50));
  assertEquals(findings(reader), [0, 1, 0]);
});
