/**
 * Readers of a circular buffer that are lapped: what they are told, and where they go on.
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LostError } from "../../src/errors.ts";
import { pageSize } from "../../src/os/page.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import {
  CircularBufferReader,
  type CircularBufferReaderOptions,
} from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { bytesBetween, HEAD_BYTES, isPayload, lengthOf, payload, unitsFor } from "./scene.ts";

const CAPACITY = pageSize();
const UNITS = CAPACITY / UNIT;
const HEAD_UNITS = HEAD_BYTES / UNIT;

/** A reader at the beginning of a buffer of a page, and the writer. */
class Pair implements Disposable {
  readonly #place = new Name();
  readonly name = this.#place.name;
  readonly writer: CircularBufferWriter;
  readonly reader: CircularBufferReader;

  constructor(options: CircularBufferReaderOptions = {}) {
    this.writer = CircularBufferWriter.open(this.name, { capacity: CAPACITY });
    this.reader = CircularBufferReader.open(this.name, options);
  }

  /** Writes so many messages of this length. */
  write(count: number, length: number): void {
    for (let i = 0; i < count; i++) this.writer.write(payload(this.writer.sequence, length));
  }

  /** The next message must be whole and have this number. */
  reads(sequence: number, length: number): void {
    assertEquals(this.reader.sequence, sequence);
    assertEquals(this.reader.tryRead(), { state: "ok", message: payload(sequence, length) });
  }

  [Symbol.dispose](): void {
    this.reader.close();
    this.writer.close();
    this.#place[Symbol.dispose]();
  }
}

// ---- by how much ----

/** The longest second message that leaves a first one of 8 bytes alone. */
const SPARING = (UNITS - HEAD_UNITS - unitsFor(8)) * UNIT - HEAD_BYTES;

Deno.test("a message that just fits beside another one overwrites nothing", () => {
  using pair = new Pair();
  pair.write(1, 8);
  pair.write(1, SPARING);
  pair.reads(0, 8);
  pair.reads(1, SPARING);
  assertEquals([pair.reader.tryRead().state, pair.reader.lostMessages], ["empty", 0]);
});

Deno.test("a message that is one byte too long laps the reader by one message", () => {
  using pair = new Pair();
  pair.write(1, 8);
  pair.write(1, SPARING + 1);
  assertEquals(pair.reader.tryRead(), { state: "lost", messages: 1, bytes: 8 });
  pair.reads(1, SPARING + 1);
  assertEquals([pair.reader.lostMessages, pair.reader.lostBytes], [1, 8]);
});

Deno.test("a reader that is lapped by one message is told of one", () => {
  using pair = new Pair();
  const fitting = Math.floor((UNITS - HEAD_UNITS) / unitsFor(100));
  pair.write(fitting, 100);
  pair.reads(0, 100);
  pair.write(1, 100); // takes the place of the one that was read
  pair.reads(1, 100);
  pair.write(2, 100);
  assertEquals(pair.reader.tryRead(), { state: "lost", messages: 1, bytes: 100 });
  pair.reads(3, 100);
});

Deno.test("a reader that is lapped many times is told of exactly what it lost", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  const longest = 700;
  for (let i = 0; i < 10_000; i++) {
    writer.write(payload(writer.sequence, lengthOf(writer.sequence, longest)));
  }
  const outcome = reader.tryRead();
  const { sequence } = reader;
  assert(sequence > 9900 && sequence < 10_000);
  const bytes = bytesBetween(0, sequence, longest);
  assertEquals(outcome, { state: "lost", messages: sequence, bytes });
  for (let next = sequence; next < 10_000; next++) pair.reads(next, lengthOf(next, longest));
  assertEquals(reader.tryRead().state, "empty");
  assertEquals([reader.lostMessages, reader.lostBytes], [sequence, bytes]);
});

Deno.test("a reader that is lapped again and again adds up what it lost", () => {
  using pair = new Pair();
  const { reader } = pair;
  let [read, bytes] = [0, 0];
  for (let round = 0; round < 200; round++) {
    pair.write(round % 37, 100 + round);
    for (let i = 0; i < 5; i++) {
      const { sequence } = reader;
      const outcome = reader.tryRead();
      if (outcome.state === "lost") bytes += outcome.bytes;
      if (outcome.state !== "ok") continue;
      assert(isPayload(outcome.message, sequence));
      read++;
    }
  }
  assertEquals(reader.sequence, read + reader.lostMessages);
  assertEquals(reader.lostBytes, bytes);
  assert(read > 100 && reader.lostMessages > 100);
});

