import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, CorruptRegionError } from "../../src/errors.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY, Inside, Pair, valueOf } from "./scene.ts";

Deno.test("SpscConsumer drains the messages of a closed producer, and then sees that it has closed", () => {
  using pair = new Pair();
  const { ring, producer, consumer } = pair;
  for (let i = 0; i < 3; i++) producer.trySend(payload(i, 10));
  producer.close();
  for (let i = 0; i < 3; i++) assertEquals(valueOf(consumer.tryReceive()), payload(i, 10));
  const ways = [
    () => consumer.tryReceive(),
    () => consumer.receiveSync(),
    () => consumer.tryTake(),
    () => consumer.takeSync(),
    () => consumer.takeBatchSync(),
  ];
  for (const way of ways) assertEquals([way(), consumer.ended], [undefined, true]);
  assertEquals(consumer.waitSync(), false);
  using next = ring.producer(); // and all is as before
  assertEquals([consumer.tryReceive(), consumer.ended], [undefined, false]);
  next.trySend(payload(9, 9));
  assertEquals(consumer.waitSync(), true);
  assertEquals(valueOf(consumer.tryReceive()), payload(9, 9));
});

Deno.test("every method of a closed end reports that it is closed, and its views are empty", async () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  producer.trySend(payload(1, 10));
  const claim = producer.tryClaim(100)!;
  const { bytes } = claim;
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
    () => producer.tryFill(() => 1, 1),
    () => producer.flushSync(),
    () => claim.publish(),
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
  const promises = [() => producer.send(bytes), () => producer.claim(1), () => consumer.receive()];
  for (const call of [...promises, () => consumer.wait(), () => consumer.take()]) {
    assert(await call().then(() => false, (error) => error instanceof ClosedError));
  }
  claim[Symbol.dispose]();
  assertEquals([bytes.length, claim.bytes.length], [0, 0]);
  assertEquals([producer.name, consumer.name], [name.name, name.name]);
  assertEquals([producer.closed, consumer.closed], [true, true]);
});

Deno.test("a wait that ends without a peer tells that the name has regions of other types", async () => {
  using name = new Name();
  using producer = spsc(name.name).producer();
  using consumer = mpsc(name.name).consumer();
  const found = 'but regions of types "mpsc" and "spsc" have this name';
  assertThrows(
    () => consumer.receiveSync({ timeout: 1 }),
    DOMException,
    `it has no producer, ${found}`,
  );
  const late = producer.waitForPeers(1, { timeout: 1 });
  await assertRejects(() => late, DOMException, `it has 0, ${found}`);
  await assertRejects(() => late, DOMException, `Cannot wait for 1 consumer of ring "`);
});

Deno.test("opening a corrupt ring leaves no file open and no mapping, and its role free", () => {
  using name = new Name();
  using inside = new Inside(name.name);
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  inside.head.store(1e6);
  const ring = spsc(name.name, { capacity: CAPACITY });
  for (const end of ["consumer", "producer"] as const) {
    assertThrows(() => ring[end](), CorruptRegionError);
  }
  assertEquals([inside.consumer.load(), inside.producer.load()], [0, 0]); // they never were open
  assertEquals(state(), before);
  inside.head.store(0);
  ring.consumer().close();
});
