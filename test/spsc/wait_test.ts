import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { payload } from "../circular/scene.ts";
import { Pair, valueOf } from "./scene.ts";

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
