/**
 * A circular buffer between processes: its writer acts while a reader is amid a look, and another
 * user observes.
 */

import { assertArrayIncludes, assertEquals } from "@std/assert";
import { circular } from "../../src/circular/definition.ts";
import { NO_ROOT, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "./scene.ts";
import type { Tools } from "./circular_child.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./circular_child.ts", import.meta.url),
  "circular buffers",
);

test("a reader is not told that the writer has closed before it has the last message", async () => {
  using place = new Name();
  await using party = startProcess({ trapped: true });
  const states = await party.run((tools, name) => {
    const { circular, actBefore, payload } = tools;
    using reader = circular(name, { capacity: 4096 }).reader();
    using writer = circular(name, { capacity: 4096 }).writer();
    // The reader has seen that nothing is there, and looks whether the writer has closed.
    actBefore("state load", () => {
      writer.trySend(payload(0, 100));
      writer.close();
    });
    return Array.from({ length: 2 }, () => [reader.ended, reader.tryReceive()?.sequence]).flat();
  }, place.name);
  assertEquals(states.filter((state) => state), [1, true]);
});

test("an observer may be another user, which can neither read as a member nor write", async () => {
  using place = new Name();
  using writer = circular(place.name, { capacity: 4096, group: 54_321 }).writer();
  await using party = startProcess();
  const waiting = party.run(
    ({ circular, becomeUser }, name) => {
      becomeUser(54_321);
      using observer = circular(name, { capacity: 4096 }).observer({ start: "now" });
      let refused = "";
      try {
        circular(name, { capacity: 4096 }).reader().close();
      } catch (error) {
        refused = (error as Error & { code: string }).code;
      }
      const found = [observer.receiveSync(), observer.receiveSync()].map((
        message,
      ) => [...message!.value]);
      return { refused, found, peers: observer.peers };
    },
    place.name,
  );
  const finished = waiting.then(() => true);
  for (let sequence = 0;; sequence++) {
    writer.trySend(payload(sequence % 2, 9));
    const pause = new Promise<false>((resolve) => setTimeout(resolve, 1, false));
    if (await Promise.race([finished, pause])) break;
  }
  const { refused, found, peers } = await waiting;
  assertEquals([refused, peers], ["EACCES", 1]);
  const messages = [0, 1].map((sequence) => [...payload(sequence, 9)]);
  for (const message of found) assertArrayIncludes(messages, [message]);
}, NO_ROOT);
