/**
 * Slots whose every word a broken peer has changed, before they are used and meanwhile. What could
 * run for ever or end the process runs in another one, by a deadline.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { until } from "../os/until.ts";
import { inParts } from "../shared/in_parts.ts";
import { processTests } from "../shared/processes.ts";
import { type Change, ENDURING, everyChange, randomChanges } from "./assault.ts";
import type { Tools } from "./babus_child.ts";
import { Scene } from "./scene.ts";

const PROGRAM = new URL("./babus_child.ts", import.meta.url);
const { test, startProcess } = processTests<Tools>(PROGRAM, "corrupt slots");

/** Assaults in another process. */
const assaultAll = inParts<Tools, readonly Change[]>(
  startProcess,
  50,
  ({ assaults }, { name, some }) => assaults(name, some),
);

test("every word of the control block and of every entry can hold anything", async () => {
  const seen = await assaultAll(everyChange().map((change) => [change]));
  assertGreater(seen.CorruptRegionError!, 1000);
  assertGreater(seen.message!, 1000);
  assertGreater(seen.written!, 1000);
});

test("several words at once can hold anything", async () => {
  const seen = await assaultAll(Array.from({ length: 200 }, (_, seed) => randomChanges(seed)));
  assertGreater(seen.CorruptRegionError!, 100);
});

test("a slot can be changed at any moment while it is used", async () => {
  using scene = new Scene();
  scene.slot("a", { depth: 3 });
  using memory = sharedMemory(scene.name, { size: 4 * 5 }).open();
  const words = memory.as(Uint32Array);
  await using user = startProcess();
  await using vandal = startProcess();
  const enduring = user.run(({ endure, sharedMemory }, name) => {
    using memory = sharedMemory(name, { size: 4 * 5 }).open({ open: "join" });
    return endure(name, memory.as(Uint32Array));
  }, scene.name);
  await until("it is used", () => words[ENDURING.rounds]! > 0);
  const isEnough = () => words.subarray(1).every((count) => count > 20);
  for (let seed = 0; seed < 3000 || !isEnough() && seed < 300_000; seed += 300) {
    await vandal.run(({ vandalise }, { name, seed }) => vandalise(name, seed, 300), {
      name: scene.name,
      seed,
    });
  }
  words[ENDURING.over] = 1;
  assertEquals(await enduring, []);
  assert(isEnough(), `${words}: nothing was tried`);
});
