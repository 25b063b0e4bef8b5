/** Observing a circular buffer without any right to write. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CircularBufferObserver } from "../../src/circular/observer.ts";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
import { ClosedError, CorruptRegionError, LostError } from "../../src/errors.ts";
import { waitAny } from "../../src/wait/any.ts";
import { Name } from "../shared/scene.ts";
import { Inside, payload } from "./scene.ts";

const CAPACITY = 4096;
const LENGTH = 200;

function openWriter(name: string): CircularBufferWriter {
  return CircularBufferWriter.open(name, { capacity: CAPACITY });
}

function write(writer: CircularBufferWriter, count: number): void {
  for (let i = 0; i < count; i++) writer.write(payload(writer.sequence, LENGTH));
}

type Reads = Pick<CircularBufferReader, "tryRead">;

/** The messages that are there, by number, and what was lost between them. */
function readAll(reader: Reads): (Uint8Array | number)[] {
  const found: (Uint8Array | number)[] = [];
  for (;;) {
    const outcome = reader.tryRead();
    if (outcome.state === "ok") found.push(outcome.message);
    else if (outcome.state === "lost") found.push(outcome.messages);
    else return found;
  }
}

const messages = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => payload(from + i, LENGTH));

/** Waits for an observer to look at the name again. */
function readSoon(observer: CircularBufferObserver): (Uint8Array | number)[] {
  const { buffers } = observer;
  let found: (Uint8Array | number)[] = [];
  while (observer.buffers === buffers) found = [...found, ...readAll(observer)];
  return found;
}

for (const start of ["oldest", "newest", "now"] as const) {
  Deno.test(`an observer that starts at ${start} reads and loses what a reader does`, () => {
    using place = new Name();
    using writer = openWriter(place.name);
    write(writer, 40);
    using reader = CircularBufferReader.open(place.name, { start });
    using observer = CircularBufferObserver.open(place.name, { start });
    for (const count of [0, 3, 50, 1]) {
      write(writer, count);
      assertEquals(readAll(observer), readAll(reader));
      assertEquals([observer.sequence, observer.lostMessages, observer.lostBytes], [
        reader.sequence,
        reader.lostMessages,
        reader.lostBytes,
      ]);
    }
    assert(observer.lostMessages > 0);
  });
}

Deno.test("an observer changes no byte of the file and keeps no buffer alive", () => {
  using place = new Name();
  const writer = openWriter(place.name);
  write(writer, 3);
  const path = place.path("circular");
  const before = Deno.readFileSync(path);
  const observer = CircularBufferObserver.open(place.name);
  assertEquals(observer.readSync(), { state: "ok", message: payload(0, LENGTH) });
  assertEquals(readAll(observer), messages(1, 3));
  assertThrows(() => observer.readSync({ timeout: 20, spin: 0 }), DOMException, "have passed");
  assertEquals([Deno.readFileSync(path), observer.hasWriter], [before, true]);
  writer.close();
  assertEquals([place.files(), observer.hasWriter], [[], false]);
  observer.close();
  assertEquals(place.files(), []);
});

Deno.test("an observer may come before the buffer, and counts what it missed of it", () => {
  using place = new Name();
  using observer = CircularBufferObserver.open(place.name, { start: "now" });
  assertEquals([observer.tryRead(), observer.buffers, observer.hasWriter], [
    { state: "empty" },
    0,
    false,
  ]);
  using writer = openWriter(place.name);
  write(writer, 50);
  const [lost, ...rest] = readSoon(observer);
  assert(typeof lost === "number" && lost > 0);
  assertEquals([...rest, ...readAll(observer)], messages(lost, 50));
  assertEquals([observer.lostMessages, observer.lostBytes, observer.sequence], [
    lost,
    lost * LENGTH,
    50,
  ]);
});

