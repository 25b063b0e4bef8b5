/**
 * Messages of a circular buffer: their lengths, their places, in copies and in place.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import { availableMemory, pageSize } from "../../src/os/page.ts";
import { space } from "../../src/os/files.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { Name } from "../shared/scene.ts";
import { HEAD_BYTES, Inside, isPayload, payload } from "./scene.ts";

/** A writer and a reader of one buffer. */
function pair(place: Name, capacity = pageSize()) {
  const writer = CircularBufferWriter.open(place.name, { capacity });
  const reader = CircularBufferReader.open(place.name);
  const both = {
    writer,
    reader,
    [Symbol.dispose]: () => [writer, reader].forEach((end) => end.close()),
  };
  return both;
}

/** The next message, which must be there. */
function next(reader: CircularBufferReader): Uint8Array {
  const outcome = reader.tryRead();
  assertEquals(outcome.state, "ok");
  return (outcome as { message: Uint8Array }).message;
}

// ---- every length ----

Deno.test("write() and tryRead() pass on a message of every length that fits a page", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let length = 0; length <= writer.maxMessage; length++) {
    writer.write(payload(length, length));
    const message = next(reader);
    if (message.length === length && isPayload(message, length)) continue;
    assertEquals(message, payload(length, length));
  }
  assertEquals([writer.sequence, reader.lostMessages], [writer.maxMessage + 1, 0]);
});

Deno.test("a ring filled with messages of 0 bytes keeps them", () => {
  using place = new Name();
  using ends = pair(place);
  const fitting = pageSize() / HEAD_BYTES - 1;
  for (let i = 0; i < fitting; i++) ends.writer.write(new Uint8Array(0));
  for (let i = 0; i < fitting; i++) assertEquals(next(ends.reader).length, 0);
  assertEquals(ends.reader.tryRead(), { state: "empty" });
});

Deno.test("maxMessage is all of the capacity but two heads, at both ends", () => {
  using place = new Name();
  using ends = pair(place, 2 ** 16);
  assertEquals([ends.writer.maxMessage, ends.reader.maxMessage], [2 ** 16 - 64, 2 ** 16 - 64]);
  assert(ends.writer.maxMessage >= ends.writer.capacity / 2);
});

Deno.test("write() and claim() name the limit when a message can never fit, and change nothing", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.write(payload(0, 10));
  const { maxMessage } = writer;
  const attempts = [
    () => writer.write(new Uint8Array(maxMessage + 1)),
    () => writer.write(new Uint8Array(10 * maxMessage)),
    () => writer.claim(maxMessage + 1),
    () => writer.claim(2 ** 53),
  ];
  for (const length of [-1, 0.5, NaN, Infinity, -Infinity]) {
    assertThrows(() => writer.claim(length), RangeError, `Cannot write ${length} bytes`);
  }
  for (const attempt of attempts) {
    const error = assertThrows(attempt, RangeError);
    assertStringIncludes(error.message, `circular buffer "${place.name}"`);
    assertStringIncludes(error.message, `a message can have ${maxMessage}`);
  }
  assertEquals(next(reader), payload(0, 10));
  assertEquals(reader.tryRead(), { state: "empty" });
});

Deno.test("a message that was read is a copy that nobody changes", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.write(payload(1, 2000));
  const message = next(ends.reader);
  for (let i = 0; i < 10; i++) ends.writer.write(payload(i, 3000));
  assertEquals(message, payload(1, 2000));
});

// ---- every place ----

/** Does something with a message of each length that begins at every position of a page. */
function atEveryPlace(
  lengths: readonly number[],
  visit: (ends: ReturnType<typeof pair>, length: number, at: number) => void,
): void {
  using place = new Name();
  using ends = pair(place);
  using inside = new Inside(place.name);
  const { units, published } = inside.ring;
  for (let at = 0; at < units; at++) {
    for (const length of lengths) {
      let missing = (at - published.load() % units + units) % units;
      if (missing > 0 && missing < HEAD_BYTES / UNIT) missing += units; // no record is so short
      while (missing > 0) {
        const part = missing > 300 ? 150 : missing;
        ends.writer.write(payload(at, part * UNIT - HEAD_BYTES));
        next(ends.reader);
        missing -= part;
      }
      assertEquals(published.load() % units, at);
      visit(ends, length, at);
    }
  }
}

