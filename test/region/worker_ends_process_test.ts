import { assertEquals } from "@std/assert";
import { Child } from "../os/child.ts";
import { Name } from "../shared/scene.ts";

Deno.test("Workers that end in every state leave no memory, no file and no role", async () => {
  using place = new Name();
  await using child = new Child(new URL("./child_worker_ends.ts", import.meta.url), {
    args: ["24", place.name], // each state and each end once
    flags: ["--allow-all"], // to see what is open and mapped
  });
  const { code, lines } = await child.ending();
  const { before, after, names } = JSON.parse(lines[0]!);
  assertEquals([code, after, names], [0, before, []]);
});
