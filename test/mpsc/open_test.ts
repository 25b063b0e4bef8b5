/**
 * Opening rings with many producers: the seats, the sizes that all must share, and the files left
 * behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CorruptRegionError, LayoutMismatchError, RoleTakenError } from "../../src/errors.ts";
import { bytes } from "../../src/codec.ts";
import { Word32 } from "../../src/memory/word.ts";
import { MPSC } from "../../src/mpsc/mpsc.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { regionPath } from "../../src/region/names.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { CAPACITY, Cast, Inside, valueOf } from "./scene.ts";
import { createRegion } from "../region/opening.ts";

Deno.test("MpscDefinition.producer() refuses a seat that is taken, and any when all are", () => {
  using cast = new Cast({ lanes: 3 });
  const { ring, producers } = cast;
  const open = (id?: number) => () => ring.producer({ id });
  assertThrows(
    open(),
    RoleTakenError,
    "as a producer: all are alive; close one, wait with nextProducer()",
  );
  assertThrows(
    open(1),
    RoleTakenError,
    "as producer 1: it has one, which is alive; close that first, wait for it with nextProducer()",
  );
  producers[1]!.close();
  assertThrows(open(2), RoleTakenError, "as producer 2");
  const again = open(1)();
  producers.push(again);
  assertEquals([again.id, again.generation], [1, 2]);
});

Deno.test("MpscDefinition.producer() refuses an id that no producer can have", async () => {
  using cast = new Cast({ lanes: 3, vacant: 3 });
  const { ring } = cast;
  for (const id of [-1, 3, 64, 0.5, NaN, Infinity]) {
    const text = `as producer ${id}: its producers are 0 to 2`;
    assertThrows(() => ring.producer({ id }), RangeError, text);
    await assertRejects(() => ring.nextProducer({ id }), RangeError, text);
  }
  using fresh = new Name();
  const two = mpsc(fresh.name, { producers: 2 });
  assertThrows(() => two.producer({ open: "create", id: 2 }), RangeError);
  assertEquals(fresh.files(), []);
});

Deno.test("a lane that was not read is refused, and is free once it was", () => {
  using cast = new Cast({ lanes: 2 });
  const { ring, consumer, producers } = cast;
  producers[0]!.trySendBatch([payload(1, 10), payload(2, 10)]);
  producers[0]!.close();
  const open = (id?: number) => ring.producer({ id });
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
  const { name, ring, consumer, producers } = cast;
  using inside = new Inside(name.name);
  for (const id of [1, 35]) {
    assertEquals(consumer.poll(() => {}), 0); // takes all hints
    producers[id]!.trySend(payload(id, 10));
    producers[id]!.close();
    inside.board.hint.store(0);
    assertEquals(consumer.poll(() => {}), 0);
    assertThrows(() => ring.producer(), RoleTakenError, "read to its end");
    assertEquals(consumer.poll(({ bytes }) => assert(isPayload(bytes, id))), 1);
    producers[id] = ring.producer();
  }
});

Deno.test("a lane that was read, but is still held in place, is not free", () => {
  using cast = new Cast({ lanes: 1 });
  const { ring, consumer, producers } = cast;
  producers[0]!.trySend(payload(1, 10));
  producers[0]!.close();
  const taken = consumer.takeSync()!;
  assertThrows(() => ring.producer(), RoleTakenError, "read to its end");
  assertEquals(taken.bytes, payload(1, 10));
  taken.ack();
  ring.producer().close();
});

Deno.test("MpscDefinition.nextProducer() waits until a lane of a dead producer was read", async () => {
  for (const id of [undefined, 1]) {
    using cast = new Cast({ lanes: 2 });
    const { ring, consumer, producers } = cast;
    producers[1]!.trySend(payload(7, 10));
    producers[1]!.close();
    const late = await ring.nextProducer({ id, timeout: 20 }).catch((error) => error);
    assertEquals(late.name, "TimeoutError");
    assert(/read to its end|still unread/.test(late.message), late.message);
    const stop = new AbortController();
    const aborted = ring.nextProducer({ id, signal: stop.signal });
    stop.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    const coming = ring.nextProducer({ id });
    assertEquals(await Promise.race([coming, Promise.resolve("not yet")]), "not yet");
    assertEquals(valueOf(consumer.tryReceive()).value, payload(7, 10));
    using next = await coming;
    assertEquals([next.id, next.generation], [1, 2]);
    next.trySend(payload(8, 10));
    assertEquals(valueOf(consumer.tryReceive()).generation, 2);
    const taken = await ring.nextProducer({ id, timeout: 20 }).catch((error) => error);
    assert(taken.name === "TimeoutError" && taken.message.includes("alive"), `${taken}`);
  }
});

Deno.test("one who only looks whether a lane was read does not seem to have it", () => {
  using cast = new Cast({ lanes: 1 });
  const { ring, producers } = cast;
  producers[0]!.trySend(payload(7, 10));
  producers[0]!.close();
  const { load } = Word32.prototype;
  let looks = 0;
  Word32.prototype.load = function () {
    if (this.path.endsWith("head") && looks++ === 0) {
      assertThrows(() => ring.producer(), RoleTakenError, "read to its end");
    }
    return load.call(this);
  };
  try {
    assertThrows(() => ring.producer(), RoleTakenError, "read to its end");
  } finally {
    Word32.prototype.load = load;
  }
  assert(looks > 1);
});

Deno.test("of many that wait for a lane that is not read one gets it, and the others wait on", async () => {
  using cast = new Cast({ lanes: 1 });
  const { ring, consumer, producers } = cast;
  producers[0]!.trySend(payload(7, 10));
  producers[0]!.close();
  const stop = new AbortController();
  const coming = Array.from(
    { length: 5 },
    () => ring.nextProducer({ signal: stop.signal }).catch((error) => error),
  );
  assertEquals(valueOf(consumer.tryReceive()).value, payload(7, 10));
  const first = await Promise.race(coming);
  stop.abort("enough");
  const all = await Promise.all(coming);
  assertEquals(all.filter((one) => one instanceof MpscProducer), [first]);
  assertEquals(all.filter((one) => one === "enough").length, 4);
  first.close();
});

Deno.test("opening refuses lanes of other sizes that hold as much in all", () => {
  using name = new Name();
  using _consumer = mpsc(name.name, { producers: 3, capacity: 8 * CAPACITY }).consumer();
  for (const [producers, lane] of [[24, 1], [6, 4], [12, 2]] as const) {
    const other = { producers, capacity: lane * CAPACITY };
    assertThrows(() => mpsc(name.name, other).producer(), LayoutMismatchError);
  }
});

Deno.test("opening refuses a region of more lanes than there are seats", () => {
  using name = new Name();
  const path = regionPath(MPSC.name, name.name);
  const sizes = { dataBytes: 65 * CAPACITY, partBytes: CAPACITY, message: bytes().type };
  using _region = createRegion({ ...MPSC, mostParts: 65 }, path, sizes);
  const ring = mpsc(name.name);
  for (const open of [() => ring.consumer(), () => ring.producer()]) {
    assertThrows(open, CorruptRegionError);
  }
});

Deno.test("producers that get no seat leave no file open and no mapping", async () => {
  using cast = new Cast({ lanes: 2 });
  const { ring, producers: [first] } = cast;
  first!.trySend(payload(1, 10));
  first!.close(); // and its lane is not read
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  for (const id of [undefined, 0, 1]) {
    assertThrows(() => ring.producer({ id }), RoleTakenError);
  }
  assertThrows(() => ring.producer({ id: 2 }), RangeError);
  await assertRejects(() => ring.nextProducer({ timeout: 1 }), DOMException);
  assertEquals(state(), before);
});
