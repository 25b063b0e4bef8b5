/** Loops over a ring: messages in place, batches and copies, and how each of them ends. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { spsc } from "../../src/spsc/definition.ts";
import { payload } from "../circular/scene.ts";
import { Name } from "../shared/scene.ts";
import { CAPACITY, Pair, valueOf } from "./scene.ts";

Deno.test("messages() acknowledges a message at its next turn, and not before", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([payload(1, 8), payload(2, 8), payload(3, 8)]);
  producer.end();
  const left: number[] = [];
  let before;
  for await (const message of consumer.messages()) {
    assertEquals(message.bytes, payload(message.sequence, 8));
    assertEquals(before?.bytes.length, before && 0); // it was released
    before = message;
    left.push(consumer.available);
  }
  assertEquals([left, consumer.ended], [[48, 32, 16], true]);
});

Deno.test("messages() has the message again that a loop was left with, flagged", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([1, 2, 3, 4].map((seed) => payload(seed, 8)));
  const seen: [number, boolean][] = [];
  for await (const { sequence, redelivered } of consumer.messages()) {
    seen.push([sequence, redelivered]);
    if (sequence === 2) break;
  }
  await assertRejects(
    async () => {
      for await (const { sequence, redelivered } of consumer.messages()) {
        seen.push([sequence, redelivered]);
        throw new Error("the commit failed");
      }
    },
    Error,
    "the commit failed",
  );
  const next = consumer.tryReceive()!;
  assertEquals([next.sequence, next.redelivered], [2, true]);
  assertEquals(seen, [[1, false], [2, false], [2, true]]);
  assertEquals(valueOf(consumer.tryReceive()), payload(3, 8));
});

Deno.test("messages() passes a message that was acknowledged by hand", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([1, 2, 3].map((seed) => payload(seed, 8)));
  for await (const message of consumer.messages()) {
    const { sequence } = message;
    message.ack();
    if (sequence === 2) break;
  }
  assertEquals(consumer.tryReceive()?.sequence, 3);
});

Deno.test("batches() acknowledges the rest of a batch at its next turn, and nothing when it is left", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySendBatch([1, 2, 3, 4, 5].map((seed) => payload(seed, 8)));
  const seen: number[][] = [];
  for await (const batch of consumer.batches({ limit: 2 })) {
    seen.push([...batch].map(({ sequence }) => sequence));
    if (seen.length === 1) batch.ack(1);
    if (seen.length === 2) break;
  }
  producer.end();
  for await (const batch of consumer.batches({ limit: 2 })) {
    seen.push([...batch].map(({ sequence }) => sequence));
  }
  assertEquals(seen, [[1, 2], [3, 4], [3, 4], [5]]);
  assertEquals(consumer.ended, true);
});

Deno.test("small arrays that a consumer received share a buffer with each other, and with no other consumer", () => {
  using pair = new Pair();
  using other = new Pair();
  const receive = ({ producer, consumer }: Pair, seed: number) => {
    producer.trySend(payload(seed, 16));
    return valueOf(consumer.tryReceive());
  };
  const [first, elsewhere, second] = [receive(pair, 1), receive(other, 2), receive(pair, 3)];
  assert(first.buffer === second.buffer && first.buffer !== elsewhere.buffer);
  assertEquals([first, elsewhere, second], [1, 2, 3].map((seed) => payload(seed, 16)));
  first.fill(0xff); // is the caller's, and no other array's
  assertEquals(second, payload(3, 16));
});

Deno.test("flush() still works after end(), until the producer is closed", async () => {
  using pair = new Pair();
  const { producer, consumer } = pair;
  producer.trySend(payload(1, 8));
  producer.end();
  const flushing = producer.flush({ timeout: 20_000 });
  assertEquals(valueOf(await consumer.receive()), payload(1, 8));
  await flushing;
  producer.flushSync();
});

Deno.test("a time-out says what the handle sees", async () => {
  using name = new Name();
  const ring = spsc(name.name, { capacity: CAPACITY });
  const late = async (wait: () => unknown): Promise<string> => {
    const error = await Promise.try(wait).then(() => new Error("no wait"), (error) => error);
    assertEquals(error.name, "TimeoutError");
    return error.message.slice(error.message.indexOf("5 ms"));
  };
  const passed = "5 ms have passed, and it has";
  const limit = { timeout: 5 };
  using consumer = ring.consumer();
  assertEquals(await late(() => consumer.receiveSync(limit)), `${passed} no producer`);
  assertEquals(await late(() => consumer.waitForPeers(1, limit)), `${passed} 0`);
  assertEquals(
    await late(() => ring.nextConsumer(limit)),
    `${passed} one, which is alive`,
  );
  {
    using _producer = ring.producer();
    assertEquals(await late(() => consumer.receive(limit)), `${passed} a living producer`);
  }
  await assertRejects(
    () => spsc(`${name.name}-none`).ready(limit),
    DOMException,
    "which does not exist",
  );
});

Deno.test("waitForPeers() resolves once the other end is there, and peers counts it", async () => {
  using name = new Name();
  const ring = spsc(name.name, { capacity: CAPACITY });
  using consumer = ring.consumer();
  assertEquals(consumer.peers, 0);
  const waiting = consumer.waitForPeers(1, { timeout: 20_000 });
  using producer = ring.producer();
  await Promise.all([waiting, producer.waitForPeers(1)]);
  assertEquals([consumer.peers, producer.peers], [1, 1]);
  producer.close();
  assertEquals(consumer.peers, 0);
});

Deno.test("a flush that times out says how many bytes are not released", async () => {
  using name = new Name();
  const ring = spsc(name.name);
  using producer = ring.producer();
  using _consumer = ring.consumer();
  producer.trySend(new Uint8Array(8));
  const message = "0 ms have passed, and 16 bytes are not released, and it has a living consumer";
  assertThrows(() => producer.flushSync({ timeout: 0 }), DOMException, message);
  await assertRejects(() => producer.flush({ timeout: 0 }), DOMException, "Cannot flush ring");
});
