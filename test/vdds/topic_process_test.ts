/**
 * Topics between processes: under load, asleep, and when one of them is stopped or killed.
 */

import { assert, assertEquals } from "@std/assert";
import { Publisher } from "../../src/vdds/publisher.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { until } from "../os/until.ts";
import { lengthOf, payload } from "../circular/scene.ts";
import {
  type Death,
  deathsAt,
  diedIn,
  NO_DEATH,
  openSoon,
  processTests,
} from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./vdds_child.ts";
import { Inside, Scene, valueOf } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./vdds_child.ts", import.meta.url),
  "topics",
);

/** Becomes a subscriber over there, and takes so many samples without giving them back. */
function subscribe(
  { Subscriber, subscribers, held }: Tools,
  { topic, count }: { topic: string; count: number },
): void {
  const subscriber = Subscriber.open(topic);
  subscribers.push(subscriber);
  for (let i = 0; i < count; i++) {
    const outcome = subscriber.takeSync();
    if (outcome.state === "ok") held.push(outcome.sample);
  }
}

test("every sample arrives in three processes, each byte as it was sent", async () => {
  using name = new Name();
  const total = 30_000;
  using publisher = Publisher.open(name.name, { depth: 16, size: 1024 });
  await using a = startProcess();
  await using b = startProcess();
  await using c = startProcess();
  const parties = [a, b, c];
  const counted = parties.map((party, i) =>
    party.run(({ Subscriber, isPayload, lengthOf }, { topic, how }) => {
      using subscriber = Subscriber.open(topic, { keepOpen: false });
      let next = 0;
      let wrong = 0;
      const check = (bytes: Uint8Array, sequence: number, lost: number) => {
        const right = sequence === next + 1 && lost === 0 &&
          bytes.length === lengthOf(sequence, 1000) && isPayload(bytes, sequence);
        if (!right) wrong++;
        next = sequence;
      };
      for (;;) {
        const outcome = how === 0 ? subscriber.receiveSync() : subscriber.takeSync();
        if (outcome.state === "closed") return { next, wrong };
        if ("value" in outcome) check(outcome.value, outcome.sequence, outcome.lost);
        else {
          using sample = outcome.sample;
          check(sample.bytes, sample.sequence, sample.lost);
        }
        if (how === 2) subscriber.poll(check);
      }
    }, { topic: name.name, how: i })
  );
  await until("all have subscribed", () => publisher.matched === 3);
  for (let i = 1; i <= total; i++) publisher.sendSync(payload(i, lengthOf(i, 1000)));
  publisher.close();
  for (const account of counted) assertEquals(await account, { next: total, wrong: 0 });
  assertEquals(name.files(), []);
});

test("a subscriber and a publisher that sleep are woken by another process", async () => {
  using name = new Name();
  await using other = startProcess();
  using publisher = Publisher.open(name.name, { depth: 1, size: 64 });
  const rounds = 30;
  const receiving = other.run(({ Subscriber, isPayload }, { topic, rounds }) => {
    using subscriber = Subscriber.open(topic);
    for (let i = 1; i <= rounds; i++) {
      const outcome = subscriber.receiveSync({ spin: 0 });
      if (outcome.state !== "ok" || !isPayload(outcome.value, i)) return `wrong at ${i}`;
    }
    return "right";
  }, { topic: name.name, rounds });
  await until("it has subscribed", () => publisher.matched === 1);
  for (let i = 1; i <= rounds; i++) {
    await until(
      "the subscriber sleeps",
      () => other.state === "S" && publisher.counters.inFlight === 0,
    );
    await publisher.send(payload(i, 64), { spin: 0 });
  }
  assertEquals(await receiving, "right");
});

test("what a killed subscriber held is there at once when the publisher needs it", async () => {
  using scene = new Scene({ depth: 4 });
  const { publisher, topic } = scene;
  await using other = startProcess();
  await other.run(subscribe, { topic, count: 0 });
  for (let i = 1; i <= 4; i++) publisher.sendSync(payload(i, 100));
  await other.run(({ subscribers: [subscriber], held }) => {
    for (let i = 0; i < 4; i++) {
      const outcome = subscriber!.tryTake();
      if (outcome.state === "ok") held.push(outcome.sample);
    }
  }, undefined);
  assertEquals(publisher.tryLoan(), undefined);
  const sending = publisher.send(payload(5, 100)); // asleep when it dies
  other.signal("SIGKILL");
  assertEquals(await sending, true);
  const subscriber = scene.subscribe();
  for (let i = 6; i <= 9; i++) assert(publisher.trySend(payload(i, 100)), `no room for ${i}`);
  for (let i = 6; i <= 9; i++) assertEquals(valueOf(subscriber.tryReceive()), payload(i, 100));
  assertEquals(publisher.matched, 1);
});

