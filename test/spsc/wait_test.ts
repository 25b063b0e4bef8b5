import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, PeerLostError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY, Pair, valueOf } from "./scene.ts";

/** Fills the ring to the last byte. */
function fill({ producer }: Pair): void {
  while (producer.trySend(payload(0, 248)));
  assertEquals(producer.free, 0);
}

/** What a promise is rejected with. */
function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => assert(false, "it was not rejected"), (error) => error);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

Deno.test("for await gives every value until the producer closes", async () => {
  using name = new Name();
  using producer = SpscProducer.open(name.name, { codec: codec.text, capacity: CAPACITY });
  using consumer = SpscConsumer.open(name.name, { codec: codec.text });
  const sending = (async () => {
    for (let i = 0; i < 1000; i++) await producer.send(`message ${i}`);
    producer.close();
  })();
  let next = 0;
  for await (const text of consumer) {
    assertEquals(text, `message ${next++}`);
    if (next === 500) break; // leaving the loop leaves the rest where it is
  }
  for await (const text of consumer) assertEquals(text, `message ${next++}`);
  assertEquals(next, 1000);
  await sending;
});

Deno.test("streams pipe through a ring, and the ring holds back who writes", async () => {
  using name = new Name();
  using producer = SpscProducer.open(name.name, {
    codec: codec.json<number>(),
    capacity: CAPACITY,
  });
  using consumer = SpscConsumer.open(name.name, { codec: codec.json<number>() });
  let pulled = 0;
  const source = new ReadableStream<number>({
    pull: (controller) => {
      if (pulled === 2000) controller.close();
      else controller.enqueue(pulled++);
    },
  }, { highWaterMark: 0 });
  const piping = source.pipeTo(producer.toWritableStream());
  await until("the ring is full", () => producer.free < 16);
  const fits = producer.capacity / 16;
  assert(pulled <= fits + 3, `${pulled} were pulled, and the ring holds ${fits}`);
  let next = 0;
  for await (const value of consumer.toReadableStream()) assertEquals(value, next++);
  assertEquals(next, 2000);
  await piping;
  assertThrows(() => producer.trySend(1), ClosedError);
});

Deno.test("toReadableStream() reads nothing ahead, and cancelling closes the consumer", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  for (let i = 0; i < 3; i++) producer.trySend(payload(i, 16));
  const reader = consumer.toReadableStream().getReader();
  assertEquals((await reader.read()).value, payload(0, 16));
  assertEquals(producer.available, 2 * 24);
  const pending = [reader.read(), reader.read(), reader.read()];
  await pending[1];
  await reader.cancel();
  assertEquals((await pending[2])!.done, true);
  assertThrows(() => consumer.tryReceive(), ClosedError);
});

Deno.test("toReadableStream({ type: bytes }) joins messages, also into the reader's array", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([payload(1, 10), payload(2, 0), payload(3, 20), payload(4, 0)]);
  const reader = consumer.toReadableStream({ type: "bytes" }).getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(4));
  assertEquals(first.value, payload(1, 10).subarray(0, 4));
  assertEquals((await reader.read(new Uint8Array(100))).value, payload(1, 10).subarray(4));
  assertEquals((await reader.read(new Uint8Array(100))).value, payload(3, 20));
  producer.close();
  assertEquals((await reader.read(new Uint8Array(5))).done, true);
});

Deno.test("aborting a writable stream gives up the write that waits, and closes", async () => {
  using pair = new Pair();
  fill(pair);
  const writer = pair.producer.toWritableStream().getWriter();
  const closed = writer.closed.catch(() => {});
  const write = reasonOf(writer.write(payload(1, 100)));
  await writer.abort(new Error("enough"));
  await Promise.all([write, closed]);
  assertThrows(() => pair.producer.trySend(payload(1, 1)), ClosedError);
});

Deno.test("streams take a signal", async () => {
  using pair = new Pair();
  const stop = new AbortController();
  const reader = pair.consumer.toReadableStream({ signal: stop.signal }).getReader();
  const read = reasonOf(reader.read());
  const reason = new Error("enough");
  stop.abort(reason);
  assertEquals(await read, reason);
  fill(pair);
  const writer = pair.producer.toWritableStream({ signal: stop.signal }).getWriter();
  const closed = writer.closed.catch(() => {});
  assertEquals(await reasonOf(writer.write(payload(1, 100))), reason);
  await closed;
});

Deno.test("SpscProducer.sendBatch() waits for room, and sends everything in order", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const values = Array.from({ length: 300 }, (_, i) => payload(i, i));
  const sending = producer.sendBatch(values);
  for (const value of values) assertEquals(valueOf(await consumer.receive()), value);
  await sending;
  assertEquals(consumer.available, 0);
});

Deno.test("SpscProducer.sendBatchSync() and sendBatch() give up after their timeout", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  const values = Array.from({ length: 100 }, (_, i) => payload(i, 92));
  assert(isTimeout(assertThrows(() => producer.sendBatchSync(values, { timeout: 5 }))));
  let seen = 0;
  consumer.poll((bytes) => assertEquals(bytes, payload(seen++, 92)));
  assert(seen > 0 && seen < 100); // what there was room for
  assert(isTimeout(await reasonOf(producer.sendBatch(values, { timeout: 5 }))));
  producer.discard();
  consumer.poll(() => {});
  producer.sendBatchSync(values.slice(0, 10));
  assertEquals(consumer.poll(() => {}), 10);
});

Deno.test("SpscProducer.flush() waits until everything was released", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  await producer.flush();
  producer.flushSync();
  producer.trySendBatch([payload(1, 10), payload(2, 10)]);
  let flushed = false;
  const flushing = producer.flush().then(() => flushed = true);
  consumer.tryReceive();
  const taken = consumer.tryTake();
  assert(taken.state === "ok");
  assert(isTimeout(assertThrows(() => producer.flushSync({ timeout: 1 }))));
  assert(!flushed);
  taken.sample[Symbol.dispose]();
  await flushing;
  producer.flushSync();
});

Deno.test("SpscProducer.flush() ends when the consumer has closed with messages unread", async () => {
  using pair = new Pair();
  pair.producer.trySend(payload(1, 10));
  const flushing = reasonOf(pair.producer.flush());
  pair.consumer.close();
  assert((await flushing) instanceof PeerLostError);
  assertThrows(() => pair.producer.flushSync(), PeerLostError);
  pair.producer.close();
  assertThrows(() => pair.producer.flushSync(), ClosedError);
});

Deno.test("SpscConsumer.values() ends with the signal's reason", async () => {
  using pair = new Pair();
  const controller = new AbortController();
  pair.producer.trySend(payload(1, 10));
  const seen: number[] = [];
  const iterating = (async () => {
    for await (const value of pair.consumer.values({ signal: controller.signal })) {
      seen.push(value.length);
      queueMicrotask(() => controller.abort("enough"));
    }
  })();
  assertEquals(await reasonOf(iterating), "enough");
  assertEquals(seen, [10]);
});
