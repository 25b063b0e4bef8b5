/** Observing a circular buffer without any right to write. */

import { circular } from "../../src/circular/definition.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CircularBufferObserver } from "../../src/circular/observer.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import type { CircularBufferWriter } from "../../src/circular/writer.ts";
import { CorruptRegionError, LostError } from "../../src/errors.ts";
import { array, struct } from "../../src/struct.ts";
import { waitAny } from "../../src/wait/any.ts";
import { Name } from "../shared/scene.ts";
import { Inside, payload } from "./scene.ts";

const CAPACITY = 4096;
const LENGTH = 200;

function openWriter(name: string): CircularBufferWriter {
  return circular(name, { capacity: CAPACITY }).writer();
}

function write(writer: CircularBufferWriter, count: number): void {
  for (let i = 0; i < count; i++) writer.trySend(payload(writer.sequence, LENGTH));
}

type Receiver = Pick<CircularBufferReader, "tryReceive">;

/** The messages that are there, and how many were lost between them. */
function readAll(receiver: Receiver): (Uint8Array | number)[] {
  const found: (Uint8Array | number)[] = [];
  for (let message; (message = receiver.tryReceive()) !== undefined;) {
    if (message.lost > 0) found.push(message.lost);
    found.push(message.value);
  }
  return found;
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
    using reader = circular(place.name, { capacity: CAPACITY }).reader({ start });
    using observer = circular(place.name, { capacity: CAPACITY }).observer({ start });
    for (const count of [0, 3, 50, 1]) {
      write(writer, count);
      assertEquals(readAll(observer), readAll(reader));
      assertEquals([observer.sequence, observer.lost, observer.lostBytes], [
        reader.sequence,
        reader.lost,
        reader.lostBytes,
      ]);
    }
    assert(observer.lost > 0);
  });
}

Deno.test("an observer may come before the buffer, and counts what it missed of it", () => {
  using place = new Name();
  using observer = circular(place.name, { capacity: CAPACITY }).observer({ start: "now" });
  assertEquals([observer.tryReceive(), observer.buffers, observer.peers], [undefined, 0, 0]);
  assertThrows(() => observer.receiveSync({ timeout: 0 }), DOMException, "it does not exist");
  using writer = openWriter(place.name);
  write(writer, 50);
  const [lost, ...rest] = readSoon(observer);
  assert(typeof lost === "number" && lost > 0);
  assertEquals([...rest, ...readAll(observer)], messages(lost, 50));
  assertEquals([observer.lost, observer.lostBytes, observer.sequence], [
    lost,
    lost * LENGTH,
    50,
  ]);
});

Deno.test("peers counts a writer that opens later, before anything is received", async () => {
  using name = new Name();
  const buffer = circular(name.name);
  using observer = buffer.observer();
  assertEquals(observer.peers, 0);
  using _writer = buffer.writer();
  await observer.waitForPeers(1, { timeout: 60_000 });
  assertEquals([observer.peers, observer.buffers], [1, 1]);
});

Deno.test("a corrupt buffer costs an observer one error, and it goes to the next of the name", () => {
  using place = new Name();
  using observer = circular(place.name, { capacity: CAPACITY }).observer();
  {
    using first = openWriter(place.name);
    write(first, 1);
    assertEquals(readSoon(observer), messages(0, 1));
    using inside = new Inside(place.name);
    for (const word of ["oldest", "published"] as const) inside.word(word).set(2n ** 60n);
    assertThrows(() => observer.tryReceive(), CorruptRegionError);
    assertEquals(observer.tryReceive(), undefined);
  }
  using second = openWriter(place.name);
  write(second, 1);
  assertEquals([...readSoon(observer), ...readAll(observer)], messages(0, 1));
  assertEquals([observer.buffers, observer.lost, observer.sequence], [2, 0, 1]);
});

Deno.test("receive() of an observer waits for a message, and for a buffer", async () => {
  using place = new Name();
  using observer = circular(place.name, { capacity: CAPACITY }).observer();
  const first = observer.receive({ timeout: 20_000 });
  using writer = openWriter(place.name);
  write(writer, 1);
  assertEquals((await first)?.value, payload(0, LENGTH));
  using idle = circular(place.name, { capacity: CAPACITY }).reader({ start: "now" });
  const any = waitAny([idle, observer], { timeout: 20_000, spin: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1));
  write(writer, 1);
  assert([idle, observer].includes(await any));
  assertEquals((await observer.receive())?.value, payload(1, LENGTH));
  await assertRejects(() => observer.receive({ timeout: 1 }), DOMException, "have passed");
});

Deno.test("a loop of an observer continues after a close, and ends with a LostError", async () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY); // the buffer lives on
  using observer = circular(place.name, { capacity: CAPACITY }).observer();
  const seen: Uint8Array[] = [];
  for (let i = 0; i < 2; i++) {
    using writer = circular(place.name, { capacity: CAPACITY }).writer();
    write(writer, 1);
    for await (const value of observer) {
      seen.push(value);
      break;
    }
  }
  assertEquals(seen, messages(0, 2));
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  write(writer, 50);
  await assertRejects(
    () => observer[Symbol.asyncIterator]().next(),
    LostError,
    "this receiver lost 33 messages",
  );
  assertEquals(inside.ring.bell.word.load(), 0); // nobody ever raised it
});

Deno.test("an observer receives a struct, and shows it as a reader does", () => {
  using place = new Name();
  const Point = struct("point", { x: "f64", tags: array("u8", 3) });
  const buffer = circular(place.name, { type: Point, capacity: CAPACITY });
  using writer = buffer.writer();
  using observer = buffer.observer();
  const points = [1, 2].map((x) => ({ x, tags: Uint8Array.of(x, 2, 3) }));
  for (const point of points) writer.trySend(point);
  assertEquals(observer.tryReceive()?.value, points[0]);
  const handled = observer.poll(({ view, value, length }) => {
    assertEquals([view.x, [...view.tags], value, length], [2, [2, 2, 3], points[1], Point.size]);
  });
  assertEquals(handled, 1);
});

Deno.test("nothing that JavaScript does with an observer stores into the buffer", () => {
  using place = new Name();
  using inside = new Inside(place.name, CAPACITY);
  using writer = circular(place.name, { capacity: CAPACITY }).writer();
  write(writer, 2);
  // deno-lint-ignore no-explicit-any
  const observer = circular(place.name, { capacity: CAPACITY }).observer() as any;
  observer.tryReceive().value.fill(255);
  const target = new Uint8Array(LENGTH);
  assertEquals(observer.tryReceiveInto(target), LENGTH);
  target.fill(255);
  write(writer, 1);
  // deno-lint-ignore no-explicit-any
  assertEquals(observer.poll(({ bytes }: any) => bytes.fill(255)), 1); // of a copy
  for (const name of ["trySend", "tryClaim", "publish", "tryFill"]) {
    assertThrows(() => observer[name](target), TypeError, "not a function");
  }
  const [condition] = observer[Symbol.for("vring.conditions/1")]();
  assertThrows(() => condition.watch.store(7));
  condition.bell.raise(); // it is the observer's own
  assertEquals(inside.ring.bell.word.load(), 0);
  using reader = circular(place.name, { capacity: CAPACITY }).reader();
  assertEquals(readAll(reader), messages(0, 3));
  observer.close();
});