test("a stopped subscriber is alive: it slows nobody whose policy drops, and goes on later", async () => {
  using scene = new Scene({ depth: 4, policy: "dropOldest" });
  const { publisher, topic } = scene;
  const quick = scene.subscribe();
  await using other = startProcess();
  await other.run(subscribe, { topic, count: 0 });
  publisher.trySend(payload(1, 100));
  await other.run(({ subscribers: [subscriber], held }) => {
    const outcome = subscriber!.takeSync();
    if (outcome.state === "ok") held.push(outcome.sample);
  }, undefined);
  assertEquals(quick.poll(() => {}), 1);
  other.signal("SIGSTOP");
  await until("it is stopped", () => other.state === "T");
  for (let i = 2; i <= 1000; i++) {
    assert(publisher.trySend(payload(i, 100)), `no room for ${i}`);
    assertEquals(quick.tryReceive(), {
      state: "ok",
      value: payload(i, 100),
      sequence: i,
      lost: 0,
    });
  }
  assertEquals(publisher.matched, 2);
  other.signal("SIGCONT");
  const told = await other.run(({ subscribers: [subscriber], held, isPayload }) => {
    const whole = isPayload(held[0]!.bytes, 1);
    const account: number[][] = [];
    subscriber!.poll((bytes, sequence, lost) => {
      account.push([sequence, lost, isPayload(bytes, sequence) ? 1 : 0]);
    });
    return { whole, account };
  }, undefined);
  assertEquals(told, { whole: true, account: [[998, 996, 1], [999, 0, 1], [1000, 0, 1]] });
});

/** All that lives can be used, and nothing is in anybody's hands. */
function assertNothingLeaked(publisher: Publisher, depth: number): void {
  using subscriber = Subscriber.open(publisher.topic);
  const first = publisher.sequence + 1;
  for (let i = 0; i < depth; i++) {
    assert(publisher.trySend(payload(first + i, 99)), `descriptor ${i} of ${depth} has leaked`);
  }
  assertEquals(publisher.tryLoan(), undefined);
  for (let i = 0; i < depth; i++) {
    assertEquals(valueOf(subscriber.tryReceive()), payload(first + i, 99));
  }
}

test("a publisher that is killed while it takes back what the dead held leaves it to the next", async () => {
  const depth = 3;
  using stack = new DisposableStack();
  await using other = startProcess({ trapped: true });
  const [rehearsed] = await stage([NO_DEATH]);
  const steps = await other.run(
    ({ publishers, stepsOf }) => stepsOf(() => publishers.pop()!.tryLoan()),
    undefined,
  );
  assert(steps.includes("online exchange") && steps.includes("close lock file"), `${steps}`);
  const deaths = await stage(deathsAt(steps));
  const dying = other.run(({ publishers, dieAmid }, deaths) => {
    dieAmid(deaths.map((at, i) => ({ ...at, act: () => publishers[i]!.tryLoan() })));
  }, deaths.map(({ step, time }) => ({ step, time })));
  assert(await diedIn(other, dying));
  for (const { topic, inside } of [rehearsed!, ...deaths]) {
    using publisher = await openSoon(() => Publisher.open(topic));
    await until("the role of the cleared row is free", () => !inside.ring.region.isHeld(1));
    assertNothingLeaked(publisher, depth);
  }

  /** Publishers over there find all of their samples held by a dead subscriber. */
  async function stage(deaths: readonly Death[]) {
    const topics = deaths.map(() => stack.use(new Name()).name);
    await using holder = startProcess();
    await other.run(({ Publisher, publishers }, { topics, depth }) => {
      for (const topic of topics) publishers.push(Publisher.open(topic, { depth, size: 256 }));
    }, { topics, depth });
    await holder.run(({ Subscriber, subscribers }, topics) => {
      for (const topic of topics) subscribers.push(Subscriber.open(topic));
    }, topics);
    await other.run(({ publishers, payload }) => {
      for (const publisher of publishers) {
        for (let i = 1; publisher.trySend(payload(i, 50)); i++);
      }
    }, undefined);
    await holder.kill();
    const scenes = deaths.map((death, i) => ({
      ...death,
      topic: topics[i]!,
      inside: stack.use(new Inside(topics[i]!)),
    }));
    for (const { inside } of scenes) {
      await until("its role is free", () => !inside.ring.region.isHeld(1));
    }
    return scenes;
  }
});