Deno.test("nothing is lost that had room, save for a 64th of the ring", () => {
  for (const length of [0, 1, 40, 100, 333, 1000, 2000]) {
    using pair = new Pair();
    pair.write(1000, length);
    pair.reader.tryRead();
    const kept = 1000 - pair.reader.sequence;
    const room = Math.floor((UNITS * 63 / 64 - HEAD_UNITS) / unitsFor(length));
    assert(kept >= room && kept * unitsFor(length) + HEAD_UNITS <= UNITS, `${kept} of ${length}`);
  }
});

Deno.test("messages of 0 bytes are counted when they are lost", () => {
  using pair = new Pair();
  pair.write(1000, 0);
  const outcome = pair.reader.tryRead();
  assertEquals(outcome, { state: "lost", messages: pair.reader.sequence, bytes: 0 });
  assert(pair.reader.sequence > 800);
});

Deno.test("a claim laps readers as soon as it is made", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  pair.write(2, 100);
  writer.claim(writer.maxMessage);
  assertEquals(reader.tryRead(), { state: "lost", messages: 2, bytes: 200 });
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.discard();
  pair.write(1, 50);
  pair.reads(2, 50);
  assertEquals(reader.lostMessages, 2);
});

Deno.test("a reader that has read everything loses nothing however much is claimed", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  for (let i = 0; i < 20; i++) {
    pair.write(1, 100 * i);
    pair.reads(i, 100 * i);
    writer.claim(writer.maxMessage);
    assertEquals(reader.tryRead(), { state: "empty" });
    writer.discard();
  }
  pair.write(1, writer.maxMessage);
  pair.reads(20, writer.maxMessage);
});

// ---- where to go on ----

Deno.test("a reader goes on at the oldest message after a loss, unless told otherwise", () => {
  for (const options of [{}, { afterLoss: "oldest" }] as const) {
    using pair = new Pair(options);
    pair.write(100, 100);
    const outcome = pair.reader.tryRead();
    const { sequence } = pair.reader;
    assertEquals(outcome, { state: "lost", messages: sequence, bytes: 100 * sequence });
    using newcomer = CircularBufferReader.open(pair.name);
    assertEquals(newcomer.sequence, sequence);
    pair.reads(sequence, 100);
  }
});

Deno.test("a reader with afterLoss newest goes on at the last message", () => {
  using pair = new Pair({ afterLoss: "newest" });
  pair.write(100, 100);
  assertEquals(pair.reader.tryRead(), { state: "lost", messages: 99, bytes: 9900 });
  pair.reads(99, 100);
  assertEquals(pair.reader.tryRead(), { state: "empty" });
});

Deno.test("a reader with afterLoss newest waits for the next message where the last is overwritten", () => {
  using pair = new Pair({ afterLoss: "newest" });
  const { reader, writer } = pair;
  pair.write(100, 100);
  writer.claim(writer.maxMessage);
  assertEquals(reader.tryRead(), { state: "lost", messages: 100, bytes: 10_000 });
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.publish(10);
  assertEquals([reader.tryRead().state, reader.sequence], ["ok", 101]);
});

Deno.test("a lapped reader is told so once", () => {
  using pair = new Pair();
  pair.write(100, 100);
  pair.writer.close();
  assertEquals(pair.reader.tryRead().state, "lost");
  assertEquals(pair.reader.tryRead().state, "ok");
});

// ---- an array that is too small ----

Deno.test("tryRead() keeps a message that the array is too small for, and tells its length", () => {
  using pair = new Pair();
  pair.write(2, 1000);
  const small = new Uint8Array(999).fill(0xee);
  for (let i = 0; i < 3; i++) {
    assertEquals(pair.reader.tryRead(small), { state: "tooSmall", length: 1000 });
  }
  assertEquals(pair.reader.tryRead(new Uint8Array(0)), { state: "tooSmall", length: 1000 });
  assert(small.every((byte) => byte === 0xee));
  const target = new Uint8Array(1000);
  assertEquals(pair.reader.tryRead(target), { state: "ok", length: 1000 });
  assertEquals(target, payload(0, 1000).slice());
  pair.reads(1, 1000);
});

