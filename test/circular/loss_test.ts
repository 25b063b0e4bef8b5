/**
 * Lapped readers of a circular buffer: the loss that they report, and the message that they
 * continue at.
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

Deno.test("a message that just fits overwrites nothing, and one byte more laps the reader", () => {
  for (const lost of [0, 1]) {
    using pair = new Pair();
    pair.write(1, 8);
    pair.write(1, SPARING + lost);
    if (lost === 0) pair.reads(0, 8);
    else assertEquals(pair.reader.tryRead(), { state: "lost", messages: 1, bytes: 8 });
    pair.reads(1, SPARING + lost);
    assertEquals(pair.reader.tryRead().state, "empty");
    assertEquals([pair.reader.lostMessages, pair.reader.lostBytes], [lost, 8 * lost]);
  }
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

// ---- to iterate ----

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
    if (seen.length === 4) break;
    setTimeout(() => pair.write(1, 100)); // which it waits for
  }
  assertEquals(seen, [0, 1, 3, 4].map((sequence) => payload(sequence, 100).slice()));
});
