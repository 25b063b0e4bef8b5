/** Tells a chapter in two terminals at once, with a process of each, and kills one of them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Telling } from "../../tutorials/stage/director.ts";
import type { Frame } from "../../tutorials/stage/story.ts";
import { sharedFiles, uniqueName } from "../program.ts";

/** What the code of a step returned, by the code. */
function resultsOf({ shown }: Frame): Record<string, string | undefined> {
  return Object.fromEntries(
    shown.flatMap((each) => each.kind === "code" ? [[each.source, each.result]] : []),
  );
}

/** The last column of a table, by the first. */
function tableOf({ shown }: Frame): Record<string, string> {
  const pictures = shown.flatMap((each) => each.kind === "picture" ? [each.picture] : []);
  const table = pictures.find(({ kind }) => kind === "table");
  assert(table?.kind === "table");
  return Object.fromEntries(table.rows.map((row) => [row[0]!, row.at(-1)!]));
}

Deno.test("chapter 8 in two terminals: the second inherits from the first, which is killed", async () => {
  const name = uniqueName();
  const [first, second] = await Promise.all([
    Telling.of(8, { word: "first", name }),
    Telling.of(8, { word: "second", name }),
  ]);
  try {
    const both = (step: number) => Promise.all([first.show(step), second.show(step)]);
    for (const frame of await both(1)) assertEquals(resultsOf(frame)["memory.references"], "2");
    for (const frame of await both(2)) {
      const { together, lost, ["the counter"]: counter } = tableOf(frame);
      assertEquals(Number(together), Number(counter) + Number(lost));
    }
    for (const frame of await both(3)) {
      const { together, lost } = tableOf(frame);
      assertEquals([together, lost], ["4000", "0"]);
    }
    const waiting = Promise.withResolvers<void>();
    second.progress = ({ shown }) => {
      if (shown.length > 0) waiting.resolve();
    };
    const inherits = second.show(4);
    await first.show(4);
    await waiting.promise;
    first.child!.kill("SIGKILL");
    const heir = await inherits;
    assertEquals(resultsOf(heir)["permit = mine.lockSync()"], "{ recovered: true }");
    const repaired = resultsOf(await second.show(5));
    assertEquals(repaired["purses.ann + purses.ben"], "170");
    await assertRejects(() => first.show(5), Error, "SIGKILL");
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
  assertEquals(sharedFiles(name), []);
});

Deno.test("a terminal that a chapter does not have is refused", async () => {
  const wrong = { word: "third", name: "none" };
  await assertRejects(() => Telling.of(8, wrong), RangeError, "it has: first, second");
});
