import { assertEquals } from "@std/assert";
import type { Tools } from "./never_waits_child.ts";
import { processTests } from "./shared/processes.ts";
import { Name } from "./shared/scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./never_waits_child.ts", import.meta.url),
  "calls that never sleep",
);

test("no asynchronous call and no try method sleeps while a process is stopped amid removing", async () => {
  await using party = startProcess({ trapped: true });
  const outcomes: Record<string, string> = {};
  for (const call of await party.run(({ calls }) => calls(), undefined)) {
    using name = new Name();
    const given = { call, name: name.name };
    outcomes[call] = await party.run(
      ({ outcomeOf }, { call, name }) => outcomeOf(call, name),
      given,
    );
  }
  assertEquals(outcomes, {
    "SpscDefinition.ready": "TimeoutError",
    "SpscDefinition.nextConsumer": "TimeoutError",
    "MpscDefinition.ready": "TimeoutError",
    "MpscDefinition.nextProducer": "TimeoutError",
    "calls.ready": "TimeoutError",
    "TopicDefinition.ready": "TimeoutError",
    "TopicDefinition.nextPublisher": "TimeoutError",
    "TopicDefinition.nextSubscriber": "TimeoutError",
    "Subscriber.tryReceive of sources": "nothing",
    "Subscriber.receive of sources": "TimeoutError",
  });
});
