/**
 * A circular buffer whose writer acts while a reader is amid a look.
 */

import { assertEquals } from "@std/assert";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
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
