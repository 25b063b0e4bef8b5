import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, CorruptRegionError, PeerLostError, VringError } from "../../src/errors.ts";
import { byteRing } from "../../src/spsc/definition.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { Name } from "../shared/scene.ts";
import { CAPACITY, Inside } from "./scene.ts";

/** Both ends of a ring of bytes that nobody else uses. */
class Pair implements Disposable {
  readonly name = new Name();
  readonly ring = byteRing(this.name.name, { capacity: CAPACITY });
  readonly producer = this.ring.producer();
  readonly consumer = this.ring.consumer();

  /** Sends so many bytes of the endless sequence. */
  send(position: number, length: number): void {
    const claim = this.producer.claimSync(length, { timeout: 0 });
    claim.bytes.set(bytesFrom(position, length));
    claim.publish();
  }

  [Symbol.dispose](): void {
    this.producer.close();
    this.consumer.close();
    this.name[Symbol.dispose]();
  }
}

Deno.test("bytes go round the ring in pieces of any length, contiguous wherever they begin", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  let sent = 0;
  let seen = 0;
  for (let round = 0; round < 3000; round++) {
    const length = Math.min(producer.free, (round * 37) % 301);
    pair.send(sent, length);
    sent += length;
    const view = consumer.peek();
    assertEquals(view.length, sent - seen);
    assertEquals(view, bytesFrom(seen, view.length));
    const released = Math.min(view.length, (round * 53) % 307);
    consumer.release(released);
    seen += released;
    assertEquals([consumer.available, producer.free], [
      sent - seen,
      producer.capacity - sent + seen,
    ]);
  }
  assert(seen > 50 * producer.capacity);
});

Deno.test("ByteProducer.tryClaim() returns all of the free space and not a byte more", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const { capacity } = producer;
  for (const start of [0, 1, capacity - 1, 1000]) {
    const claim = producer.tryClaim(capacity)!;
    assertEquals([claim.length, claim.bytes.length], [capacity, capacity]);
    claim.bytes.set(bytesFrom(start, capacity));
    claim.publish();
    assertEquals([producer.tryClaim(1), producer.tryClaim(0)?.length], [undefined, 0]);
    assertEquals(consumer.peek(), bytesFrom(start, capacity));
    consumer.release(1);
    assertEquals([producer.tryClaim(2), producer.tryClaim(1)?.length], [undefined, 1]);
    consumer.release(capacity - 1);
  }
  for (const length of [capacity + 1, 2 ** 32, -1, 0.5, NaN]) {
    for (const claim of [() => producer.tryClaim(length), () => producer.claimSync(length)]) {
      assertThrows(claim, RangeError, `holds 0 to ${capacity}`);
    }
    assertThrows(() => producer.waitSync(length), RangeError);
    assertThrows(() => consumer.waitSync(length), RangeError);
  }
});

Deno.test("the publish() of a claim of bytes sends its beginning", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const claim = producer.tryClaim(10)!;
  claim.bytes.set(bytesFrom(0, 10));
  for (const length of [11, -1, 0.5, NaN]) {
    assertThrows(() => claim.publish(length), RangeError, "10 are claimed");
  }
  claim.publish(4);
  assertThrows(() => claim.publish(1), VringError, "it has ended; claim first");
  for (const nothing of [0, -0]) producer.tryClaim(10)!.publish(nothing);
  producer.tryClaim(5)![Symbol.dispose]();
  assertThrows(() => claim.publish(), VringError, "it has ended; claim first");
  pair.send(4, 3);
  assertEquals(consumer.peek(), bytesFrom(0, 7));
});

Deno.test("ByteConsumer.release() refuses more than was peeked at", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  pair.send(0, 10);
  assertThrows(() => consumer.release(1), RangeError, "0 were peeked at");
  assertEquals(consumer.peek().length, 10);
  pair.send(10, 10);
  for (const length of [11, -1, 0.5, NaN]) assertThrows(() => consumer.release(length), RangeError);
  consumer.release(0);
  consumer.release(4);
  assertThrows(() => consumer.release(7), RangeError, "6 were peeked at");
  assertEquals(consumer.peek(), bytesFrom(4, 16));
  consumer.release(16);
  assertEquals([consumer.peek().length, producer.available], [0, 0]);
});

