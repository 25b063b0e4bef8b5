/**
 * Topics between processes: under load, asleep, and when one of them is stopped or killed.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { NO_ROOT, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./vdds_child.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./vdds_child.ts", import.meta.url),
  "topics",
);

test("a subscriber and a publisher that sleep are woken by another process", async () => {
  using name = new Name();
  await using other = startProcess();
  const options = { depth: 1, size: 64 };
  using publisher = topic(name.name, options).publisher();
  const rounds = 30;
  const receiving = other.run(({ topic, isPayload }, { name, options, rounds }) => {
    using subscriber = topic(name, options).subscriber();
    for (let i = 1; i <= rounds; i++) {
      const message = subscriber.receiveSync({ spin: 0 });
      if (message === undefined || !isPayload(message.value, i)) return `wrong at ${i}`;
    }
    return "right";
  }, { name: name.name, options, rounds });
  await until("it has subscribed", () => publisher.peers === 1);
  for (let i = 1; i <= rounds; i++) {
    await until(
      "the subscriber sleeps",
      () => other.state === "S" && publisher.counters.inFlight === 0,
    );
    await publisher.send(payload(i, 64), { spin: 0 });
  }
  assertEquals(await receiving, "right");
});

test("the samples of a killed publisher arrive, and then a PeerLostError, or those of the next", async () => {
  using name = new Name();
  const options = { depth: 4, size: 64 };
  const samples = topic(name.name, options);
  using hasty = samples.subscriber({ onPeerGone: "end" });
  using patient = samples.subscriber();
  await using other = startProcess();
  await other.run(({ topic, publishers, payload }, { name, options }) => {
    const publisher = topic(name, options).publisher();
    publishers.push(publisher);
    for (const seed of [1, 2]) publisher.trySend(payload(seed, 64));
  }, { name: name.name, options });
  await other.kill();
  const received: number[] = [];
  const loop = async () => {
    for await (const { sequence } of hasty.samples()) received.push(sequence);
  };
  await assertRejects(loop, PeerLostError, "without close() or died");
  await assertRejects(() => hasty.receive(), PeerLostError);
  await assertRejects(() => hasty.values().next(), PeerLostError);
  assertEquals([received, hasty.peers], [[1, 2], 0]);
  using next = await samples.nextPublisher();
  next.trySend(payload(3, 64));
  const all = [1, 2, 3].map(() => patient.tryReceive()?.sequence);
  assertEquals(all, [1, 2, 3]);
});

test(
  "an observer may be another user, and sees whole samples while they are overwritten",
  async () => {
    using name = new Name();
    const size = 5000;
    const options = { depth: 2, size, policy: "dropOldest", group: 54_321 } as const;
    using publisher = topic(name.name, options).publisher();
    await using other = startProcess();
    const observing = other.run(
      ({ topic, becomeUser, isPayload }, { name, options, wanted }) => {
        becomeUser(54_321);
        const definition = topic(name, options);
        using observer = definition.observer();
        let refused = "";
        try {
          definition.subscriber().close();
        } catch (error) {
          refused = (error as Error & { code: string }).code;
        }
        let torn = 0;
        for (let seen = 0; seen < wanted; seen++) {
          const { value, sequence } = observer.receiveSync()!;
          if (!isPayload(value, sequence)) torn++;
        }
        return { refused, torn, peers: observer.peers };
      },
      { name: name.name, options, wanted: 300 },
    );
    const finished = observing.then(() => true);
    for (let isOver = false; !isOver;) {
      for (let i = 0; i < 50; i++) publisher.trySend(payload(publisher.sequence + 1, size));
      const turn = new Promise<false>((resolve) => setTimeout(resolve, 0, false));
      isOver = await Promise.race([finished, turn]);
    }
    assertEquals(await observing, { refused: "EACCES", torn: 0, peers: 1 });
  },
  NO_ROOT,
);