/** Shorter than a head, of every remainder, and as long as can be. */
const LENGTHS = [1, 8, 45, 1003, pageSize() - 64];

Deno.test("a message that is split at any offset is written and read in one piece, in every way", () => {
  const target = new Uint8Array(pageSize());
  const reads: ((reader: CircularBufferReader) => Uint8Array)[] = [
    next,
    (reader) => {
      const outcome = reader.tryRead(target.fill(0xee));
      assert(outcome.state === "ok" && target[outcome.length] !== 0);
      assert(target.subarray(outcome.length).every((byte) => byte === 0xee));
      return target.subarray(0, outcome.length);
    },
    (reader) => {
      let shown: Uint8Array | undefined;
      assertEquals(reader.poll((message) => shown = message.slice(), 1).handled, 1);
      return shown!;
    },
  ];
  atEveryPlace(LENGTHS, ({ writer, reader }, length, at) => {
    for (const [way, read] of reads.entries()) {
      const { sequence } = writer;
      if (way === 2) {
        writer.claim(length).set(payload(sequence, length));
        writer.publish();
      } else writer.write(payload(sequence, length));
      const message = read(reader);
      assert(message.length === length && isPayload(message, sequence), `${length} bytes at ${at}`);
      writer.write(payload(at, 3)); // its head was written with the one before
      assertEquals(next(reader), payload(at, 3));
    }
  });
});

Deno.test("write() changes nothing but the record, the next head and what is shared", () => {
  using place = new Name();
  using inside = new Inside(place.name, pageSize());
  const { dataOffset, capacity, mapping } = inside.ring;
  for (let at = 0; at < inside.ring.units; at += 7) {
    mapping.bytes.fill(0xcd, dataOffset, dataOffset + capacity);
    inside.startAt(at);
    using writer = CircularBufferWriter.open(place.name);
    writer.write(payload(at, 501));
    const touched = HEAD_BYTES + 504 + HEAD_BYTES; // with the rest of a unit, which does not change
    const bytes = mapping.bytes.slice(dataOffset, dataOffset + capacity);
    for (let i = 0; i < capacity; i++) {
      const from = (i - at * UNIT + capacity) % capacity;
      const rest = from >= HEAD_BYTES + 501 && from < HEAD_BYTES + 504;
      assert(from < touched && !rest || bytes[i] === 0xcd, `byte ${i}, message at ${at * UNIT}`);
    }
  }
});

// ---- in place ----

Deno.test("a closed writer throws a ClosedError, and its claim is empty", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer } = ends;
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

Deno.test("publish() refuses more bytes than are claimed, and keeps the claim", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.claim(10).set(payload(3, 10));
  for (const length of [11, -1, 1.5, NaN]) {
    const error = assertThrows(() => writer.publish(length), RangeError);
    assertStringIncludes(error.message, `bytes to circular buffer "${place.name}": 10 are claimed`);
  }
  assertThrows(() => writer.claim(2 ** 20), RangeError);
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.publish();
  assertEquals(next(reader), payload(3, 10));
});

Deno.test("publish() refuses where nothing is claimed", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  const refused = () => {
    const error = assertThrows(() => writer.publish(), VringError);
    assertStringIncludes(error.message, "nothing is claimed");
  };
  refused();
  writer.claim(8);
  writer.discard();
  refused();
  writer.claim(8);
  writer.publish();
  refused();
  writer.claim(8);
  writer.write(payload(1, 1));
  refused();
  assertEquals(writer.sequence, 2);
  reader.close();
});

Deno.test("poll() shows a message again after its handler has thrown", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.write(payload(0, 10));
  const refuse = () => {
    throw new Error("not now");
  };
  assertThrows(() => ends.reader.poll(refuse), Error, "not now");
  assertThrows(() => ends.reader.poll(() => ends.reader.tryRead()), VringError, "still in use");
  assertEquals(next(ends.reader), payload(0, 10));
});

