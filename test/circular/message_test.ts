/**
 * Messages of a circular buffer: their lengths, their places, in copies and in place.
 */

import { circular } from "../../src/circular/definition.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { text } from "../../src/codec.ts";
import { ClosedError, VringError } from "../../src/errors.ts";
import { availableMemory, pageSize } from "../../src/os/page.ts";
import { space } from "../../src/os/files.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import { Name } from "../shared/scene.ts";
import { HEAD_BYTES, Inside, isPayload, payload } from "./scene.ts";

/** A writer and a reader of one buffer. */
function pair(place: Name, capacity = pageSize()) {
  const buffer = circular(place.name, { capacity });
  const [writer, reader] = [buffer.writer(), buffer.reader()];
  const both = {
    writer,
    reader,
    [Symbol.dispose]: () => [writer, reader].forEach((end) => end.close()),
  };
  return both;
}

/** The next message, which must be there, and before which nothing was lost. */
function next(reader: CircularBufferReader): Uint8Array {
  const message = reader.tryReceive();
  assert(message !== undefined && message.lost === 0);
  assertEquals(message.sequence, reader.sequence);
  return message.value;
}

// ---- every length ----

Deno.test("trySend() and tryReceive() pass on a message of every length that fits a page", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let length = 0; length <= writer.maxMessage; length++) {
    writer.trySend(payload(length, length));
    const message = next(reader);
    if (message.length === length && isPayload(message, length)) continue;
    assertEquals(message, payload(length, length));
  }
  assertEquals([writer.sequence, reader.lost], [writer.maxMessage + 1, 0]);
});

Deno.test("a ring filled with messages of 0 bytes keeps them", () => {
  using place = new Name();
  using ends = pair(place);
  const fitting = pageSize() / HEAD_BYTES - 1;
  for (let i = 0; i < fitting; i++) ends.writer.trySend(new Uint8Array(0));
  for (let i = 0; i < fitting; i++) assertEquals(next(ends.reader).length, 0);
  assertEquals(ends.reader.tryReceive(), undefined);
});

Deno.test("maxMessage is all of the capacity but two heads, at both ends", () => {
  using place = new Name();
  using ends = pair(place, 2 ** 16);
  assertEquals([ends.writer.maxMessage, ends.reader.maxMessage], [2 ** 16 - 64, 2 ** 16 - 64]);
  assert(ends.writer.maxMessage >= ends.writer.capacity / 2);
});

Deno.test("trySend() and tryClaim() name the limit when a message can never fit, and change nothing", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.trySend(payload(0, 10));
  const { maxMessage } = writer;
  const attempts = [
    () => writer.trySend(new Uint8Array(maxMessage + 1)),
    () => writer.trySend(new Uint8Array(10 * maxMessage)),
    () => writer.tryClaim(maxMessage + 1),
    () => writer.tryClaim(2 ** 53),
  ];
  for (const length of [-1, 0.5, NaN, Infinity, -Infinity]) {
    assertThrows(() => writer.tryClaim(length), RangeError, `Cannot write ${length} bytes`);
  }
  for (const attempt of attempts) {
    const error = assertThrows(attempt, RangeError);
    assertStringIncludes(error.message, `circular buffer "${place.name}"`);
    assertStringIncludes(error.message, `a message can have ${maxMessage}`);
  }
  assertEquals(next(reader), payload(0, 10));
  assertEquals(reader.tryReceive(), undefined);
});

Deno.test("a message that was read is a copy that nobody changes", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.trySend(payload(1, 2000));
  const message = next(ends.reader);
  for (let i = 0; i < 10; i++) ends.writer.trySend(payload(i, 3000));
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
        ends.writer.trySend(payload(at, part * UNIT - HEAD_BYTES));
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
      const length = reader.tryReceiveInto(target.fill(0xee));
      assert(target.subarray(length).every((byte) => byte === 0xee));
      return target.subarray(0, length);
    },
    (reader) => {
      let shown: Uint8Array | undefined;
      assertEquals(reader.poll(({ bytes }) => shown = bytes.slice(), 1), 1);
      return shown!;
    },
    (reader) => {
      let shown: Uint8Array | undefined;
      assertEquals(reader.poll(({ value }) => shown = value, 1), 1);
      return shown!;
    },
  ];
  atEveryPlace(LENGTHS, ({ writer, reader }, length, at) => {
    for (const [way, read] of reads.entries()) {
      const { sequence } = writer;
      if (way === 2) {
        const claim = writer.tryClaim(length);
        claim.bytes.set(payload(sequence, length));
        claim.publish();
      } else if (way === 3) {
        writer.tryFill(({ bytes }) => bytes.set(payload(sequence, length)), length);
      } else writer.trySend(payload(sequence, length));
      const message = read(reader);
      assert(message.length === length && isPayload(message, sequence), `${length} bytes at ${at}`);
      writer.trySend(payload(at, 3)); // its head was written with the one before
      assertEquals(next(reader), payload(at, 3));
    }
  });
});

