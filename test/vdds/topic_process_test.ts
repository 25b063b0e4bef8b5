/**
 * Topics between processes: under load, asleep, and when one of them is stopped or killed.
 */

import { assertEquals } from "@std/assert";
import { Publisher } from "../../src/vdds/publisher.ts";
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

test(
  "an observer may be another user, and sees whole samples while they are overwritten",
  async () => {
    using name = new Name();
    const size = 5000;
    const options = { depth: 2, size, policy: "dropOldest", group: 54_321 } as const;
    using publisher = Publisher.open(name.name, options);
    await using other = startProcess();
    const observing = other.run(
      ({ TopicObserver, Subscriber, becomeUser, isPayload }, { topic, wanted }) => {
        becomeUser(54_321);
        using observer = TopicObserver.open(topic);
        let refused = "";
        try {
          Subscriber.open(topic).close();
        } catch (error) {
          refused = (error as Error & { code: string }).code;
        }
        let torn = 0;
        for (let seen = 0; seen < wanted; seen++) {
          const outcome = observer.receiveSync();
          if (!isPayload(outcome.value, outcome.sequence)) torn++;
        }
        return { refused, torn, matched: observer.matched };
      },
      { topic: name.name, wanted: 300 },
    );
    const finished = observing.then(() => true);
    for (let isOver = false; !isOver;) {
      for (let i = 0; i < 50; i++) publisher.trySend(payload(publisher.sequence + 1, size));
      const turn = new Promise<false>((resolve) => setTimeout(resolve, 0, false));
      isOver = await Promise.race([finished, turn]);
    }
    assertEquals(await observing, { refused: "EACCES", torn: 0, matched: 1 });
  },
  NO_ROOT,
);
