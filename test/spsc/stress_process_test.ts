/**
 * Rings from one producer to one consumer between processes, at their limits: the smallest ring,
 * messages that fill it, many in flight, and waits that are long.
 */

import { assert, assertEquals } from "@std/assert";
import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import type { Party } from "../shared/party.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import type { Tools } from "./spsc_child.ts";
import { CAPACITY } from "./scene.ts";
import { echo } from "./stress.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./spsc_child.ts", import.meta.url),
  "the stress of SPSC rings",
);

/** Longer than any timeout takes, however slow the machine. */
const LATE_MS = 20_000;

/** How long a timeout took in milliseconds, by what waited. */
type Waited = [what: string, timeout: number, elapsed: number];

/** Waits in vain, on a thread that is blocked: for a message, or for space. */
function waitInSync(party: Party<Tools>, name: Name, end: "consumer" | "producer") {
  return party.run(({ SpscConsumer, SpscProducer, payload }, { name, end, capacity }): Waited[] => {
    using producer = SpscProducer.open(name, { capacity });
    using consumer = SpscConsumer.open(name);
    while (end === "producer" && producer.trySend(payload(0, producer.capacity / 2 - 8)));
    const timeout = end === "consumer" ? 4500 : 4600;
    const start = performance.now();
    try {
      if (end === "consumer") consumer.receiveSync({ timeout });
      else producer.sendSync(payload(1, 1), { timeout });
      return [["nothing", timeout, 0]];
    } catch (error) {
      return [[`${(error as Error).name} of ${end}`, timeout, performance.now() - start]];
    }
  }, { name: name.name, end, capacity: CAPACITY });
}

/** The same, on an event loop, all at once; also beyond 2^32 ns. */
function waitOnLoop(party: Party<Tools>, full: Name, empty: Name) {
  return party.run(async ({ SpscConsumer, SpscProducer, payload }, { full, empty, capacity }) => {
    using producer = SpscProducer.open(full, { capacity });
    using _reader = SpscConsumer.open(full);
    using _writer = SpscProducer.open(empty, { capacity });
    using consumer = SpscConsumer.open(empty);
    while (producer.trySend(payload(0, producer.capacity / 2 - 8)));
    const waits: [string, number, (timeout: number) => Promise<unknown>][] = [
      ["receive", 4500, (timeout) => consumer.receive({ timeout })],
      ["take", 4700, (timeout) => consumer.take({ timeout })],
      ["wait", 5000, (timeout) => consumer.wait({ timeout })],
      ["send", 4550, (timeout) => producer.send(payload(1, 1), { timeout })],
      ["claim", 4900, (timeout) => producer.claim(1, { timeout })],
      ["flush", 4800, (timeout) => producer.flush({ timeout })],
    ];
    return await Promise.all(waits.map(async ([what, timeout, wait]): Promise<Waited> => {
      const start = performance.now();
      const name = await wait(timeout).then(() => "nothing", (error) => error.name);
      return [`${name} of ${what}`, timeout, performance.now() - start];
    }));
  }, { full: full.name, empty: empty.name, capacity: CAPACITY });
}

/** Messages of the longest length and one byte less, to a process that takes two of them at a time. */
async function sendLongest(rounds: number): Promise<void> {
  using name = new Name();
  await using party = startProcess();
  using producer = SpscProducer.open(name.name, { capacity: CAPACITY });
  const max = producer.maxMessage;
  await party.run(({ SpscConsumer, consumers }, name) => {
    consumers.push(SpscConsumer.open(name));
  }, name.name);
  const receiving = party.run(({ consumers: [consumer], isPayload }, { rounds, max }) => {
    for (let i = 0; i < 3 * rounds; i++) {
      const outcome = consumer!.receiveSync({ spin: i % 2 === 0 ? 0 : 50 });
      const length = i % 3 === 0 ? max - 1 : max;
      const right = outcome.state === "ok" && outcome.value.length === length;
      if (!right || !isPayload(outcome.value, i)) return `message ${i} is wrong`;
    }
    return "all right";
  }, { rounds, max });
  for (let i = 0; i < 3 * rounds; i++) {
    producer.sendSync(payload(i, i % 3 === 0 ? max - 1 : max), { spin: i % 4 < 2 ? 0 : 50 });
  }
  assertEquals(await receiving, "all right");
}

/** Rounds in which so many messages are sent before one of their echoes is received. */
async function flyTogether(rounds: number, inFlight: number, length: number): Promise<void> {
  using there = new Name();
  using back = new Name();
  const capacity = 2 ** 20;
  using producer = SpscProducer.open(there.name, { capacity });
  using consumer = SpscConsumer.open(back.name, { capacity });
  await using party = startProcess();
  await party.run(({ SpscConsumer, SpscProducer, consumers, producers }, { there, back }) => {
    consumers.push(SpscConsumer.open(there));
    producers.push(SpscProducer.open(back));
  }, { there: there.name, back: back.name });
  for (let round = 0; round < rounds; round++) {
    const first = round * inFlight;
    const echoing = party.run(({ consumers: [consumer], producers: [producer] }, count) => {
      for (let left = count; left > 0;) {
        consumer!.waitSync();
        left -= consumer!.poll((bytes) => producer!.sendSync(bytes));
      }
    }, inFlight);
    for (let i = 0; i < inFlight; i++) assert(producer.trySend(payload(first + i, length)));
    for (let i = 0; i < inFlight; i++) {
      const outcome = consumer.receiveSync();
      assert(outcome.state === "ok" && outcome.value.length === length, `length of ${first + i}`);
      assert(isPayload(outcome.value, first + i), `bytes of ${first + i}`);
    }
    await echoing;
  }
}

// The long waits take their time while the rest is done: together they are one test, whose
// sanitizers look at all of it.
test("SPSC rings between processes at their limits", async (t) => {
  using names = new DisposableStack();
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => names.use(new Name()));
  await using receiver = startProcess();
  await using sender = startProcess();
  await using loop = startProcess();
  const waits = Promise.all([
    waitInSync(receiver, first!, "consumer"),
    waitInSync(sender, second!, "producer"),
    waitOnLoop(loop, third!, fourth!),
  ]);
  waits.catch(() => {}); // a step before may fail, and then nobody asks
  const step = (name: string, fn: () => Promise<void>) =>
    t.step({ name, fn, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });
  await step("200,000 messages of 0 to 1020 bytes are echoed through rings of a page", () => {
    return echo(200_000);
  });
  await step("the pattern max - 1, max, receive two, send max does not stick", () => {
    return sendLongest(2000);
  });
  await step("400 rounds of 512 messages of 1,500 bytes in flight come back as they went", () => {
    return flyTogether(400, 512, 1500);
  });
  await step("timeouts of 4.5 s and more are over when they are, and not before", async () => {
    for (const [what, timeout, elapsed] of (await waits).flat()) {
      assert(what.startsWith("TimeoutError of"), `${what} after ${elapsed} ms`);
      assert(elapsed >= timeout, `${what} came after ${elapsed} ms, not ${timeout}`);
      assert(elapsed < timeout + LATE_MS, `${what} came after ${elapsed} ms, not ${timeout}`);
    }
  });
});