Deno.test("waits for bytes and for space end when there are as many as were asked for", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const half = producer.capacity / 2;
  const seen: string[] = [];
  const note = (what: string) => () => seen.push(what);
  const data = [
    consumer.wait(10).then(note("10 bytes")),
    consumer.wait().then(note("1 byte")),
  ];
  pair.send(0, 9);
  await data[1];
  pair.send(9, 1);
  await data[0];
  pair.send(10, producer.capacity - 10);
  const space = [
    producer.wait(half).then(note("half is free")),
    producer.wait(1).then(note("1 is free")),
    producer.claim(half + 1).then(note("more than half is free")),
  ];
  consumer.peek();
  consumer.release(1);
  await space[1];
  consumer.release(half - 1);
  await space[0];
  consumer.release(1);
  await space[2];
  assertEquals(seen, ["1 byte", "10 bytes", "1 is free", "half is free", "more than half is free"]);
  assertEquals([consumer.waitSync(half - 1), consumer.waitSync(0)], [
    true,
    true,
  ]);
  producer.waitSync(half + 1);
});

Deno.test("ByteConsumer.redelivered counts bytes that an earlier consumer had peeked at", () => {
  using pair = new Pair();
  const { ring, consumer } = pair;
  pair.send(0, 30);
  consumer.peek();
  consumer.release(10);
  pair.send(30, 30);
  consumer.close();
  using next = ring.consumer();
  assertEquals([next.redelivered, next.available], [20, 50]);
  assertEquals(next.peek(), bytesFrom(10, 50));
  next.release(15);
  assertEquals(next.redelivered, 5);
  next.release(35);
  assertEquals(next.redelivered, 0);
});

Deno.test("positions that no correct peer stores are refused", () => {
  using pair = new Pair();
  const { name, producer, consumer } = pair;
  using inside = new Inside(name.name);
  pair.send(0, 10);
  inside.head.store(inside.place.capacity + 1);
  assertThrows(() => consumer.peek(), CorruptRegionError);
  assertThrows(() => consumer.waitSync(), CorruptRegionError);
  inside.head.store(10);
  inside.tail.store(11);
  assertThrows(() => producer.tryClaim(producer.capacity), CorruptRegionError);
  inside.tail.store(0);
  assertEquals(consumer.peek(), bytesFrom(0, 10));
});

Deno.test("methods of closed ends of a ring of bytes throw, and their views are empty", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  pair.send(0, 10);
  const claim = producer.tryClaim(10)!;
  const views = [claim.bytes, consumer.peek()];
  producer.close();
  consumer.close();
  const calls: (() => unknown)[] = [
    () => producer.tryClaim(1),
    () => producer.claimSync(1),
    () => producer.tryWrite(new Uint8Array(1)),
    () => producer.writeSync(new Uint8Array(1)),
    () => claim.publish(),
    () => producer.waitSync(1),
    () => producer.available,
    () => producer.free,
    () => consumer.peek(),
    () => consumer.tryRead(new Uint8Array(1)),
    () => consumer.readSync(new Uint8Array(1)),
    () => consumer.release(1),
    () => consumer.waitSync(),
    () => consumer.available,
    () => consumer.free,
    () => consumer.redelivered,
    () => consumer.ended,
  ];
  for (const call of calls) assertThrows(call, ClosedError);
  await assertRejects(() => producer.claim(1), ClosedError);
  await assertRejects(() => producer.wait(1), ClosedError);
  await assertRejects(() => producer.write(new Uint8Array(1)), ClosedError);
  await assertRejects(() => consumer.wait(), ClosedError);
  await assertRejects(() => consumer.read(new Uint8Array(1)), ClosedError);
  assertEquals(views.map(({ length }) => length), [0, 0]);
});

