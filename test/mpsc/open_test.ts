/**
 * Opening rings with many producers: who gets which seat, sizes on which all agree, and what is left
 * behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClosedError,
  CorruptRegionError,
  LayoutMismatchError,
  OsError,
  RoleTakenError,
} from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { Word32 } from "../../src/memory/word.ts";
import { MOST_PRODUCERS, MPSC } from "../../src/mpsc/mpsc.ts";
import { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
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

Deno.test("MpscProducer.open() refuses an id that is none of the producers'", async () => {
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

Deno.test("MpscConsumer.open() gives its role to one", async () => {
  using cast = new Cast();
  const { name, consumer } = cast;
  const text = "as its consumer: it has one, which is alive";
  assertThrows(() => cast.open(), RoleTakenError, text);
  await assertRejects(() => MpscConsumer.connect(name.name), RoleTakenError, text);
  consumer.close();
  cast.open().close();
});

Deno.test("a lane that was not read is refused by open(), and is free once it was", () => {
  using cast = new Cast({ lanes: 2 });
  const { name, consumer, producers } = cast;
  producers[0]!.trySendBatch([payload(1, 10), payload(2, 10)]);
  producers[0]!.close();
  const open = (id?: number) => MpscProducer.open(name.name, id === undefined ? {} : { id });
  for (const left of [2, 1]) {
    assertThrows(() => open(), RoleTakenError, "no free lane has been read to its end; let");
    assertThrows(() => open(0), RoleTakenError, "what the last one sent was not read yet; let");
    assertEquals(valueOf(consumer.tryReceive()).value, payload(3 - left, 10));
  }
  const next = open();
  producers.push(next);
  assertEquals([next.id, next.generation], [0, 2]);
});

Deno.test("who finds a lane that was not read tells the consumer of it, as the dead one may not have", () => {
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
  assertEquals(came.length, 1); // and the others are told that it is alive
  assert(all.every((one) => one instanceof MpscProducer || one instanceof RoleTakenError));
  came[0]!.close();
});

Deno.test("open() joins a ring of any sizes, or of exactly those that are asked for", () => {
  using name = new Name();
  const options = { producers: 3, capacity: 5 * CAPACITY };
  using consumer = MpscConsumer.open(name.name, options);
  assertEquals([consumer.producers, consumer.capacity], [3, 8 * CAPACITY]);
  for (const same of [{}, { producers: 3 }, { capacity: 8 * CAPACITY - 9 }, options]) {
    using producer = MpscProducer.open(name.name, same);
    assertEquals([producer.id, producer.capacity], [0, 8 * CAPACITY]);
  }
  const wrong = [
    { producers: 2 },
    { producers: 4 },
    { capacity: CAPACITY },
    { producers: 3, capacity: CAPACITY },
    { producers: 4, capacity: 8 * CAPACITY },
    { producers: 24, capacity: CAPACITY }, // as many bytes in all
    { producers: 6, capacity: 4 * CAPACITY },
  ];
  for (const other of wrong) {
    assertThrows(() => MpscProducer.open(name.name, other), LayoutMismatchError);
    consumer.tryReceive();
  }
  assertThrows(() => MpscProducer.open(name.name, { producers: 4 }), Error, "has 3 lanes, not 4");
});

Deno.test("open() refuses numbers of producers and capacities that cannot be", () => {
  using name = new Name();
  for (const producers of [0, -1, 1.5, NaN, MOST_PRODUCERS + 1]) {
    const text = `for ${producers} producers: it is for 1 to 64`;
    assertThrows(() => MpscConsumer.open(name.name, { producers }), RangeError, text);
    assertThrows(() => MpscProducer.create(name.name, { producers }), RangeError, text);
  }
  for (const capacity of [0, -1, 1.5, NaN, 2 ** 30 + 1]) {
    assertThrows(() => MpscConsumer.open(name.name, { capacity }), RangeError);
  }
  assertEquals(name.files(), []);
});

Deno.test("a new ring is for 8 producers if nobody says otherwise", () => {
  using name = new Name();
  using producer = MpscProducer.open(name.name, { capacity: CAPACITY });
  using consumer = MpscConsumer.open(name.name);
  assertEquals([consumer.producers, producer.id], [8, 0]);
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

Deno.test("open() notes a wish to keep the ring also when it joins", () => {
  using name = new Name();
  {
    using consumer = MpscConsumer.open(name.name, { capacity: CAPACITY, producers: 2 });
    using producer = MpscProducer.open(name.name, { persist: true });
    producer.trySend(payload(5, 50));
    assertEquals(consumer.available, 64);
  }
  assertEquals(name.files().length, 1);
  {
    using consumer = MpscConsumer.open(name.name);
    const { value, producer, generation } = valueOf(consumer.tryReceive());
    assertEquals([value, producer, generation], [payload(5, 50).slice(), 0, 1]);
  }
  assertEquals([MpscConsumer.unlink(name.name), MpscProducer.unlink(name.name)], [true, false]);
});

Deno.test("create() makes a ring, and refuses one that is in use", () => {
  using name = new Name();
  using consumer = MpscConsumer.create(name.name, { capacity: CAPACITY, producers: 2 });
  using producer = MpscProducer.open(name.name);
  for (
    const again of [() => MpscConsumer.create(name.name), () => MpscProducer.create(name.name)]
  ) assertEquals(assertThrows(again, OsError).code, "EEXIST");
  producer.close();
  consumer.close();
  using anew = MpscProducer.create(name.name, { codec: codec.text, capacity: CAPACITY, id: 5 });
  assertEquals([anew.id, anew.generation], [5, 1]);
});

Deno.test("codecs carry values, and other codecs are refused", async () => {
  using name = new Name();
  const numbers = codec.json<number[]>();
  using consumer = MpscConsumer.open(name.name, { codec: numbers, capacity: CAPACITY });
  using producer = MpscProducer.open(name.name, { codec: numbers });
  assertEquals(producer.trySendBatch([[1, 2], []]), 2);
  assertEquals([valueOf(consumer.tryReceive()).value, valueOf(consumer.tryReceive()).value], [
    [1, 2],
    [],
  ]);
  for (const other of [codec.text, codec.bytes]) {
    const options = { codec: other as typeof codec.text };
    assertThrows(() => MpscProducer.open(name.name, options), LayoutMismatchError, "json");
    await assertRejects(() => MpscProducer.connect(name.name, options), LayoutMismatchError);
  }
});

Deno.test("connect() waits for the ring to appear, in any start order", async () => {
  using name = new Name();
  const coming = [MpscProducer.connect(name.name), MpscProducer.connect(name.name, { id: 3 })];
  const early = await Promise.race([...coming, Promise.resolve("nothing yet")]);
  assertEquals(early, "nothing yet");
  using consumer = MpscConsumer.open(name.name, { capacity: CAPACITY });
  const [first, second] = await Promise.all(coming);
  using _both = { [Symbol.dispose]: () => [first, second].forEach((one) => one!.close()) };
  assertEquals([first!.id, second!.id], [0, 3]);
  second!.trySend(payload(1, 10));
  assertEquals(valueOf(consumer.tryReceive()).producer, 3);
  using nobody = new Name();
  const never = () => MpscConsumer.connect(nobody.name, { timeout: 5 });
  const late = await assertRejects(never, DOMException);
  assertEquals(late.name, "TimeoutError");
});

Deno.test("closed ends say so, whatever is called, and their views are empty", async () => {
  using cast = new Cast();
  const { consumer, producers: [producer] } = cast;
  producer!.trySend(payload(1, 10));
  const view = producer!.tryClaim(100)!;
  for (const end of [producer!, consumer, producer!, consumer]) end.close();
  const calls: (() => unknown)[] = [
    () => producer!.trySend(payload(1, 1)),
    () => producer!.sendSync(payload(1, 1)),
    () => producer!.tryClaim(1),
    () => producer!.publish(),
    () => producer!.available,
    () => consumer.tryReceive(),
    () => consumer.receiveSync(),
    () => consumer.tryTake(),
    () => consumer.poll(() => {}),
    () => consumer.waitSync(),
    () => consumer.available,
  ];
  for (const call of calls) assertThrows(call, ClosedError);
  for (const call of [() => producer!.send(view), () => consumer.receive()]) {
    await assertRejects(call, ClosedError);
  }
  assertEquals([view.length, producer!.id, producer!.generation], [0, 0, 1]);
});

Deno.test("ends leave no open file and no mapping, also when they cannot be opened", async () => {
  using name = new Name();
  const options = { capacity: CAPACITY, producers: 2 };
  MpscProducer.open(name.name, options).close(); // what the package keeps for itself is there now
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  for (let i = 0; i < 20; i++) {
    using consumer = MpscConsumer.open(name.name, options);
    const first = MpscProducer.open(name.name);
    first.trySend(payload(1, 10));
    first.close();
    using _second = MpscProducer.open(name.name);
    const during = state();
    assert(during[0]! > before[0]! && during[1]! > before[1]!);
    assertThrows(() => MpscProducer.open(name.name, { id: 0 }), RoleTakenError);
    assertThrows(() => MpscConsumer.open(name.name), RoleTakenError);
    assertThrows(() => MpscProducer.open(name.name), RoleTakenError);
    assertThrows(() => MpscProducer.open(name.name, { id: 2 }), RangeError);
    assertThrows(() => MpscProducer.open(name.name, { producers: 3 }), LayoutMismatchError);
    await assertRejects(() => MpscProducer.connect(name.name, { timeout: 1 }), DOMException);
    assertEquals(state(), during);
    consumer.poll((bytes) => assert(isPayload(bytes, 1)));
  }
  assertEquals(state(), before);
});

Deno.test("an unpublished claim is gone with its producer", () => {
  using cast = new Cast({ lanes: 1 });
  const { name, consumer, producers: [producer] } = cast;
  producer!.trySend(payload(1, 10));
  producer!.tryClaim(100)!.set(payload(9, 100));
  producer!.close();
  assertEquals(valueOf(consumer.tryReceive()).value, payload(1, 10));
  using next = MpscProducer.open(name.name);
  next.trySend(payload(2, 10));
  assertEquals(valueOf(consumer.tryReceive()).value, payload(2, 10));
  assertEquals(consumer.tryReceive(), { state: "empty" });
});
