/** `vring bench`, with the process that it starts. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { regions } from "../../src/region/list.ts";
import { Program } from "../program.ts";
import { objectsIn, vring } from "./vring.ts";

Deno.test("vring bench measures every exchange, and leaves nothing behind", async () => {
  const found = objectsIn(await vring("bench --seconds 0.1 --json"));
  assertEquals(found.map(({ name }) => name), [
    "words",
    "ring",
    "topic",
    "ring-promises",
    "ring-one-way",
    "ring-frames",
    "topic-frames",
    "socket",
    "socket-frames",
  ]);
  for (const { low, median, high, rounds } of found as Record<string, number>[]) {
    assert(low! > 0 && low! <= median! && median! <= high!);
    assert(rounds! >= 2);
  }
  assertEquals(regions().filter(({ name }) => name.startsWith(`vring-bench-${Deno.pid}`)), []);
});

Deno.test("vring bench names the permissions that it lacks", async () => {
  await using alone = new Program("src/cli/main.ts", "bench", "--seconds", "0.1");
  const { code, err } = await alone.end();
  assertEquals(code, 1);
  assertMatch(err, /^Cannot start the other process: .* run with --allow-run=\/\S+\n$/);

  await using partly = new Program("--allow-run", "src/cli/main.ts", "bench", "--seconds", "0.1");
  await partly.end();
  assertStringIncludes(partly.out, "ring, spinning");
  assertStringIncludes(
    partly.out,
    "No socket was measured: add --allow-net --allow-read --allow-write",
  );
});