Deno.test("an observer reads a buffer to its end before it goes to the next of the name", () => {
  using place = new Name();
  using observer = CircularBufferObserver.open(place.name);
  {
    using first = openWriter(place.name);
    write(first, 2);
    assertEquals([...readSoon(observer), ...readAll(observer)], messages(0, 2));
    write(first, 3);
  }
  using second = openWriter(place.name);
  write(second, 1);
  assertEquals([...readSoon(observer), ...readAll(observer)], [
    ...messages(2, 5),
    ...messages(0, 1),
  ]);
  assertEquals([observer.buffers, observer.lostMessages, observer.sequence], [2, 0, 1]);
});

Deno.test("a corrupt buffer costs an observer one error, and it goes to the next of the name", () => {
  using place = new Name();
  using observer = CircularBufferObserver.open(place.name);
  {
    using first = openWriter(place.name);
    write(first, 1);
    assertEquals(readSoon(observer), messages(0, 1));
    using inside = new Inside(place.name);
    for (const word of ["oldest", "published"] as const) inside.word(word).set(2n ** 60n);
    assertThrows(() => observer.tryRead(), CorruptRegionError);
    assertEquals(observer.tryRead(), { state: "empty" });
  }
  using second = openWriter(place.name);
  write(second, 1);
  assertEquals([...readSoon(observer), ...readAll(observer)], messages(0, 1));
});

Deno.test("read() of an observer waits for a message, and for a buffer", async () => {
  using place = new Name();
  using observer = CircularBufferObserver.open(place.name);
  const first = observer.read({ timeout: 20_000 });
  using writer = openWriter(place.name);
  write(writer, 1);
  assertEquals(await first, { state: "ok", message: payload(0, LENGTH) });
  using idle = CircularBufferReader.open(place.name, { start: "now" });
  const any = waitAny([idle, observer], { timeout: 20_000, spin: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  write(writer, 1);
  assert([idle, observer].includes(await any));
  assertEquals(await observer.read(), { state: "ok", message: payload(1, LENGTH) });
  await assertRejects(() => observer.read({ timeout: 1 }), DOMException, "have passed");
});

Deno.test("a loop of an observer continues after a close, and ends with a LostError", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY); // the buffer lives on
  using observer = CircularBufferObserver.open(place.name);
  const seen: Uint8Array[] = [];
  for (let i = 0; i < 2; i++) {
    using writer = CircularBufferWriter.open(place.name);
    write(writer, 1);
    for await (const message of observer) {
      seen.push(message);
      break;
    }
  }
  assertEquals(seen, messages(0, 2));
  using writer = CircularBufferWriter.open(place.name);
  write(writer, 50);
  await assertRejects(() => observer[Symbol.asyncIterator]().next(), LostError, "overwritten");
  assertEquals(inside.ring.bell.word.load(), 0); // nobody ever raised it
});

Deno.test("close() of an observer ends its waits, and every call after it", async () => {
  using place = new Name();
  using writer = openWriter(place.name);
  const observer = CircularBufferObserver.open(place.name);
  const reading = observer.read({ spin: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  observer.close();
  observer.close();
  await assertRejects(() => reading, ClosedError);
  assertThrows(() => observer.tryRead(), ClosedError, `circular buffer "${place.name}"`);
  assertThrows(() => observer.hasWriter, ClosedError);
  await assertRejects(() => waitAny([observer]), ClosedError);
  write(writer, 1);
});

Deno.test("nothing that JavaScript does with an observer stores into the buffer", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  using writer = CircularBufferWriter.open(place.name);
  write(writer, 2);
  // deno-lint-ignore no-explicit-any
  const observer = CircularBufferObserver.open(place.name) as any;
  const { message } = observer.tryRead();
  message.fill(255);
  const target = new Uint8Array(LENGTH);
  assertEquals(observer.tryRead(target).state, "ok");
  target.fill(255);
  for (const name of ["write", "claim", "publish", "poll"]) {
    assertThrows(() => observer[name](target), TypeError, "not a function");
  }
  const [condition] = observer[Symbol.for("vring.conditions/1")]();
  assertThrows(() => condition.watch.store(7));
  condition.bell.raise(); // it is the observer's own
  assertEquals(inside.ring.bell.word.load(), 0);
  using reader = CircularBufferReader.open(place.name);
  assertEquals(readAll(reader), messages(0, 2));
  observer.close();
});
