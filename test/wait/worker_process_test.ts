import { assertEquals } from "@std/assert";
import { Child, type Ending } from "../os/child.ts";
import { ScratchFile } from "../os/scratch.ts";
import { Scene } from "./scene.ts";

const WAYS = [
  ["sync", "terminate", "is terminated during waitSync() gives up its roles at the end of it"],
  ["sync", "close", "closes itself in the middle of waitSync() gives up its roles"],
  ["async", "terminate", "is terminated in the middle of wait() gives up its roles"],
  ["async", "close", "closes itself in the middle of wait() gives up its roles"],
  ["async", "throw", "throws in the middle of wait() gives up its roles"],
] as const;

/** Lets Workers sleep and end; how the program ended that had them, by itself. */
async function ending(sleep: string, end: string, count: number): Promise<Ending> {
  using file = new ScratchFile(Scene.sizeOf(2));
  await using child = new Child(new URL("./child_workers.ts", import.meta.url), {
    args: [file.path, sleep, end, String(count)],
    flags: ["--allow-ffi", "--allow-read"], // Workers in local files may be read only with permission
  });
  return await child.ending();
}

for (const [sleep, end, what] of WAYS) {
  Deno.test(`a Worker that ${what}, and the program continues`, async () => {
    const { code, lines, stderr } = await ending(sleep, end, 1);
    assertEquals([code, lines], [0, ["held", "free", "timeout"]]);
    assertEquals(stderr.includes("on purpose"), end === "throw");
  });
}

Deno.test("many Workers that are terminated in their sleep lose their roles", async () => {
  const { code, lines, stderr } = await ending("mixed", "terminate", 12);
  assertEquals([code, lines, stderr], [0, [...Array(12).fill("held"), "free", "timeout"], ""]);
});

for (const end of ["terminate", "close"]) {
  Deno.test(`a Worker that is the only one to use the library ends in its sleep, ${end}`, async () => {
    using file = new ScratchFile(Scene.sizeOf(2));
    await using child = new Child(new URL("./child_bystander.ts", import.meta.url), {
      args: [file.path, end],
      flags: ["--allow-all"], // to see what is mapped
    });
    const { code, lines, stderr } = await child.ending();
    assertEquals([code, lines, stderr], [0, ["held", "the code stays"], ""]);
  });
}

Deno.test("Deno.exit() ends a program whose Workers are asleep", async () => {
  const { code, lines, stderr } = await ending("mixed", "exit", 4);
  assertEquals([code, lines, stderr], [5, Array(4).fill("held"), ""]);
});
