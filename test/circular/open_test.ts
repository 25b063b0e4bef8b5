/**
 * Making, joining and leaving circular buffers.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, RoleTakenError } from "../../src/errors.ts";
import { regions } from "../../src/region/list.ts";
import { pageSize } from "../../src/os/page.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { Inside, payload } from "./scene.ts";

const ENDS = [CircularBufferWriter, CircularBufferReader] as const;
const CAPACITY = 2 ** 16;
const LARGEST_CAPACITY = 2 ** 30;

/** What this process has of shared memory. */
function held(): number[] {
  return [countFiles("/dev/shm/"), rangesOf("/dev/shm/").length];
}

for (const end of ENDS) {
  Deno.test(`${end.name}.open() makes the buffer in a file of the name, and its close removes it`, () => {
    using place = new Name();
    const before = held();
    {
      using opened = end.open(place.name, { capacity: CAPACITY });
      assertEquals([opened.name, opened.capacity], [place.name, CAPACITY]);
      assertEquals(place.files(), [`vring.circular.${place.name}`]);
      assert(held()[0]! > before[0]!);
    }
    assertEquals([place.files(), held()], [[], before]);
  });

  Deno.test(`${end.name}.open() rounds the capacity up to a power of two of at least a page`, () => {
    const page = pageSize();
    const cases = [[1, page], [page - 1, page], [page, page], [page + 1, 2 * page]];
    for (let bits = Math.log2(page) + 1; bits <= 20; bits++) {
      cases.push([2 ** bits - 1, 2 ** bits], [2 ** bits, 2 ** bits], [
        2 ** bits + 1,
        2 ** (bits + 1),
      ]);
    }
    for (const [asked, given] of cases) {
      using place = new Name();
      using opened = end.open(place.name, { capacity: asked! });
      assertEquals([asked, opened.capacity], [asked, given]);
    }
  });

  Deno.test(`${end.name}.open() makes a buffer of 1 MiB if no capacity is given`, () => {
    using place = new Name();
    using opened = end.open(place.name);
    assertEquals(opened.capacity, 2 ** 20);
  });

  Deno.test(`${end.name}.open() joins a buffer of any capacity if none is given`, () => {
    using place = new Name();
    using _reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    using opened = end.open(place.name);
    assertEquals(opened.capacity, CAPACITY);
  });

  Deno.test(`${end.name}.open() joins a buffer of the capacity that is rounded up`, () => {
    using place = new Name();
    using _reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    using opened = end.open(place.name, { capacity: CAPACITY - 1000 });
    assertEquals(opened.capacity, CAPACITY);
  });

  Deno.test(`${end.name}.open() refuses another capacity than the buffer has`, () => {
    using place = new Name();
    using _reader = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    const before = held();
    for (const capacity of [CAPACITY / 2, CAPACITY + 1, 1]) {
      const error = assertThrows(() => end.open(place.name, { capacity }), LayoutMismatchError);
      const what = `Cannot open circular buffer "${place.name}": it holds ${CAPACITY} bytes, not `;
      assertStringIncludes(error.message, what);
    }
    assertEquals(held(), before);
  });

  Deno.test(`${end.name}.open() refuses a capacity that is none, and makes nothing`, () => {
    using place = new Name();
    const before = held();
    for (const capacity of [0, -1, 4096.5, NaN, Infinity, LARGEST_CAPACITY + 1, 2 ** 53]) {
      const error = assertThrows(() => end.open(place.name, { capacity }), RangeError);
      assertStringIncludes(error.message, `Cannot use ${capacity} bytes as a capacity`);
      assertStringIncludes(error.message, ` 1 to ${LARGEST_CAPACITY}`);
    }
    assertEquals([place.files(), held()], [[], before]);
  });

  Deno.test(`${end.name}.open() refuses a name that cannot be one`, () => {
    for (const name of ["", "/", "a b", "a/b", "..", "a\0", "a".repeat(201)]) {
      const error = assertThrows(() => end.open(name), TypeError);
      assertStringIncludes(error.message, `Cannot use ${JSON.stringify(name)} as a name: `);
    }
    assertThrows(() => end.unlink("a/b"), TypeError);
  });

  Deno.test(`${end.name}.open() does not take another file for a buffer`, () => {
    using place = new Name();
    Deno.writeFileSync(place.path("circular"), payload(1, 8192), { mode: 0o600 });
    assertThrows(() => end.open(place.name, { capacity: 4096 }), LayoutMismatchError);
    assertThrows(() => end.open(place.name), LayoutMismatchError);
    assertEquals(Deno.readFileSync(place.path("circular")), payload(1, 8192));
  });

  Deno.test(`${end.name}.open() gives a new buffer its mode whatever the umask`, () => {
    const umask = Deno.umask(0o077);
    try {
      for (
        const [mode, expected] of [[undefined, 0o600], [0o640, 0o640], [0o666, 0o666]] as const
      ) {
        using place = new Name();
        using _opened = end.open(place.name, { capacity: 4096, ...mode && { mode } });
        assertEquals(Deno.statSync(place.path("circular")).mode! & 0o7777, expected);
      }
    } finally {
      Deno.umask(umask);
    }
  });

  Deno.test(`${end.name}.close() can be called twice, and leaves the others in`, () => {
    using place = new Name();
    using other = CircularBufferReader.open(place.name, { capacity: CAPACITY });
    const opened = end.open(place.name);
    opened.close();
    opened.close();
    assertEquals([place.files().length, other.tryRead().state], [
      1,
      end === ENDS[0] ? "closed" : "empty",
    ]);
  });
}

