/**
 * Topics between processes: under load, asleep, and when one of them is stopped or killed.
 */

import { assertEquals } from "@std/assert";
import { Publisher } from "../../src/vdds/publisher.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { processTests } from "../shared/processes.ts";
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
