/**
 * Lapped readers of a circular buffer: the loss that they report, and the message that they
 * continue at.
 */

import { circular } from "../../src/circular/definition.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { LostError } from "../../src/errors.ts";
import { pageSize } from "../../src/os/page.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import type { CircularBufferReader, CircularReaderOptions } from "../../src/circular/reader.ts";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { HEAD_BYTES, isPayload, payload, unitsFor } from "./scene.ts";

const CAPACITY = pageSize();
const UNITS = CAPACITY / UNIT;
const HEAD_UNITS = HEAD_BYTES / UNIT;

/** A reader at the beginning of a buffer of a page, and the writer. */
class Pair implements Disposable {
  readonly #place = new Name();
  readonly name = this.#place.name;
  readonly writer: CircularBufferWriter;
  readonly reader: CircularBufferReader;

  constructor(options: CircularReaderOptions = {}) {
    this.writer = circular(this.name, { capacity: CAPACITY }).writer();
    this.reader = circular(this.name, { capacity: CAPACITY }).reader(options);
  }

  /** Writes so many messages of this length. */
  write(count: number, length: number): void {
    for (let i = 0; i < count; i++) this.writer.trySend(payload(this.writer.sequence, length));
  }

  /** The next message must be whole, and the one after this number of messages. */
  reads(before: number, length: number, lost = 0): void {
    const value = payload(before, length);
    assertEquals(this.reader.tryReceive(), { value, sequence: before + 1, lost });
    assertEquals(this.reader.sequence, before + 1);
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

Deno.test("a message that just fits overwrites nothing, and one byte more laps the reader", () => {
  for (const lost of [0, 1]) {
    using pair = new Pair();
    pair.write(1, 8);
    pair.write(1, SPARING + lost);
    if (lost === 0) pair.reads(0, 8);
    pair.reads(1, SPARING + lost, lost);
    assertEquals(pair.reader.tryReceive(), undefined);
    assertEquals([pair.reader.lost, pair.reader.lostBytes], [lost, 8 * lost]);
  }
});

// ---- in place ----

Deno.test("poll() does not count a message that was overwritten while it was shown", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  pair.write(3, 1000);
  let calls = 0;
  const handled = reader.poll(({ bytes, sequence }) => {
    calls++;
    assert(isPayload(bytes, sequence - 1));
    if (sequence < 2) return;
    writer.trySend(payload(3, writer.maxMessage));
    assert(!isPayload(bytes, sequence - 1), "what is shown in place changes");
  });
  assertEquals([handled, calls], [1, 2]);
  assertEquals([reader.lost, reader.lostBytes], [2, 2000]);
  pair.reads(3, writer.maxMessage, 2);
});

Deno.test("a value of a polled message is never torn: it ends the handler instead", () => {
  using pair = new Pair();
  const { reader, writer } = pair;
  pair.write(3, 1000);
  const seen: number[] = [];
  const handled = reader.poll((message) => {
    if (message.sequence === 2) writer.trySend(payload(3, writer.maxMessage));
    assert(isPayload(message.value, message.sequence - 1));
    seen.push(message.sequence);
  });
  assertEquals([handled, seen, reader.lost], [1, [1], 2]);
  let lost = 0;
  assertEquals(reader.poll((message) => lost = message.lost), 1);
  assertEquals(lost, 2);
});

Deno.test("poll() tells a loss once, even if its handler throws the first time", () => {
  using pair = new Pair();
  pair.write(100, 100);
  const seen: number[] = [];
  const refuse = () => {
    throw new Error("not now");
  };
  assertThrows(() => pair.reader.poll(refuse), Error, "not now");
  pair.reader.poll(({ lost }) => seen.push(lost), 2);
  assertEquals(seen, [pair.reader.lost, 0]);
});

Deno.test("tryReceiveInto() continues after a loss, and keeps a message that does not fit", () => {
  using pair = new Pair();
  const { reader } = pair;
  const target = new Uint8Array(100);
  assertEquals(reader.tryReceiveInto(target), -1);
  pair.write(100, 101);
  assertThrows(() => reader.tryReceiveInto(target), RangeError, "the message has 101");
  const { sequence, lost } = reader;
  assert(lost > 0 && sequence === lost);
  pair.reads(sequence, 101, lost);
  pair.write(100, 99);
  assertEquals(reader.tryReceiveInto(target), 99);
  assert(isPayload(target.subarray(0, 99), reader.sequence - 1) && reader.lost > lost);
  pair.reads(reader.sequence, 99); // which has no loss before it
});

// ---- to iterate ----

Deno.test("for await throws a LostError that tells what was lost, and can be begun again", async () => {
  using pair = new Pair();
  const { reader } = pair;
  pair.write(100, 100);
  pair.writer.close();
  const drain = async () => {
    const seen: number[] = [];
    for await (const value of reader) {
      const sequence = reader.sequence - 1;
      assert(isPayload(value, sequence));
      seen.push(sequence);
    }
    return seen;
  };
  const error = await assertRejects(drain, LostError);
  const first = reader.sequence;
  assertStringIncludes(error.message, `${first} messages`);
  assertEquals(await drain(), Array.from({ length: 100 - first }, (_, i) => first + i));
});

Deno.test('values({ onLoss: "skip" }) yields all that is left', async () => {
  using pair = new Pair();
  pair.write(100, 100);
  pair.writer.close();
  const values = await Array.fromAsync(pair.reader.values({ onLoss: "skip" }));
  const { lost } = pair.reader;
  assert(lost > 0 && values.length === 100 - lost);
  values.forEach((value, i) => assert(isPayload(value, lost + i)));
});

Deno.test("a loop whose last messages were lost does not look finished", async () => {
  using pair = new Pair();
  pair.write(3, 100);
  pair.writer.tryClaim(pair.writer.maxMessage); // overwrites all, and is never published
  pair.writer.close();
  const drain = () => Array.fromAsync(pair.reader);
  await assertRejects(drain, LostError, "3 messages");
  assertEquals([await drain(), pair.reader.ended], [[], true]);
});

Deno.test("for await can be left and entered again", async () => {
  using pair = new Pair();
  pair.write(4, 100);
  const seen: Uint8Array[] = [];
  for await (const value of pair.reader) {
    seen.push(value);
    if (seen.length === 2) break;
  }
  pair.reads(2, 100);
  for await (const value of pair.reader) {
    seen.push(value);
    if (seen.length === 4) break;
    setTimeout(() => pair.write(1, 100)); // which it waits for
  }
  assertEquals(seen, [0, 1, 3, 4].map((number) => payload(number, 100).slice()));
});