Deno.test("a buffer with persist stays, with its messages, until it is unlinked", () => {
  using place = new Name();
  {
    using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY, persist: true });
    for (let i = 0; i < 10; i++) writer.write(payload(i, 100 * i));
  }
  {
    using reader = CircularBufferReader.open(place.name);
    for (let i = 0; i < 10; i++) {
      assertEquals(reader.tryRead(), { state: "ok", message: payload(i, 100 * i) });
    }
    assertEquals(reader.tryRead(), { state: "closed" });
  }
  assertEquals(CircularBufferWriter.unlink(place.name), true);
  assertEquals([CircularBufferReader.unlink(place.name), place.files()], [false, []]);
});

for (const capacity of [undefined, CAPACITY]) {
  Deno.test(`open() with persist keeps a buffer that was there without it, asked for ${capacity}`, () => {
    using place = new Name();
    const writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
    writer.write(payload(0, 100));
    const options = { persist: true, ...capacity && { capacity } };
    CircularBufferReader.open(place.name, options).close();
    writer.close();
    using reader = CircularBufferReader.open(place.name);
    assertEquals(reader.tryRead(), { state: "ok", message: payload(0, 100) });
  });
}

Deno.test("a buffer without persist is gone with its last member, and the next one is empty", () => {
  using place = new Name();
  CircularBufferWriter.open(place.name, { capacity: CAPACITY }).close();
  {
    using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
    writer.write(payload(1, 100));
  }
  using reader = CircularBufferReader.open(place.name, { capacity: 2 * CAPACITY });
  assertEquals([reader.tryRead(), reader.sequence], [{ state: "empty" }, 0]);
});

Deno.test("unlink() leaves the buffer to those who have it, and newcomers make another", () => {
  using place = new Name();
  using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
  using reader = CircularBufferReader.open(place.name);
  assertEquals(CircularBufferReader.unlink(place.name), true);
  using other = CircularBufferWriter.open(place.name, { capacity: 2 * CAPACITY });
  writer.write(payload(1, 100));
  other.write(payload(2, 200));
  assertEquals(reader.tryRead(), { state: "ok", message: payload(1, 100) });
  assertEquals(reader.tryRead(), { state: "empty" });
});

Deno.test("regions() tells of a circular buffer", () => {
  using place = new Name();
  using _writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
  const info = regions().find(({ name }) => name === place.name);
  assertEquals([info?.kind, info?.details?.dataBytes, info?.inUse], ["circular", CAPACITY, true]);
});

Deno.test("CircularBufferWriter.open() throws a RoleTakenError while there is a writer", () => {
  using place = new Name();
  using writer = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
  const before = held();
  const error = assertThrows(() => CircularBufferWriter.open(place.name), RoleTakenError);
  assertStringIncludes(error.message, `circular buffer "${place.name}": it has a writer, which is`);
  assertStringIncludes(error.message, "alive");
  assertEquals(held(), before);
  writer.write(payload(1, 10)); // the first one is none the worse
  writer.close();
  using _next = CircularBufferWriter.open(place.name, { capacity: CAPACITY });
});

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
