/**
 * Rings from one producer to one consumer between processes: under load, and when one is killed.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { until } from "../os/until.ts";
import { openSoon, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { lengthOf, payload } from "../circular/scene.ts";
import type { Tools } from "./spsc_child.ts";
import { CAPACITY, Inside, valueOf } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./spsc_child.ts", import.meta.url),
  "SPSC rings",
);

/** Waits until an end of the ring is open. */
async function untilOpen(name: Name, end: "producer" | "consumer"): Promise<void> {
  using inside = new Inside(name.name);
  await until(`the ${end} is open`, () => inside[end].load() === 1);
}

test("a million messages arrive in another process, each byte as it was sent", async () => {
  using name = new Name();
  await using other = startProcess();
  const total = 1_000_000;
  const counted = other.run(({ SpscConsumer, isPayload, lengthOf }, { name, longest }) => {
    using consumer = SpscConsumer.open(name, { capacity: 2 ** 16 });
    let next = 0;
    let wrong = 0;
    while (consumer.waitSync()) {
      consumer.poll((bytes) => {
        if (bytes.length !== lengthOf(next, longest) || !isPayload(bytes, next)) wrong++;
        next++;
      });
    }
    return { next, wrong };
  }, { name: name.name, longest: 120 });
  using producer = SpscProducer.open(name.name, { capacity: 2 ** 16 });
  await untilOpen(name, "consumer"); // before this thread blocks
  for (let i = 0; i < total; i++) producer.sendSync(payload(i, lengthOf(i, 120)));
  producer.close();
  assertEquals(await counted, { next: total, wrong: 0 });
  assertEquals(name.files(), []);
});

test("a receiver and a sender that sleep are woken by another process", async () => {
  using name = new Name();
  await using other = startProcess();
  using producer = SpscProducer.open(name.name, { capacity: CAPACITY, keepOpen: true });
  const rounds = 30;
  const receiving = other.run(({ SpscConsumer, isPayload }, { name, rounds }) => {
    using consumer = SpscConsumer.open(name);
    for (let i = 0; i < rounds; i++) {
      const outcome = consumer.receiveSync({ spin: 0 });
      if (outcome.state !== "ok" || !isPayload(outcome.value, i)) return `wrong at ${i}`;
    }
    return "right";
  }, { name: name.name, rounds });
  for (let i = 0; i < rounds; i++) {
    await until("the receiver sleeps", () => other.state === "S" && producer.available === 0);
    if (i % 2 === 0) producer.trySend(payload(i, producer.maxMessage));
    else await producer.send(payload(i, producer.maxMessage), { spin: 0 });
  }
  assertEquals(await receiving, "right");
});

test("a producer that is stopped is alive; one that is killed is succeeded, and nothing is lost", async () => {
  using name = new Name();
  await using other = startProcess();
  using consumer = SpscConsumer.open(name.name, { capacity: CAPACITY });
  await other.run(({ SpscProducer, producers, payload }, name) => {
    const producer = SpscProducer.open(name);
    producers.push(producer);
    for (let i = 0; i < 3; i++) producer.trySend(payload(i, 50));
    producer.tryClaim(500)!.fill(7); // and never publishes
  }, name.name);
  other.signal("SIGSTOP");
  await until("it is stopped", () => other.state === "T");
  assertThrows(() => SpscProducer.open(name.name), RoleTakenError, "which is alive");
  for (let i = 0; i < 3; i++) assertEquals(valueOf(consumer.tryReceive()), payload(i, 50));
  await assertRejects(() => consumer.receive({ timeout: 300 }), DOMException, "have passed");
  other.signal("SIGKILL");
  await assertRejects(() => consumer.receive(), PeerLostError, "its producer died");
  assertThrows(() => consumer.receiveSync(), PeerLostError, "its producer died");
  assertEquals(consumer.tryReceive(), { state: "empty" }); // which says nothing of peers
  using producer = SpscProducer.open(name.name);
  producer.trySend(payload(3, 50));
  assertEquals(valueOf(await consumer.receive()), payload(3, 50));
});

test("what a dead producer has sent is drained before it is missed", async () => {
  using name = new Name();
  await using other = startProcess();
  using consumer = SpscConsumer.open(name.name, { capacity: CAPACITY });
  await other.run(({ SpscProducer, producers, payload }, name) => {
    const producer = SpscProducer.open(name);
    producers.push(producer);
    for (let i = 0; i < 5; i++) producer.trySend(payload(i, 50));
  }, name.name);
  await other.kill();
  for (let i = 0; i < 5; i++) assertEquals(valueOf(await consumer.receive()), payload(i, 50));
  await assertRejects(() => consumer.receive(), PeerLostError);
  consumer.close();
  using patient = SpscConsumer.open(name.name, { keepOpen: true, capacity: CAPACITY });
  const waiting = patient.receive();
  using producer = SpscProducer.open(name.name);
  producer.trySend(payload(9, 9));
  assertEquals(valueOf(await waiting), payload(9, 9));
});

test("a producer that waits learns that its consumer was killed, or keeps waiting for another", async () => {
  using name = new Name();
  using _inside = new Inside(name.name); // so that the ring stays
  await using other = startProcess();
  await other.run(({ SpscConsumer, consumers }, name) => {
    consumers.push(SpscConsumer.open(name));
  }, name.name);
  using producer = SpscProducer.open(name.name, { keepOpen: true });
  let sent = 0;
  while (producer.trySend(payload(sent, 100))) sent++;
  const waiting = producer.send(payload(sent, 100));
  await other.kill();
  producer.close();
  await waiting.catch(() => {});
  using hasty = SpscProducer.open(name.name);
  await assertRejects(() => hasty.send(payload(sent, 100)), PeerLostError, "its consumer died");
  hasty.close();
  using patient = SpscProducer.open(name.name, { keepOpen: true });
  const sending = patient.send(payload(sent, 100));
  using consumer = await openSoon(() => SpscConsumer.open(name.name));
  for (let i = 0; i < sent; i++) assertEquals(valueOf(consumer.tryReceive()), payload(i, 100));
  await sending;
  assertEquals(valueOf(consumer.tryReceive()), payload(sent, 100));
});
