import { assertEquals } from "@std/assert";
import { Child } from "../os/child.ts";
import { pageSize } from "../../src/os/page.ts";
import { ScratchFile } from "../os/scratch.ts";

/** The output of a program that can run the garbage collector. */
async function collect(...args: string[]): Promise<unknown> {
  await using child = new Child(new URL("./child_collect.ts", import.meta.url), {
    flags: ["--allow-ffi", "--allow-read", "--allow-write", "--v8-flags=--expose-gc"],
    args,
  });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(lines[0]!);
}

Deno.test("a forgotten Mapping is unmapped once it was garbage collected", async () => {
  assertEquals(await collect("mapping"), true);
});

Deno.test("a view or a word keeps its memory when the Mapping is forgotten", async () => {
  assertEquals(await collect("kept"), [true, 7, 70, 71]);
});

Deno.test("a Mapping that was closed unmaps nothing more when it is collected", async () => {
  assertEquals(await collect("closed"), [true, true]);
});

Deno.test("a forgotten MirrorRing is unmapped once it was garbage collected", async () => {
  assertEquals(await collect("ring"), [true, true]);
});

Deno.test("a forgotten LeapfrogRing gives its fd back once it was garbage collected", async () => {
  assertEquals(await collect("leapfrog"), [true, true]);
});

Deno.test("a buffer that was transferred reads zeros once its Mapping was collected", async () => {
  assertEquals(await collect("transferred"), [pageSize(), 55, true, 66]);
});

Deno.test("bytes that the runtime writes while the Mapping is closed become zeros", async () => {
  const directory = Deno.makeTempDirSync();
  using _directory = { [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }) };
  const fifo = `${directory}/fifo`;
  new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
  assertEquals(await collect("busy", fifo), [2 ** 20, true, true]);
});

Deno.test("closed ranges keep their addresses up to a limit; then the oldest goes", async () => {
  const counts = [[1, 1], [2, 2], [3, 3], [4, 4], [4, 4], [4, 4]];
  const taken = [false, false, true, true, true, true];
  assertEquals(await collect("bounded"), [counts, taken, 6]);
});

Deno.test("a forgotten LockFile gives its locks back once it was garbage collected", async () => {
  using file = new ScratchFile(0);
  assertEquals(await collect("lock", file.path), [true, true, true]);
});
