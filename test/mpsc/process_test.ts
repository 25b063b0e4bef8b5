/**
 * Rings from many producers to one consumer between processes: under load, and when one is killed.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { MpscConsumer } from "../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../src/mpsc/producer.ts";
import { until } from "../os/until.ts";
import type { Party } from "../shared/party.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import type { Tools } from "./mpsc_child.ts";
import { CAPACITY, valueOf } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./mpsc_child.ts", import.meta.url),
  "MPSC rings",
);

/** Opens a producer elsewhere, which has sent these messages of 50 bytes. */
function sendThere(party: Party<Tools>, name: Name, messages: readonly number[]): Promise<number> {
  return party.run(({ MpscProducer, producers, payload }, { name, messages }) => {
    const producer = MpscProducer.open(name);
    producers.push(producer);
    for (const message of messages) producer.trySend(payload(message, 50));
    return producer.id;
  }, { name: name.name, messages });
}

test("what three processes send arrives, of each in order, and each byte as it was sent", async () => {
  using name = new Name();
  const options = { producers: 4, capacity: 2 ** 14, keepOpen: true };
  using consumer = MpscConsumer.open(name.name, options);
  await using parties = new AsyncDisposableStack();
  const total = 60_000;
  const sending = [0, 1, 2].map((id) =>
    parties.use(startProcess()).run(({ MpscProducer, payload, lengthOf }, { name, id, total }) => {
      using producer = MpscProducer.open(name, { id });
      for (let i = 0; i < total; i++) {
        const message = total * id + i;
        producer.sendSync(payload(message, lengthOf(message, 120)));
      }
    }, { name: name.name, id, total })
  );
  const next = [0, 0, 0];
  let wrong = 0;
  const check = (bytes: Uint8Array, { producer }: { producer: number }) => {
    const message = total * producer + next[producer]!++;
    if (bytes.length !== lengthOf(message, 120) || !isPayload(bytes, message)) wrong++;
  };
  while (next.some((count) => count < total)) {
    await consumer.wait({ timeout: 60_000 });
    consumer.poll(check, 1000);
  }
  await Promise.all(sending);
  assertEquals([next, wrong, consumer.available], [[total, total, total], 0, 0]);
});

test("producers and a consumer that sleep are woken by other processes, through full lanes", async () => {
  using name = new Name();
  await using reader = startProcess();
  await using writer = startProcess();
  using own = MpscProducer.create(name.name, { producers: 2, capacity: CAPACITY, keepOpen: true });
  const rounds = 30;
  const receiving = reader.run(({ MpscConsumer, isPayload }, { name, rounds }) => {
    using consumer = MpscConsumer.open(name, { keepOpen: true });
    const next = [0, 0];
    for (let i = 0; i < 2 * rounds; i++) {
      const outcome = consumer.receiveSync({ spin: 0 });
      if (outcome.state !== "ok") return outcome.state;
      if (!isPayload(outcome.value, 100 * outcome.producer + next[outcome.producer]!++)) return i;
    }
    return next;
  }, { name: name.name, rounds });
  const sending = writer.run(async ({ MpscProducer, payload }, { name, rounds }) => {
    using producer = MpscProducer.open(name, { id: 1, keepOpen: true });
    for (let i = 0; i < rounds; i++) {
      const message = payload(100 + i, producer.maxMessage);
      if (i % 2 === 0) producer.sendSync(message, { spin: 0 });
      else await producer.send(message, { spin: 0 });
    }
  }, { name: name.name, rounds });
  for (let i = 0; i < rounds; i++) await own.send(payload(i, own.maxMessage), { spin: 0 });
  await sending;
  assertEquals(await receiving, [rounds, rounds]);
});

test("a dead producer's lane is drained, and only then another one's", async () => {
  using name = new Name();
  await using mortal = startProcess();
  await using living = startProcess();
  using consumer = MpscConsumer.open(name.name, { producers: 2, capacity: CAPACITY });
  assertEquals(await sendThere(mortal, name, [1, 2, 3]), 0);
  assertEquals(await sendThere(living, name, [11]), 1);
  await mortal.run(({ producers: [producer] }) => {
    producer!.tryClaim(500)!.fill(7); // and never publishes
  }, null);
  mortal.signal("SIGSTOP");
  await until("it is stopped", () => mortal.state === "T");
  assertThrows(() => MpscProducer.open(name.name), RoleTakenError, "all are alive");
  assertThrows(() => MpscProducer.open(name.name, { id: 0 }), RoleTakenError, "which is alive");
  await mortal.kill();
  await until("it is dead for all", () => {
    const error = assertThrows(() => MpscProducer.open(name.name), RoleTakenError);
    return error.message.includes("read to its end");
  });
  const coming = MpscProducer.connect(name.name);
  const seen: number[][] = [[], []];
  for (let i = 0; i < 4; i++) {
    const { value, producer, generation } = valueOf(await consumer.receive());
    assertEquals(generation, 1);
    seen[producer]!.push([1, 2, 3, 11].find((message) => isPayload(value, message))!);
  }
  assertEquals(seen, [[1, 2, 3], [11]]);
  using successor = await coming;
  assertEquals([successor.id, successor.generation], [0, 2]);
  successor.trySend(payload(4, 50));
  const { value, generation } = valueOf(await consumer.receive());
  assertEquals([value, generation], [payload(4, 50), 2]);
});

test("a consumer goes on with the living, and is told when the last one is dead", async () => {
  using name = new Name();
  await using one = startProcess();
  await using other = startProcess();
  using consumer = MpscConsumer.open(name.name, { producers: 3, capacity: CAPACITY });
  await sendThere(one, name, [1, 2]);
  await sendThere(other, name, [11]);
  MpscProducer.open(name.name).close(); // one that closed is no loss
  await one.kill();
  for (let i = 0; i < 3; i++) valueOf(await consumer.receive());
  await assertRejects(() => consumer.receive({ timeout: 600 }), DOMException, "600 ms");
  await other.run(({ producers: [producer], payload }) => producer!.trySend(payload(12, 50)), null);
  await other.kill();
  assertEquals(valueOf(await consumer.receive()).value, payload(12, 50));
  await assertRejects(() => consumer.receive(), PeerLostError, "its producers died");
  assertThrows(() => consumer.receiveSync(), PeerLostError, "its producers died");
  assertEquals(consumer.tryReceive(), { state: "empty" }); // which says nothing of peers
  using next = MpscProducer.open(name.name);
  next.trySend(payload(3, 50));
  assertEquals(valueOf(await consumer.receive()).value, payload(3, 50));
});