Deno.test("poll() hands out what is written while it runs", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.write(payload(0, 1));
  const polled = reader.poll((_message, sequence) => {
    if (sequence < 5) writer.write(payload(sequence + 1, 1));
  });
  assertEquals(polled, { handled: 6, state: "empty" });
});

Deno.test("poll() throws if its handler disturbs it, and continues if the handler catches that", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.write(payload(i, 100 + i));
  const target = new Uint8Array(200);
  const disturbances = [
    () => reader.tryRead(),
    () => reader.tryRead(target),
    () => reader.readSync({ timeout: 0 }),
    () => reader.poll(() => {}),
  ];
  const seen: number[] = [];
  const polled = reader.poll((message, sequence) => {
    for (const disturb of disturbances) {
      const error = assertThrows(disturb, VringError, "let poll() return first");
      assertStringIncludes(error.message, `"${place.name}": a message is still in use`);
    }
    assert(isPayload(message, sequence) && reader.sequence === sequence);
    seen.push(sequence);
  }, 2);
  assertEquals([polled, seen], [{ handled: 2, state: "ok" }, [0, 1]]);
  assertEquals(next(reader), payload(2, 102));
});

Deno.test("read() that is begun in a handler of poll() gets the message behind those polled", async () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.write(payload(i, 10));
  let reading: Promise<unknown> | undefined;
  assertEquals(reader.poll(() => void (reading ??= reader.read()), 2), { handled: 2, state: "ok" });
  assertEquals(await reading, { state: "ok", message: payload(2, 10) });
});

Deno.test("poll() ends when its handler closes the reader, and does not count that message", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.write(payload(i, 10));
  let shown: Uint8Array | undefined;
  const polled = reader.poll((message, sequence) => {
    shown = message;
    if (sequence === 1) reader.close();
  });
  assertEquals([polled, shown?.length], [{ handled: 1, state: "closed" }, 0]);
  assertThrows(() => reader.tryRead(), ClosedError);
  assertThrows(() => reader.poll(() => {}), ClosedError);
});

// ---- every capacity ----

for (let bits = Math.log2(pageSize()); bits <= 23; bits += 3) {
  Deno.test(`a buffer of 2^${bits} bytes passes on a message as long as can be`, () => {
    using place = new Name();
    using ends = pair(place, 2 ** bits);
    const { writer, reader } = ends;
    for (let sequence = 0; sequence < 3; sequence++) { // the third begins behind the seam
      const numbers = new Float64Array(Math.floor(writer.maxMessage / 8));
      numbers.forEach((_, i) => numbers[i] = i + 0.5 * sequence);
      writer.write(new Uint8Array(numbers.buffer));
      assertEquals(next(reader), new Uint8Array(numbers.buffer));
    }
  });
}

const GIB = 2 ** 30;
const free = space("/dev/shm");
const freeBytes = Math.min(typeof free === "number" ? 0 : free.free, availableMemory());
const NO_GIB = freeBytes < 2 * GIB;
if (NO_GIB) {
  console.warn("The test of a buffer of 1 GiB does not run: 2 GiB of memory must be free");
}

Deno.test({
  name: "a buffer of 1 GiB passes on a message as long as can be, in place",
  ignore: NO_GIB,
  fn() {
    using place = new Name();
    using ends = pair(place, GIB);
    const { writer, reader } = ends;
    assertEquals([writer.capacity, writer.maxMessage], [GIB, GIB - 64]);
    writer.write(payload(1, 1000)); // the next one runs past the seam
    assertEquals(next(reader), payload(1, 1000));
    const view = writer.claim(writer.maxMessage);
    const numbersOf = (bytes: Uint8Array) =>
      new Float64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / 8);
    const apart = 8191; // to touch every page of it would take seconds
    const numbers = numbersOf(view);
    for (let i = 0; i < numbers.length; i += apart) numbers[i] = i + 1;
    writer.publish();
    let wrong = -1;
    const polled = reader.poll((message) => {
      const numbers = numbersOf(message);
      for (let i = 0; i < numbers.length && wrong < 0; i += apart) {
        if (numbers[i] !== i + 1) wrong = i;
      }
    });
    assertEquals([polled, wrong], [{ handled: 1, state: "empty" }, -1]);
  },
});
