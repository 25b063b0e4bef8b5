/**
 * Rings from one producer to one consumer between processes: under load, and when one is killed.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError, RoleTakenError } from "../../src/errors.ts";
import { type ReceiveOutcome, SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { until } from "../os/until.ts";
import {
  type Death,
  deathsAt,
  diedIn,
  NO_DEATH,
  openSoon,
  processTests,
} from "../shared/processes.ts";
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

test("a producer that is killed before any step of a send leaves the message whole or not at all", async () => {
  using name = new Name();
  const steps = await stepsOfSending();
  assert(steps.includes("head store") && steps.includes("length in"), `${steps}`);
  using _inside = new Inside(name.name); // so that the ring stays
  for (const [at, death] of [...deathsAt(steps), NO_DEATH].entries()) {
    await using other = startProcess({ trapped: true });
    const died = await diedIn(other, other.run(sendAndDie, { ...placed(name), ...death }));
    assertEquals(died, at < steps.length);
    other.signal("SIGKILL");
    using producer = await openSoon(() => SpscProducer.open(name.name));
    producer.trySend(payload(3, 300));
    using consumer = SpscConsumer.open(name.name);
    assertEquals(valueOf(consumer.tryReceive()), payload(1, 300));
    if (at > steps.indexOf("head store")) {
      assertEquals(valueOf(consumer.tryReceive()), payload(2, 300));
    }
    assertEquals(valueOf(consumer.tryReceive()), payload(3, 300));
    assertEquals(consumer.tryReceive(), { state: "empty" });
  }

  async function stepsOfSending(): Promise<string[]> {
    await using other = startProcess({ trapped: true });
    return await other.run(({ SpscProducer, payload, stepsOf }, { name, capacity }) => {
      using producer = SpscProducer.open(`${name}.steps`, { capacity });
      return stepsOf(() => producer.trySend(payload(2, 300)));
    }, placed(name));
  }

  function sendAndDie(
    { SpscProducer, producers, payload, dieBefore }: Tools,
    { name, step, time }: { name: string } & Death,
  ): void {
    const producer = SpscProducer.open(name);
    producers.push(producer);
    producer.trySend(payload(1, 300));
    dieBefore(step, time);
    producer.trySend(payload(2, 300));
    dieBefore("nothing");
  }
});

for (const how of ["receive", "take", "poll"] as const) {
  test(`a consumer that is killed before any step of a ${how} loses nothing, and its successor is told`, async () => {
    using name = new Name();
    using inside = new Inside(name.name); // so that the ring stays
    const steps = await stepsOfReceiving();
    assert(steps.includes("tail store"), `${steps}`);
    assertEquals(steps.includes("taken store"), how !== "receive");
    for (const [at, death] of [...deathsAt(steps), NO_DEATH].entries()) {
      for (const word of [inside.head, inside.tail, inside.taken]) word.store(4000);
      using producer = SpscProducer.open(name.name);
      producer.trySendBatch([payload(1, 100), payload(2, 100), payload(3, 100)]);
      await using other = startProcess({ trapped: true });
      const died = await diedIn(other, other.run(receive, { ...placed(name), how, ...death }));
      assertEquals(died, at < steps.length);
      other.signal("SIGKILL");
      using consumer = await openSoon(() => SpscConsumer.open(name.name));
      const outcomes: ReceiveOutcome<Uint8Array>[] = [];
      while (consumer.available > 0) outcomes.push(consumer.tryReceive());
      const released = at > steps.indexOf("tail store");
      const shown = how !== "receive" && at > steps.indexOf("taken store");
      const hidden = how === "poll" ? at > steps.lastIndexOf("taken store") : released;
      const again = (message: number) => shown && !hidden && (message === 1 || how === "poll");
      const left = released ? [2, 3] : [1, 2, 3];
      const expected = left.map((message): ReceiveOutcome<Uint8Array> => ({
        state: "ok",
        value: payload(message, 100),
        redelivered: again(message),
      }));
      assertEquals(outcomes, expected, `killed before ${steps[at]}`);
    }

    async function stepsOfReceiving(): Promise<string[]> {
      await using other = startProcess({ trapped: true });
      using producer = SpscProducer.open(name.name);
      producer.trySendBatch([payload(1, 100), payload(2, 100), payload(3, 100)]);
      return await other.run(receive, { ...placed(name), how, ...NO_DEATH });
    }

    function receive(
      { SpscConsumer, consumers, dieBefore, stepsOf }: Tools,
      { name, how, step, time }: { name: string; how: string } & Death,
    ): string[] {
      const consumer = SpscConsumer.open(name);
      consumers.push(consumer);
      dieBefore(step, time);
      const steps = stepsOf(() => {
        if (how === "receive") consumer.tryReceive();
        else if (how === "poll") consumer.poll(() => {}, 1);
        else {
          const outcome = consumer.tryTake();
          if (outcome.state === "ok") outcome.sample[Symbol.dispose]();
        }
      });
      dieBefore("nothing");
      return steps;
    }
  });
}

function placed(name: Name): { name: string; capacity: number } {
  return { name: name.name, capacity: CAPACITY };
}
