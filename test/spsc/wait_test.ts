import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { text } from "../../src/codec.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { CAPACITY, Pair, valueOf } from "./scene.ts";

Deno.test("for await yields every value until the producer closes", async () => {
  using name = new Name();
  const ring = spsc(name.name, { type: text(), capacity: CAPACITY });
  using producer = ring.producer();
  using consumer = ring.consumer();
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

Deno.test("toByteStream() joins messages, also into the reader's array", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([payload(1, 10), payload(2, 0), payload(3, 20), payload(4, 0)]);
  const reader = consumer.toByteStream().getReader({ mode: "byob" });
  const first = await reader.read(new Uint8Array(4));
  assertEquals(first.value, payload(1, 10).subarray(0, 4));
  assertEquals((await reader.read(new Uint8Array(100))).value, payload(1, 10).subarray(4));
  assertEquals((await reader.read(new Uint8Array(100))).value, payload(3, 20));
  producer.close();
  assertEquals((await reader.read(new Uint8Array(5))).done, true);
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
  assertThrows(() => producer.sendBatchSync(values, { timeout: 5 }), DOMException, "have passed");
  let seen = 0;
  consumer.poll(({ bytes }) => assertEquals(bytes, payload(seen++, 92)));
  assert(seen > 0 && seen < 100); // what there was room for
  await assertRejects(
    () => producer.sendBatch(values, { timeout: 5 }),
    DOMException,
    "have passed",
  );
  consumer.poll(() => {});
  producer.sendBatchSync(values.slice(0, 10));
  assertEquals(consumer.poll(() => {}), 10);
});
