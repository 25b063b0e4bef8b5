/**
 * Rings from one producer to one consumer between processes: under load, and when one is killed.
 */

import { assertEquals } from "@std/assert";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { until } from "../os/until.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { lengthOf, payload } from "../circular/scene.ts";
import type { Tools } from "./spsc_child.ts";
import { CAPACITY, Inside } from "./scene.ts";

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
