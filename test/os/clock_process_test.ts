import { assert } from "@std/assert";
import { now } from "../../src/os/clock.ts";
import { Child } from "./child.ts";

Deno.test("now() is one clock for all processes", async () => {
  const before = now();
  await using child = new Child(new URL("./child_clock.ts", import.meta.url));
  const time = Number(await child.line());
  assert(before < time && time < now(), `${before} ${time}`);
});
