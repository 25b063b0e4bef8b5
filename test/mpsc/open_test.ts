/**
 * Opening rings with many producers: the seats, the sizes that all must share, and the files left
 * behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CorruptRegionError, LayoutMismatchError, RoleTakenError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { Word32 } from "../../src/memory/word.ts";
import { MPSC } from "../../src/mpsc/mpsc.ts";
import { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { sleepSync } from "../../src/os/clock.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { CAPACITY, Cast, Inside, valueOf } from "./scene.ts";

Deno.test("MpscProducer.open() refuses a seat that is taken, and any when all are", () => {
  using cast = new Cast({ lanes: 3 });
  const { name, producers } = cast;
  const open = (id?: number) => () => MpscProducer.open(name.name, id === undefined ? {} : { id });
  assertThrows(open(), RoleTakenError, "as a producer: all are alive; close one, or make");
  assertThrows(open(1), RoleTakenError, "as producer 1: it has one, which is alive; close that");
  producers[1]!.close();
  assertThrows(open(2), RoleTakenError, "as producer 2");
  const again = open(1)();
  producers.push(again);
  assertEquals([again.id, again.generation], [1, 2]);
});

Deno.test("MpscProducer.open() refuses an id that no producer can have", async () => {
  using cast = new Cast({ lanes: 3, vacant: 3 });
  const { name } = cast;
  for (const id of [-1, 3, 64, 0.5, NaN, Infinity]) {
    const text = `as producer ${id}: its producers are 0 to 2`;
    assertThrows(() => MpscProducer.open(name.name, { id }), RangeError, text);
    await assertRejects(() => MpscProducer.connect(name.name, { id }), RangeError, text);
  }
  using fresh = new Name();
  assertThrows(() => MpscProducer.create(fresh.name, { producers: 2, id: 2 }), RangeError);
  assertEquals(fresh.files(), []);
});

Deno.test("a lane that was not read is refused by open(), and is free once it was", () => {
  using cast = new Cast({ lanes: 2 });
  const { name, consumer, producers } = cast;
  producers[0]!.trySendBatch([payload(1, 10), payload(2, 10)]);
  producers[0]!.close();
  const open = (id?: number) => MpscProducer.open(name.name, id === undefined ? {} : { id });
  for (const left of [2, 1]) {
    assertThrows(() => open(), RoleTakenError, "no free lane has been read to its end; let");
    assertThrows(() => open(0), RoleTakenError, "its last messages are still unread; let");
    assertEquals(valueOf(consumer.tryReceive()).value, payload(3 - left, 10));
  }
  const next = open();
  producers.push(next);
  assertEquals([next.id, next.generation], [0, 2]);
});

Deno.test("a producer that takes an unread lane wakes the consumer, because the dead one may not have rung", () => {
  using cast = new Cast({ lanes: 40 });
  const { name, consumer, producers } = cast;
  using inside = new Inside(name.name);
  for (const id of [1, 35]) {
    assertEquals(consumer.poll(() => {}), 0); // takes all hints
    producers[id]!.trySend(payload(id, 10));
    producers[id]!.close();
    inside.board.hint.store(0);
    assertEquals(consumer.poll(() => {}), 0);
    assertThrows(() => MpscProducer.open(name.name), RoleTakenError, "read to its end");
    assertEquals(consumer.poll((bytes) => assert(isPayload(bytes, id))), 1);
    producers[id] = MpscProducer.open(name.name);
  }
});

Deno.test("a lane that was read, but is still held in place, is not free", () => {
  using cast = new Cast({ lanes: 1 });
  const { name, consumer, producers } = cast;
  producers[0]!.trySend(payload(1, 10));
  producers[0]!.close();
  const taken = consumer.takeSync();
  assert(taken.state === "ok");
  assertThrows(() => MpscProducer.open(name.name), RoleTakenError, "read to its end");
  assertEquals(taken.sample.bytes, payload(1, 10));
  taken.sample[Symbol.dispose]();
  MpscProducer.open(name.name).close();
});

Deno.test("MpscProducer.connect() waits until a lane of a dead producer was read", async () => {
  for (const id of [undefined, 1]) {
    using cast = new Cast({ lanes: 2 });
    const { name, consumer, producers } = cast;
    producers[1]!.trySend(payload(7, 10));
    producers[1]!.close();
    const given = id === undefined ? {} : { id };
    const late = await MpscProducer.connect(name.name, { ...given, timeout: 20 })
      .catch((error) => error);
    assertEquals([late.name, late.message.includes("no lane drained")], ["TimeoutError", true]);
    const stop = new AbortController();
    const aborted = MpscProducer.connect(name.name, { ...given, signal: stop.signal });
    stop.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    const coming = MpscProducer.connect(name.name, given);
    assertEquals(await Promise.race([coming, Promise.resolve("not yet")]), "not yet");
    assertEquals(valueOf(consumer.tryReceive()).value, payload(7, 10));
    using next = await coming;
    assertEquals([next.id, next.generation], [1, 2]);
    next.trySend(payload(8, 10));
    assertEquals(valueOf(consumer.tryReceive()).generation, 2);
    await assertRejects(() => MpscProducer.connect(name.name, given), RoleTakenError, "alive");
  }
});

Deno.test("one who only looks whether a lane was read does not seem to have it", () => {
  using cast = new Cast({ lanes: 1 });
  const { name, producers } = cast;
  producers[0]!.trySend(payload(7, 10));
  producers[0]!.close();
  const { load } = Word32.prototype;
  let looks = 0;
  Word32.prototype.load = function () {
    if (this.path.endsWith("head") && looks++ === 0) {
      assertThrows(() => MpscProducer.open(name.name), RoleTakenError, "read to its end");
    }
    return load.call(this);
  };
  try {
    assertThrows(() => MpscProducer.open(name.name), RoleTakenError, "read to its end");
  } finally {
    Word32.prototype.load = load;
  }
  assert(looks > 1);
});

Deno.test("MpscProducer.connect() has one limit for the ring to appear and for a lane to be read", async () => {
  using name = new Name();
  const connecting = MpscProducer.connect(name.name, { timeout: 5 }).catch((error) => error);
  sleepSync(10);
  using consumer = MpscConsumer.open(name.name, { producers: 1 });
  const producer = MpscProducer.open(name.name);
  producer.trySend(payload(1, 10));
  producer.close();
  const late = setTimeout(() => consumer.tryReceive(), 0); // the limit has passed already
  const { message } = await connecting;
  clearTimeout(late);
  const expected = `Cannot connect to ring "${name.name}", with no lane drained: 5 ms have passed`;
  assertEquals(message, expected);
});

Deno.test("many that connect at the same time to a lane that is not read all wait for it", async () => {
  using cast = new Cast({ lanes: 1 });
  const { name, consumer, producers } = cast;
  producers[0]!.trySend(payload(7, 10));
  producers[0]!.close();
  const stop = new AbortController();
  const coming = Array.from(
    { length: 5 },
    () => MpscProducer.connect(name.name, { signal: stop.signal }).catch((error) => error),
  );
  assertEquals(valueOf(consumer.tryReceive()).value, payload(7, 10));
  const all = await Promise.all(coming);
  const came = all.filter((one) => one instanceof MpscProducer);
  assertEquals(came.length, 1); // and the others throw, because it is alive
  assert(all.every((one) => one instanceof MpscProducer || one instanceof RoleTakenError));
  came[0]!.close();
});

Deno.test("open() refuses lanes of other sizes that hold as much in all", () => {
  using name = new Name();
  using _consumer = MpscConsumer.open(name.name, { producers: 3, capacity: 8 * CAPACITY });
  for (const [producers, lane] of [[24, 1], [6, 4], [12, 2]] as const) {
    const other = { producers, capacity: lane * CAPACITY };
    assertThrows(() => MpscProducer.open(name.name, other), LayoutMismatchError);
  }
});

Deno.test("open() refuses a region of more lanes than there are seats", () => {
  using name = new Name();
  const path = regionPath(MPSC.name, name.name);
  const sizes = { dataBytes: 65 * CAPACITY, partBytes: CAPACITY, message: codec.bytes.type };
  using _region = Region.create({ ...MPSC, mostParts: 65 }, path, sizes);
  for (const open of [() => MpscConsumer.open(name.name), () => MpscProducer.open(name.name)]) {
    assertThrows(open, CorruptRegionError);
  }
});

Deno.test("producers that get no seat leave no file open and no mapping", async () => {
  using cast = new Cast({ lanes: 2 });
  const { name, producers: [first] } = cast;
  first!.trySend(payload(1, 10));
  first!.close(); // and its lane is not read
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  for (const id of [undefined, 0, 1]) {
    assertThrows(
      () => MpscProducer.open(name.name, { ...id !== undefined && { id } }),
      RoleTakenError,
    );
  }
  assertThrows(() => MpscProducer.open(name.name, { id: 2 }), RangeError);
  await assertRejects(() => MpscProducer.connect(name.name, { timeout: 1 }), DOMException);
  assertEquals(state(), before);
});
