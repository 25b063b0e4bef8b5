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

Deno.test("tryRead() tells a message of 0 bytes from none", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.write(new Uint8Array(0));
  writer.write(new Uint8Array(0));
  assertEquals(reader.tryRead(), { state: "ok", message: new Uint8Array(0) });
  assertEquals(reader.tryRead(new Uint8Array(0)), { state: "ok", length: 0 });
  assertEquals(reader.tryRead(), { state: "empty" });
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
  for (const attempt of attempts) {
    const error = assertThrows(attempt, RangeError);
    assertStringIncludes(error.message, `circular buffer "${place.name}"`);
    assertStringIncludes(error.message, `a message can have ${maxMessage}`);
  }
  assertEquals(next(reader), payload(0, 10));
  assertEquals(reader.tryRead(), { state: "empty" });
});

Deno.test("claim() refuses a length that is none", () => {
  using place = new Name();
  using ends = pair(place);
  for (const length of [-1, 0.5, NaN, Infinity, -Infinity]) {
    assertThrows(() => ends.writer.claim(length), RangeError, `Cannot write ${length} bytes`);
  }
});

Deno.test("write() takes a part of a larger array, and leaves it as it is", () => {
  using place = new Name();
  using ends = pair(place);
  const array = payload(5, 1000).slice();
  ends.writer.write(array.subarray(333, 777));
  assertEquals(next(ends.reader), payload(5, 1000).slice(333, 777));
  assertEquals(array, payload(5, 1000));
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
  visit: (ends: ReturnType<typeof pair>, length: number, at: number, sequence: number) => void,
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
      visit(ends, length, at, ends.writer.sequence);
    }
  }
}

/** Shorter than a head, of every remainder, and as long as can be. */
const LENGTHS = [1, 8, 45, 1003, pageSize() - 64];

Deno.test("write() and tryRead() pass on a message that is split at any offset", () => {
  atEveryPlace(LENGTHS, ({ writer, reader }, length, at, sequence) => {
    writer.write(payload(sequence, length));
    const message = next(reader);
    assert(message.length === length && isPayload(message, sequence), `${length} bytes at ${at}`);
    writer.write(payload(at, 3)); // its head was written with the one before
    assertEquals(next(reader), payload(at, 3));
  });
});

Deno.test("claim() and poll() show a message in one piece wherever it is split", () => {
  atEveryPlace(LENGTHS, ({ writer, reader }, length, at, sequence) => {
    const view = writer.claim(length);
    assertEquals(view.length, length);
    view.set(payload(sequence, length));
    writer.publish();
    let [seen, whole] = [0, false];
    const polled = reader.poll((message, number) => {
      seen++;
      whole = number === sequence && message.length === length && isPayload(message, number);
    });
    assert(seen === 1 && whole && polled.handled === 1, `${length} bytes at ${at}`);
  });
});

Deno.test("tryRead() fills the beginning of an array wherever the message is split", () => {
  const target = new Uint8Array(pageSize());
  atEveryPlace([45, 1003], ({ writer, reader }, length, at, sequence) => {
    writer.write(payload(sequence, length));
    target.fill(0xee);
    assertEquals(reader.tryRead(target), { state: "ok", length });
    const whole = isPayload(target.subarray(0, length), sequence);
    assert(whole && target.subarray(length).every((byte) => byte === 0xee), `${length} at ${at}`);
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
    const touched = HEAD_BYTES + 504 + HEAD_BYTES; // with the rest of a unit, which stays as it was
    const bytes = mapping.bytes.slice(dataOffset, dataOffset + capacity);
    for (let i = 0; i < capacity; i++) {
      const from = (i - at * UNIT + capacity) % capacity;
      const rest = from >= HEAD_BYTES + 501 && from < HEAD_BYTES + 504;
      assert(from < touched && !rest || bytes[i] === 0xcd, `byte ${i}, message at ${at * UNIT}`);
    }
  }
});

// ---- in place ----

Deno.test("publish() publishes the claimed bytes, or fewer", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (const length of [100, 99, 1, 0]) {
    writer.claim(100).set(payload(length, 100));
    writer.publish(length);
    assertEquals(next(reader), payload(length, 100).slice(0, length));
  }
  writer.claim(100).set(payload(7, 100));
  writer.publish();
  assertEquals(next(reader), payload(7, 100));
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

Deno.test("discard() gives a claim up, and the next message comes in its place", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.discard();
  writer.claim(500).set(payload(1, 500));
  writer.discard();
  assertEquals(reader.tryRead(), { state: "empty" });
  writer.write(payload(2, 400));
  assertEquals(next(reader), payload(2, 400));
  assertEquals([writer.sequence, reader.sequence], [1, 1]);
});

Deno.test("claim() takes the place of the claim before", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.claim(500).set(payload(1, 500));
  ends.writer.claim(300).set(payload(2, 300));
  ends.writer.publish();
  assertEquals(next(ends.reader), payload(2, 300));
  assertEquals(ends.reader.tryRead(), { state: "empty" });
});

Deno.test("claim() that a RangeError refused leaves the claim before as it was", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.claim(20).set(payload(1, 20));
  assertThrows(() => ends.writer.claim(2 ** 20), RangeError);
  ends.writer.publish();
  assertEquals(next(ends.reader), payload(1, 20));
});

Deno.test("poll() shows every message once, in order, with its number", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 10; i++) writer.write(payload(i, 10 * i));
  const seen: number[] = [];
  const handler = (message: Uint8Array, sequence: number) => {
    assert(isPayload(message, sequence) && message.length === 10 * sequence);
    seen.push(sequence);
  };
  assertEquals(reader.poll(handler, 3), { handled: 3, state: "ok" });
  assertEquals(reader.poll(handler, 0), { handled: 0, state: "ok" });
  assertEquals(reader.poll(handler), { handled: 7, state: "empty" });
  assertEquals(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(reader.poll(handler), { handled: 0, state: "empty" });
  writer.close();
  assertEquals(reader.poll(handler), { handled: 0, state: "closed" });
});

Deno.test("poll() shows a message again after its handler has thrown", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.write(payload(0, 10));
  const refuse = () => {
    throw new Error("not now");
  };
  assertThrows(() => ends.reader.poll(refuse), Error, "not now");
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

Deno.test("poll() refuses to be disturbed by its handler, and goes on when that has caught it", () => {
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

Deno.test("poll() whose handler is refused leaves the message, and the reader as it was", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.write(payload(0, 10));
  assertThrows(() => ends.reader.poll(() => ends.reader.tryRead()), VringError, "still in use");
  assertEquals(next(ends.reader), payload(0, 10));
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
