/** What waits in a ring, read by an observer while producers and consumers go on. */

import { assertEquals, assertThrows } from "@std/assert";
import { CorruptRegionError } from "../../src/errors.ts";
import { WaitingMessages } from "../../src/inspect/waiting.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { observe, type RegionObserver } from "../../src/region/region_observer.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import type { SPSC_CONTROL } from "../../src/spsc/spsc.ts";
import { namespace } from "../../src/testing/namespace.ts";

const numbers = spsc("waiting-numbers", { type: "f64", capacity: 4096 });

/** The sequence, the loss and the number in each message. */
function seen(waiting: WaitingMessages): number[][] {
  return waiting.look().map(({ sequence, lost, bytes }) => [
    sequence,
    lost,
    new DataView(bytes.buffer).getFloat64(0, true),
  ]);
}

Deno.test("a ring shows each waiting message once, and counts those that passed", () => {
  using _place = namespace();
  using producer = numbers.producer();
  using consumer = numbers.consumer();
  using observer = observe("spsc", "waiting-numbers");
  const waiting = new WaitingMessages(observer);
  assertEquals(seen(waiting), []);
  for (let i = 1; i <= 3; i++) producer.trySend(i);
  assertEquals(seen(waiting), [[1, 0, 1], [2, 0, 2], [3, 0, 3]]);
  assertEquals(seen(waiting), []);
  assertEquals(consumer.tryReceive()?.value, 1);
  for (let i = 4; i <= 5; i++) producer.trySend(i);
  assertEquals(seen(waiting), [[4, 0, 4], [5, 0, 5]]);
  for (let i = 6; i <= 9; i++) producer.trySend(i);
  for (let i = 2; i <= 7; i++) assertEquals(consumer.tryReceive()?.value, i);
  assertEquals(seen(waiting), [[8, 2, 8], [9, 0, 9]]);
});

Deno.test("an observer that comes late begins with what waits, under its true numbers", () => {
  using _place = namespace();
  using producer = numbers.producer();
  using consumer = numbers.consumer();
  for (let i = 1; i <= 1000; i++) {
    producer.trySend(i);
    consumer.tryReceive();
  }
  for (let i = 1001; i <= 1256; i++) producer.trySend(i); // full, and once round the seam
  using observer = observe("spsc", "waiting-numbers");
  const all = seen(new WaitingMessages(observer));
  assertEquals(all.length, 256);
  assertEquals([all[0], all[255]], [[1001, 0, 1001], [1256, 0, 1256]]);
});

Deno.test("a message that is overwritten while it is read is not shown", () => {
  using _place = namespace();
  using producer = numbers.producer();
  using consumer = numbers.consumer();
  for (let i = 1; i <= 256; i++) producer.trySend(i);
  using observer = observe("spsc", "waiting-numbers");
  let meanwhile = () => {};
  const disturbed = {
    kind: observer.kind,
    name: observer.name,
    details: observer.details,
    control: (layout: typeof SPSC_CONTROL) => observer.control(layout),
    read(offset: number, length: number) {
      const half = observer.read(offset, length / 2);
      meanwhile();
      const bytes = new Uint8Array(length);
      bytes.set(half);
      bytes.set(observer.read(offset + length / 2, length / 2), half.length);
      meanwhile = () => {};
      return bytes;
    },
  } as unknown as RegionObserver;
  const waiting = new WaitingMessages(disturbed);
  meanwhile = () => {
    for (let i = 1; i <= 200; i++) consumer.tryReceive();
    for (let i = 257; i <= 456; i++) producer.trySend(-i); // also where the other half will be read
  };
  const first = seen(waiting);
  assertEquals(first.length, 56);
  assertEquals([first[0], first[55]], [[201, 200, 201], [256, 0, 256]]);
  const second = seen(waiting);
  assertEquals(second.length, 200);
  assertEquals([second[0], second[199]], [[257, 0, -257], [456, 0, -456]]);
});

Deno.test("a ring of several producers shows the messages of each", () => {
  using _place = namespace();
  const many = mpsc("waiting-many", { producers: 3, capacity: 4096 });
  using first = many.producer();
  using second = many.producer();
  using observer = observe("mpsc", "waiting-many");
  const waiting = new WaitingMessages(observer);
  first.trySend(new Uint8Array([1]));
  second.trySend(new Uint8Array([2, 2]));
  const found = waiting.look().map(({ producer, bytes }) => [producer, ...bytes]);
  assertEquals(found, [[0, 1], [1, 2, 2]]);
});

Deno.test("a corrupt ring is reported", () => {
  using _place = namespace();
  using producer = numbers.producer();
  using observer = observe("spsc", "waiting-numbers");
  producer.trySend(1);
  const scribbled = (field: "head" | "length", value: number) =>
    new WaitingMessages({
      kind: observer.kind,
      name: observer.name,
      details: observer.details,
      control(layout: typeof SPSC_CONTROL) {
        const control = observer.control(layout);
        return field === "head" ? { ...control, lane: { ...control.lane, head: value } } : control;
      },
      read(offset: number, length: number) {
        const bytes = observer.read(offset, length);
        if (field === "length" && length > 0) new DataView(bytes.buffer).setFloat64(0, value, true);
        return bytes;
      },
    } as unknown as RegionObserver);
  assertThrows(() => scribbled("head", 4104).look(), CorruptRegionError, "head");
  for (const length of [NaN, -1, 0.5, 9, 2 ** 40]) {
    assertThrows(() => scribbled("length", length).look(), CorruptRegionError, "a message states");
  }
});

Deno.test("canRead() knows rings of messages", () => {
  using _place = namespace();
  using _bytes = byteRing("waiting-bytes").producer();
  using _numbers = numbers.producer();
  using bytes = observe("spsc", "waiting-bytes");
  using messages = observe("spsc", "waiting-numbers");
  assertEquals([bytes, messages].map(WaitingMessages.canRead), [false, true]);
});