Deno.test("streams of bytes go through, in chunks larger than the ring too", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const total = 40 * producer.capacity;
  const sending = (async () => {
    const writer = producer.toWritableStream().getWriter();
    for (let sent = 0; sent < total;) {
      const length = Math.min(total - sent, 1 + (sent * 7) % (3 * producer.capacity));
      await writer.write(bytesFrom(sent, length));
      sent += length;
    }
    await writer.close();
  })();
  let seen = 0;
  for await (const chunk of consumer.toReadableStream()) {
    assertEquals(chunk, bytesFrom(seen, chunk.length));
    seen += chunk.length;
  }
  assertEquals(seen, total);
  await sending;
});

Deno.test("toReadableStream() reads into the reader's array, and nothing ahead", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  pair.send(0, 100);
  const reader = consumer.toReadableStream().getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(30));
  assertEquals(first.value, bytesFrom(0, 30));
  assertEquals(producer.available, 70);
  assertEquals((await reader.read(new Uint8Array(200))).value, bytesFrom(30, 70));
  const late = reader.read(new Uint8Array(200));
  pair.send(100, 5);
  assertEquals((await late).value, bytesFrom(100, 5));
  const end = reader.read(new Uint8Array(200));
  producer.end();
  assertEquals((await end).done, true);
});

Deno.test("a wait for more bytes than arrive before the end returns false, and the rest is there", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const more = consumer.wait(100);
  pair.send(0, 10);
  producer.end();
  assertEquals([await more, consumer.waitSync(11)], [false, false]);
  assertEquals([consumer.ended, consumer.peek()], [false, bytesFrom(0, 10)]);
  consumer.release(10);
  assertEquals(consumer.ended, true);
});

Deno.test("ByteProducer.close() is not an end of the stream", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  pair.send(0, 10);
  producer.close();
  assertEquals(consumer.peek(), bytesFrom(0, 10));
  consumer.release(10);
  assertThrows(() => consumer.waitSync(), PeerLostError, "without end()");
});

Deno.test("ByteProducer.tryWrite() copies as many bytes as fit, and ByteConsumer.tryRead() as many as are there", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const { capacity } = producer;
  const target = new Uint8Array(capacity + 10);
  assertEquals(consumer.tryRead(target), 0);
  for (let start = 0; start < 5 * capacity; start += capacity) {
    assertEquals(producer.tryWrite(bytesFrom(start, capacity + 7)), capacity);
    assertEquals(producer.tryWrite(bytesFrom(0, 1)), 0);
    assertEquals(consumer.tryRead(target.subarray(0, 100)), 100);
    assertEquals(target.subarray(0, 100), bytesFrom(start, 100));
    assertEquals(consumer.tryRead(target), capacity - 100);
    assertEquals(target.subarray(0, capacity - 100), bytesFrom(start + 100, capacity - 100));
  }
});

Deno.test("write() carries more bytes than the ring holds, and read() returns 0 at the end", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const total = 10 * producer.capacity + 5;
  const writing = (async () => {
    await producer.write(bytesFrom(0, total));
    producer.end();
  })();
  let seen = 0;
  const target = new Uint8Array(1000);
  for (;;) {
    const length = await consumer.read(target);
    if (length === 0) break;
    assertEquals(target.subarray(0, length), bytesFrom(seen, length));
    seen += length;
  }
  await writing;
  assertEquals([seen, consumer.ended, consumer.readSync(target)], [total, true, 0]);
});

Deno.test("ByteProducer.writeSync() gives up after its timeout, and what fitted is there", () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const { capacity } = producer;
  const late = () => producer.writeSync(bytesFrom(0, capacity + 1), { timeout: 5 });
  assertThrows(late, DOMException, "5 ms have passed");
  assertEquals(consumer.peek(), bytesFrom(0, capacity));
});
