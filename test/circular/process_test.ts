/**
 * A circular buffer between processes: its writer acts while a reader is amid a look, and another
 * user observes.
 */

import { assertArrayIncludes, assertEquals } from "@std/assert";
import { CircularBufferWriter } from "../../src/circular/writer.ts";
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
    const { CircularBufferReader, CircularBufferWriter, actBefore, payload } = tools;
    using reader = CircularBufferReader.open(name, { capacity: 4096 });
    using writer = CircularBufferWriter.open(name);
    // The reader has seen that nothing is there, and looks whether the writer has closed.
    actBefore("state load", () => {
      writer.write(payload(0, 100));
      writer.close();
    });
    return Array.from({ length: 3 }, () => reader.tryRead().state);
  }, place.name);
  assertEquals(states.filter((state) => state !== "empty"), ["ok", "closed"]);
});

test("an observer may be another user, which can neither read as a member nor write", async () => {
  using place = new Name();
  using writer = CircularBufferWriter.open(place.name, { capacity: 4096, group: 54_321 });
  await using party = startProcess();
  const waiting = party.run(
    ({ CircularBufferObserver, CircularBufferReader, becomeUser }, name) => {
      becomeUser(54_321);
      using observer = CircularBufferObserver.open(name, { start: "now" });
      let refused = "";
      try {
        CircularBufferReader.open(name).close();
      } catch (error) {
        refused = (error as Error & { code: string }).code;
      }
      const found = [observer.readSync(), observer.readSync()].map((outcome) =>
        outcome.state === "ok" && [...outcome.message]
      );
      return { refused, found, left: observer.tryRead().state, hasWriter: observer.hasWriter };
    },
    place.name,
  );
  const finished = waiting.then(() => true);
  for (let sequence = 0;; sequence++) {
    writer.write(payload(sequence % 2, 9));
    const pause = new Promise<false>((resolve) => setTimeout(resolve, 1, false));
    if (await Promise.race([finished, pause])) break;
  }
  const { refused, found, hasWriter } = await waiting;
  assertEquals([refused, hasWriter], ["EACCES", true]);
  const messages = [0, 1].map((sequence) => [...payload(sequence, 9)]);
  for (const message of found) assertArrayIncludes(messages, [message]);
}, NO_ROOT);
