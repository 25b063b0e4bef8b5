/** Whether programs notice that the commands of `vring` look at them. Nothing here is timed. */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { Program } from "../program.ts";
import { Name } from "../shared/scene.ts";

const CLI = "src/cli/main.ts";

Deno.test("publishers do the same work, and wake nobody, however many tools look at them", async () => {
  using place = new Name();
  const name = place.name;
  const map = "--import-map=test/cost/import_map.json";
  await using publishers = new Program("--no-check", map, "test/cli/counted.ts", name);
  await publishers.until(/ready/);
  const round = async () => {
    await publishers.type("go\n");
    return JSON.parse((await publishers.until(/\{.*\}\n/))[0]);
  };
  const alone = await round();
  assert(alone.words.storeThenGlance > 0 && alone.native.publish64 > 0, JSON.stringify(alone));

  await using stack = new AsyncDisposableStack();
  const look = (printed: RegExp, ...args: string[]) =>
    stack.use(new Program("--no-check", CLI, ...args)).until(printed);
  const tools = [
    look(/samples/, "top", `${name}**`, "--every", "0.1"),
    look(/./, "hz", `${name}**`, "--every", "0.1"),
    look(/./, "lag", `${name}/samples`, "--every", "0.1"),
    look(/./, "echo", `${name}/samples`),
    look(/./, "echo", `${name}.ring`),
    look(/./, "echo", `${name}/speed`),
  ];
  let isReady = false;
  const ready = Promise.all(tools).finally(() => isReady = true);
  ready.catch(() => {}); // reported below, unless a round fails first
  // Rarer each time: round 81 is other work, as the buffer is full, and that takes two minutes.
  for (let pauseMs = 50; !isReady; pauseMs += 40) {
    assertEquals(await round(), alone);
    await delay(pauseMs);
  }
  await ready;
  assertEquals(await round(), alone);
  assertEquals(Object.keys(alone.native).filter((call) => /wake/.test(call)), []);
});
