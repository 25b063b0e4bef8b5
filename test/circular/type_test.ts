/** Types of the messages of a circular buffer: values, views in place, and sizes. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { circular } from "../../src/circular/definition.ts";
import type { CircularReceiver } from "../../src/circular/receiver.ts";
import { json, text } from "../../src/codec.ts";
import { array, struct } from "../../src/struct.ts";
import { VringError } from "../../src/errors.ts";
import type { Type } from "../../src/message.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "./scene.ts";

const Point = struct("point", { x: "f64", y: "f32", tags: array("u8", 3) });
const CAPACITY = 4096;

function ends<K extends Type>(place: Name, type: K) {
  const buffer = circular(place.name, { type, capacity: CAPACITY });
  const [writer, reader, observer] = [buffer.writer(), buffer.reader(), buffer.observer()];
  return {
    writer,
    reader,
    observer,
    [Symbol.dispose]: () => [writer, reader, observer].forEach((end) => end.close()),
  };
}

function point(i: number) {
  return { x: i + 0.25, y: -i, tags: Uint8Array.of(i, i + 1, i + 2) };
}

Deno.test("a struct is sent by value, by claim and by fill, and received in every way", () => {
  using place = new Name();
  using both = ends(place, Point);
  const { writer, reader, observer } = both;
  writer.trySend(point(1));
  const claim = writer.tryClaim(); // of the size of the struct
  const { x, y, tags } = point(2);
  [claim.view.x, claim.view.y] = [x, y];
  claim.view.tags.set(tags);
  claim.publish();
  writer.tryFill(({ bytes }) => void Point.encode(point(3), bytes));
  for (const receiver of [reader, observer] as CircularReceiver<typeof Point>[]) {
    assertEquals(receiver.tryReceive()?.value, point(1));
    const seen: unknown[] = [];
    const handled = receiver.poll(({ view, value, length }) => {
      assertEquals([view.x, view.y, [...view.tags]], [value.x, value.y, [...value.tags]]);
      assertEquals(length, Point.size);
      seen.push(value);
    });
    assertEquals([handled, seen], [2, [point(2), point(3)]]);
  }
});

Deno.test("values of scalars, texts and JSON arrive unchanged", () => {
  const values: [Type, unknown[]][] = [
    ["f64", [0, -1.5, 2 ** 60]],
    [text(), ["", "größe", "🔒".repeat(50)]],
    [json(), [null, [1, { a: "b" }], "x".repeat(1000)]],
  ];
  for (const [type, sent] of values) {
    using place = new Name();
    using both = ends(place, type);
    for (const value of sent) both.writer.trySend(value as never);
    for (const value of sent) assertEquals(both.reader.tryReceive()?.value, value);
  }
});

Deno.test("a text overwrites no more than it takes, however long its bound is", () => {
  using place = new Name();
  using both = ends(place, text());
  const { writer, reader } = both;
  writer.trySend("first");
  writer.trySend("x".repeat(1200)); // it could take three times as many bytes
  writer.trySend("y".repeat(1200));
  assertEquals([reader.tryReceive()?.value, reader.lost], ["first", 0]);
  assertThrows(() => writer.trySend("z".repeat(CAPACITY)), RangeError, "a message can have");
});

Deno.test("a value that cannot be encoded leaves nothing, nor does one that writes meanwhile", () => {
  using place = new Name();
  using both = ends(place, Point);
  const { writer, reader } = both;
  const evil = (act: () => void) => ({
    ...point(1),
    get x() {
      return act(), 1;
    },
  });
  const refuse = () => {
    throw new Error("no");
  };
  assertThrows(() => writer.trySend(evil(refuse)), Error, "no");
  for (const act of [() => writer.trySend(point(2)), () => writer.tryClaim()]) {
    assertThrows(() => writer.trySend(evil(act)), VringError, "is being encoded");
  }
  assertEquals([writer.sequence, reader.tryReceive()], [0, undefined]);
  writer.trySend(point(3));
  assertEquals(reader.tryReceive(), { value: point(3), sequence: 1, lost: 0 });
});

Deno.test("a message that its type cannot decode is gone after the error", () => {
  using place = new Name();
  using both = ends(place, json());
  const { writer, reader } = both;
  writer.tryFill(({ bytes }) => void bytes.fill("{".charCodeAt(0)), 3);
  writer.trySend("good");
  assertThrows(() => reader.tryReceive(), Error);
  assertEquals(reader.tryReceive()?.value, "good");
});

Deno.test("received bytes are cut from a slab of the reader, unless it owns each", () => {
  using place = new Name();
  const buffer = circular(place.name, { capacity: CAPACITY });
  using writer = buffer.writer();
  using sharing = buffer.reader();
  using owning = buffer.reader({ own: true });
  for (let i = 0; i < 2; i++) writer.trySend(payload(i, 40));
  const take = (receiver: CircularReceiver) =>
    [0, 1].map((i) => {
      const { value } = receiver.tryReceive()!;
      assertEquals(value, payload(i, 40));
      return value.buffer;
    });
  const [first, second] = take(sharing);
  assert(first === second && first!.byteLength > 40);
  assertEquals(take(owning).map(({ byteLength }) => byteLength), [40, 40]);
});