Deno.test("tryRead() into a small array tells of a loss rather than of a length", () => {
  using pair = new Pair();
  const small = new Uint8Array(10);
  pair.write(1, 1000);
  assertEquals(pair.reader.tryRead(small), { state: "tooSmall", length: 1000 });
  pair.write(5, 1000);
  const { state } = pair.reader.tryRead(small);
  const { sequence, lostMessages, lostBytes } = pair.reader;
  assertEquals([state, lostMessages, lostBytes], ["lost", sequence, 1000 * sequence]);
  assertEquals(pair.reader.tryRead(small), { state: "tooSmall", length: 1000 });
  pair.reads(sequence, 1000);
});

// ---- in place ----

Deno.test("poll() does not count a message that was overwritten while it was shown", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  pair.write(3, 1000);
  let calls = 0;
  const polled = reader.poll((message, sequence) => {
    calls++;
    assert(isPayload(message, sequence));
    if (sequence < 1) return;
    writer.write(payload(3, writer.maxMessage));
    assert(!isPayload(message, sequence), "what is shown in place changes");
  });
  assertEquals([polled, calls], [{ handled: 1, state: "lost" }, 2]);
  assertEquals([reader.lostMessages, reader.lostBytes], [2, 2000]);
  pair.reads(3, writer.maxMessage);
});

Deno.test("poll() ends where messages were lost, and goes on behind them", () => {
  using pair = new Pair();
  pair.write(100, 100);
  const { reader } = pair;
  const seen: number[] = [];
  const handler = (message: Uint8Array, sequence: number) => {
    assert(isPayload(message, sequence));
    seen.push(sequence);
  };
  assertEquals(reader.poll(handler), { handled: 0, state: "lost" });
  const first = reader.sequence;
  assertEquals([reader.lostMessages, reader.lostBytes], [first, 100 * first]);
  assertEquals(reader.poll(handler), { handled: 100 - first, state: "empty" });
  assertEquals(seen, Array.from({ length: 100 - first }, (_, i) => first + i));
});

Deno.test("poll() with afterLoss newest goes on at the last message", () => {
  using pair = new Pair({ afterLoss: "newest" });
  pair.write(100, 100);
  const seen: number[] = [];
  pair.reader.poll((_message, sequence) => seen.push(sequence));
  pair.reader.poll((_message, sequence) => seen.push(sequence));
  assertEquals(seen, [99]);
});

// ---- to iterate ----

Deno.test("for await gives every message, and ends when the writer has closed", async () => {
  using pair = new Pair();
  pair.write(5, 200);
  const seen: Uint8Array[] = [];
  for await (const message of pair.reader) {
    seen.push(message);
    if (seen.length === 5) pair.writer.close();
  }
  assertEquals(seen, [0, 1, 2, 3, 4].map((sequence) => payload(sequence, 200).slice()));
});

Deno.test("for await throws a LostError that tells what was lost, and can be begun again", async () => {
  using pair = new Pair();
  const { reader } = pair;
  pair.write(100, 100);
  pair.writer.close();
  const drain = async () => {
    const seen: number[] = [];
    for await (const message of reader) {
      const sequence = reader.sequence - 1;
      assert(isPayload(message, sequence));
      seen.push(sequence);
    }
    return seen;
  };
  const error = await assertRejects(drain, LostError);
  const first = reader.sequence;
  assertStringIncludes(error.message, `${first} messages with ${100 * first} bytes`);
  assertEquals(await drain(), Array.from({ length: 100 - first }, (_, i) => first + i));
});

Deno.test("for await can be left and entered again", async () => {
  using pair = new Pair();
  pair.write(4, 100);
  const seen: Uint8Array[] = [];
  for await (const message of pair.reader) {
    seen.push(message);
    if (seen.length === 2) break;
  }
  pair.reads(2, 100);
  for await (const message of pair.reader) {
    seen.push(message);
    break;
  }
  assertEquals(seen, [0, 1, 3].map((sequence) => payload(sequence, 100).slice()));
});
