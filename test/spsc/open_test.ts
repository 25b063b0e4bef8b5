import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClosedError,
  CorruptRegionError,
  LayoutMismatchError,
  OsError,
  RoleTakenError,
} from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { layout } from "../../src/layout/layout.ts";
import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY, Inside, Pair, valueOf } from "./scene.ts";

Deno.test("codecs carry values, and other codecs are refused", () => {
  using name = new Name();
  const Point = layout("point", { x: "f64", y: "f64" });
  const Other = layout("point", { x: "f64", y: "f32" });
  using producer = SpscProducer.open(name.name, { codec: codec.struct(Point) });
  using consumer = SpscConsumer.open(name.name, { codec: codec.struct(Point) });
  assertEquals(producer.trySendBatch([{ x: 1, y: -2 }, { x: 3, y: 0.5 }]), 2);
  assertEquals(valueOf(consumer.tryReceive()), { x: 1, y: -2 });
  assertEquals(valueOf(consumer.tryReceive()), { x: 3, y: 0.5 });
  consumer.close();
  for (const other of [codec.text, codec.json(), codec.struct(Other)]) {
    const wrong = () => SpscConsumer.open(name.name, { codec: other as typeof codec.text });
    const error = assertThrows(wrong, LayoutMismatchError, 'its messages are "point"');
    assert(error.message.includes(`not "${other.type.name}"`));
  }
  assertThrows(() => SpscConsumer.open(name.name), LayoutMismatchError, 'not "bytes"');
  assertThrows(() => SpscConsumer.open(name.name, { level: "bytes" }), LayoutMismatchError);
});

Deno.test("what a codec throws about a message costs that message only", () => {
  using name = new Name();
  using producer = SpscProducer.open(name.name, { codec: codec.json<number>() });
  using consumer = SpscConsumer.open(name.name, {
    codec: {
      ...codec.json<number>(),
      decode: (bytes) => {
        if (bytes.length === 1) throw new Error("too short for me");
        return bytes.length;
      },
    },
  });
  producer.trySendBatch([1, 22]);
  assertThrows(() => consumer.tryReceive(), Error, "too short for me");
  assertEquals(valueOf(consumer.tryReceive()), 2);
});

Deno.test("SpscProducer.open() and SpscConsumer.open() give each role to one", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  const asProducer = () => SpscProducer.open(name.name);
  const asConsumer = () => SpscConsumer.open(name.name);
  assertThrows(asProducer, RoleTakenError, "as its producer: it has one, which is alive");
  assertThrows(asConsumer, RoleTakenError, "as its consumer: it has one, which is alive");
  producer.trySend(payload(1, 10));
  producer.close();
  consumer.close(); // the last ones out: the ring is gone, and with it what was unread
  assertEquals(name.files(), []);
  using again = asConsumer();
  assertEquals(again.tryReceive(), { state: "empty" });
});

Deno.test("open() joins a ring of any capacity, or of exactly the one that is asked for", () => {
  using name = new Name();
  using producer = SpscProducer.open(name.name, { capacity: 5 * CAPACITY });
  assertEquals(producer.capacity, 8 * CAPACITY);
  SpscConsumer.open(name.name).close();
  SpscConsumer.open(name.name, { capacity: 8 * CAPACITY - 100 }).close();
  assertThrows(() => SpscConsumer.open(name.name, { capacity: CAPACITY }), LayoutMismatchError);
  for (const capacity of [0, -1, 1.5, NaN, 2 ** 30 + 1]) {
    assertThrows(() => SpscProducer.open(name.name, { capacity }), RangeError);
  }
  const level = "byte" as "bytes";
  assertThrows(() => SpscProducer.open(name.name, { level }), TypeError, "messages");
});

Deno.test("open() notes a wish to keep the ring also when it joins", () => {
  using name = new Name();
  {
    using producer = SpscProducer.open(name.name, { capacity: CAPACITY });
    using _consumer = SpscConsumer.open(name.name, { persist: true });
    producer.trySend(payload(5, 50));
  }
  assertEquals(name.files().length, 1);
  {
    using consumer = SpscConsumer.open(name.name);
    assertEquals(valueOf(consumer.tryReceive()), payload(5, 50));
  }
  assertEquals([SpscConsumer.unlink(name.name), SpscProducer.unlink(name.name)], [true, false]);
});

Deno.test("create() makes a ring, and refuses one that is in use", () => {
  using name = new Name();
  using producer = SpscProducer.create(name.name, { capacity: CAPACITY });
  using consumer = SpscConsumer.open(name.name);
  const error = assertThrows(() => SpscConsumer.create(name.name), OsError);
  assertEquals(error.code, "EEXIST");
  producer.close();
  consumer.close();
  using anew = SpscConsumer.create(name.name, { codec: codec.text, capacity: CAPACITY });
  assertEquals(anew.tryReceive(), { state: "empty" });
});