Deno.test("trySend() changes nothing but the record, the next head and what is shared", () => {
  using place = new Name();
  using inside = new Inside(place.name, pageSize());
  const { dataOffset, capacity, mapping } = inside.ring;
  for (let at = 0; at < inside.ring.units; at += 7) {
    mapping.bytes.fill(0xcd, dataOffset, dataOffset + capacity);
    inside.startAt(at);
    using writer = circular(place.name, { capacity: pageSize() }).writer();
    writer.trySend(payload(at, 501));
    const touched = HEAD_BYTES + 504 + HEAD_BYTES; // with the rest of a unit, which does not change
    const bytes = mapping.bytes.slice(dataOffset, dataOffset + capacity);
    for (let i = 0; i < capacity; i++) {
      const from = (i - at * UNIT + capacity) % capacity;
      const rest = from >= HEAD_BYTES + 501 && from < HEAD_BYTES + 504;
      assert(from < touched && !rest || bytes[i] === 0xcd, `byte ${i}, message at ${at * UNIT}`);
    }
  }
});

Deno.test("a text overwrites no more than it takes, however long its bound is", () => {
  using place = new Name();
  const buffer = circular(place.name, { type: text(), capacity: 4096 });
  using writer = buffer.writer();
  using reader = buffer.reader();
  writer.trySend("first");
  writer.trySend("x".repeat(1200)); // it could take three times as many bytes
  writer.trySend("y".repeat(1200));
  assertEquals([reader.tryReceive()?.value, reader.lost], ["first", 0]);
  assertThrows(() => writer.trySend("z".repeat(4096)), RangeError, "a message can have");
});

// ---- in place ----

Deno.test("poll() shows a message again after its handler has thrown", () => {
  using place = new Name();
  using ends = pair(place);
  ends.writer.trySend(payload(0, 10));
  const refuse = () => {
    throw new Error("not now");
  };
  assertThrows(() => ends.reader.poll(refuse), Error, "not now");
  assertThrows(() => ends.reader.poll(() => ends.reader.tryReceive()), VringError, "still in use");
  assertEquals(next(ends.reader), payload(0, 10));
});

Deno.test("poll() hands out what is written while it runs", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  writer.trySend(payload(0, 1));
  const handled = reader.poll(({ sequence }) => {
    if (sequence < 6) writer.trySend(payload(sequence, 1));
  });
  assertEquals(handled, 6);
});

Deno.test("poll() throws if its handler disturbs it, and continues if the handler catches that", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.trySend(payload(i, 100 + i));
  const target = new Uint8Array(200);
  const disturbances = [
    () => reader.tryReceive(),
    () => reader.tryReceiveInto(target),
    () => reader.receiveSync({ timeout: 0 }),
    () => reader.waitSync({ timeout: 0 }),
    () => reader.poll(() => {}),
  ];
  const seen: number[] = [];
  const handled = reader.poll(({ bytes, sequence }) => {
    for (const disturb of disturbances) {
      const error = assertThrows(disturb, VringError, "let poll() return first");
      assertStringIncludes(error.message, `"${place.name}": a message is still in use`);
    }
    assert(isPayload(bytes, sequence - 1) && reader.sequence === sequence - 1);
    seen.push(sequence);
  }, 2);
  assertEquals([handled, seen], [2, [1, 2]]);
  assertEquals(next(reader), payload(2, 102));
});

Deno.test("receive() that is begun in a handler of poll() gets the message behind those polled", async () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.trySend(payload(i, 10));
  let reading: Promise<unknown> | undefined;
  assertEquals(reader.poll(() => void (reading ??= reader.receive()), 2), 2);
  assertEquals(await reading, { value: payload(2, 10), sequence: 3, lost: 0 });
});

Deno.test("poll() ends when its handler closes the reader, and does not count that message", () => {
  using place = new Name();
  using ends = pair(place);
  const { writer, reader } = ends;
  for (let i = 0; i < 3; i++) writer.trySend(payload(i, 10));
  let shown: Uint8Array | undefined;
  const handled = reader.poll(({ bytes, sequence }) => {
    shown = bytes;
    if (sequence === 2) reader.close();
  });
  assertEquals([handled, shown?.length, reader.closed], [1, 0, true]);
  assertThrows(() => reader.tryReceive(), ClosedError);
  assertThrows(() => reader.poll(() => {}), ClosedError);
});

Deno.test("poll() shows one object, which is empty once its handler has returned", () => {
  using place = new Name();
  using ends = pair(place);
  for (let i = 0; i < 3; i++) ends.writer.trySend(payload(i, 10));
  const shown = new Set<{ readonly bytes: Uint8Array }>();
  ends.reader.poll((message) => {
    assert(message.bytes === message.bytes && message.bytes.length === 10);
    assertEquals([message.length, message.lost, message.view], [10, 0, undefined]);
    shown.add(message);
  });
  assertEquals([...shown].map(({ bytes }) => bytes.length), [0]);
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
      writer.trySend(new Uint8Array(numbers.buffer));
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
    writer.trySend(payload(1, 1000)); // the next one runs past the seam
    assertEquals(next(reader), payload(1, 1000));
    const claim = writer.tryClaim(writer.maxMessage);
    const numbersOf = (bytes: Uint8Array) =>
      new Float64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / 8);
    const apart = 8191; // to touch every page of it would take seconds
    const numbers = numbersOf(claim.bytes);
    for (let i = 0; i < numbers.length; i += apart) numbers[i] = i + 1;
    claim.publish();
    let wrong = -1;
    const handled = reader.poll(({ bytes }) => {
      const numbers = numbersOf(bytes);
      for (let i = 0; i < numbers.length && wrong < 0; i += apart) {
        if (numbers[i] !== i + 1) wrong = i;
      }
    });
    assertEquals([handled, wrong], [1, -1]);
  },
});
