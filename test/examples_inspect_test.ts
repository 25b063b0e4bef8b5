/** Runs the example that looks at topics whose types it does not know, as a user would. */

import { assertEquals, assertMatch } from "@std/assert";
import { struct, text, topic } from "../mod.ts";
import { Program, sharedFiles, uniqueName } from "./program.ts";

const Reading = struct("reading", { celsius: "f64", place: text(8) });

Deno.test("inspect: regions are listed, and samples shown field by field", async () => {
  const name = `${uniqueName()}/reading`;
  const readings = topic(name, { type: Reading, policy: "dropOldest", history: 1 });
  using publisher = readings.publisher();
  publisher.trySend({ celsius: 21.5, place: "roof" });
  await using program = new Program("examples/inspect.ts", "--topic", name, "--seconds", "50");
  await program.until(/const Reading = struct\("reading", \{\n {2}celsius: "f64",\n/);
  await program.until(/reading, version 1, 16 bytes, .*\n/);
  program.kill("SIGINT");
  await program.well();

  await using list = new Program("examples/inspect.ts");
  assertEquals((await list.end()).code, 0);
  const entry = list.out.slice(list.out.indexOf(`topic ${name}`));
  assertMatch(entry, /^.*\n {2}in use, reading\n {2}depth 8\n {2}size 16\n/);
  assertMatch(entry, /\n {2}policy dropOldest\n {2}history 1\n {2}reserve true\n/);
  publisher.close();

  await using missing = new Program("examples/inspect.ts", "--topic", name);
  await missing.refused(1, /^Cannot show topic .*: it does not exist; start its publisher\n$/);
  assertEquals(sharedFiles(name), []);
});