Deno.test("SpscConsumer drains what a closed producer left, and then is told", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  for (let i = 0; i < 3; i++) producer.trySend(payload(i, 10));
  producer.close();
  for (let i = 0; i < 3; i++) assertEquals(valueOf(consumer.tryReceive()), payload(i, 10));
  assertEquals(consumer.tryReceive(), { state: "closed" });
  assertEquals(consumer.receiveSync(), { state: "closed" });
  assertEquals(consumer.tryTake(), { state: "closed" });
  assertEquals(consumer.takeSync(), { state: "closed" });
  assertEquals(consumer.waitSync(), false);
  using next = SpscProducer.open(name.name); // and all is as before
  assertEquals(consumer.tryReceive(), { state: "empty" });
  next.trySend(payload(9, 9));
  assertEquals(consumer.waitSync(), true);
  assertEquals(valueOf(consumer.tryReceive()), payload(9, 9));
});

Deno.test("an unpublished claim is gone with its producer", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  producer.trySend(payload(1, 10));
  producer.tryClaim(100)!.set(bytesFrom(0, 100));
  producer.close();
  using next = SpscProducer.open(name.name);
  next.trySend(payload(2, 10));
  assertEquals(valueOf(consumer.tryReceive()), payload(1, 10));
  assertEquals(valueOf(consumer.tryReceive()), payload(2, 10));
  assertEquals(consumer.tryReceive(), { state: "empty" });
});

Deno.test("closed ends say so, whatever is called, and their views are empty", async () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  producer.trySend(payload(1, 10));
  const view = producer.tryClaim(100)!;
  producer.close();
  consumer.close();
  producer.close(); // once more is nothing
  consumer.close();
  const calls: (() => unknown)[] = [
    () => producer.trySend(payload(1, 1)),
    () => producer.sendSync(payload(1, 1)),
    () => producer.trySendBatch([payload(1, 1)]),
    () => producer.tryClaim(1),
    () => producer.claimSync(1),
    () => producer.publish(),
    () => producer.available,
    () => producer.free,
    () => consumer.tryReceive(),
    () => consumer.tryReceiveInto(new Uint8Array(10)),
    () => consumer.receiveSync(),
    () => consumer.tryTake(),
    () => consumer.takeSync(),
    () => consumer.poll(() => {}),
    () => consumer.waitSync(),
    () => consumer.available,
    () => consumer.free,
  ];
  for (const call of calls) assertThrows(call, ClosedError);
  const promises = [() => producer.send(view), () => producer.claim(1), () => consumer.receive()];
  for (const call of [...promises, () => consumer.wait(), () => consumer.take()]) {
    assert(await call().then(() => false, (error) => error instanceof ClosedError));
  }
  producer.discard();
  assertEquals([view.length, producer.name, consumer.name], [0, name.name, name.name]);
});

Deno.test("ends leave no open file and no mapping, also when they cannot be opened", () => {
  using name = new Name();
  SpscProducer.open(name.name).close(); // what the package keeps for itself is there now
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  for (let i = 0; i < 20; i++) {
    using _producer = SpscProducer.open(name.name, { capacity: CAPACITY });
    assert(state()[0]! > before[0]! && state()[1]! > before[1]!);
    const during = state();
    assertThrows(() => SpscProducer.open(name.name), RoleTakenError);
    assertThrows(() => SpscConsumer.open(name.name, { level: "bytes" }), LayoutMismatchError);
    using inside = new Inside(name.name);
    inside.head.store(1e6);
    assertThrows(() => SpscConsumer.open(name.name), CorruptRegionError);
    assertEquals(inside.consumer.load(), 0); // it never was open
    inside.head.store(0);
    inside[Symbol.dispose]();
    assertEquals(state(), during);
  }
  assertEquals(state(), before);
});

Deno.test("connect() waits for the ring to appear, in any start order", async () => {
  using name = new Name();
  const coming = SpscProducer.connect(name.name, { codec: codec.text });
  const early = await Promise.race([coming, Promise.resolve("nothing yet")]);
  assertEquals(early, "nothing yet");
  using consumer = SpscConsumer.open(name.name, { codec: codec.text, capacity: CAPACITY });
  using producer = await coming;
  producer.trySend("here");
  assertEquals(valueOf(consumer.tryReceive()), "here");
  await assertRejects(() => SpscConsumer.connect(name.name, { codec: codec.text }), RoleTakenError);
  await assertRejects(() => SpscConsumer.connect(name.name), LayoutMismatchError);
});

Deno.test("connect() gives up after its timeout, or when it is called off", async () => {
  using name = new Name();
  for (const timeout of [0, 1, 60]) {
    const start = performance.now();
    const error = await assertRejects(
      () => SpscConsumer.connect(name.name, { timeout }),
      DOMException,
      `${timeout} ms have passed`,
    );
    assertEquals(error.name, "TimeoutError");
    assert(performance.now() - start >= timeout - 1);
  }
  const reason = new Error("no longer needed");
  const stop = new AbortController();
  const waiting = SpscConsumer.connect(name.name, { level: "bytes", signal: stop.signal });
  stop.abort(reason);
  assertEquals(await waiting.then(() => undefined, (error) => error), reason);
  for (const timeout of [-1, NaN]) {
    await assertRejects(() => SpscConsumer.connect(name.name, { timeout }), RangeError);
  }
  assertEquals(name.files(), []);
});
