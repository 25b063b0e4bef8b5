import { assertEquals, assertStringIncludes } from "@std/assert";
import { Child } from "../os/child.ts";

/** What a program tells that has run out of something. */
async function exhaust(what: string): Promise<{ told: string[]; left: number }> {
  await using child = new Child(new URL("./child_exhaust.ts", import.meta.url), { args: [what] });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(lines[0]!);
}

Deno.test("MirrorRing leaves nothing behind when the limit of addresses is reached", async () => {
  const { told, left } = await exhaust("addresses");
  assertEquals([told.length, left], [1, 0]);
  assertStringIncludes(told[0]!, "mmap ENOMEM: Cannot reserve");
});

Deno.test("MirrorRing leaves nothing behind when the limit of mapped ranges is reached", async () => {
  const { told, left } = await exhaust("ranges");
  assertEquals(left, 0);
  // One range short, the reservation succeeds and cannot be split by the first window.
  assertEquals(told.map((line) => line.replace(/ \d+ bytes .*/, "")), [
    "mmap ENOMEM: Cannot reserve",
    "mmap ENOMEM: Cannot map",
    "made",
  ]);
});

Deno.test("MirrorRing throws an OsError when no fd is left", async () => {
  const { told, left } = await exhaust("files");
  assertEquals([told.length, left], [1, 0]);
  assertStringIncludes(told[0]!, "memfd_create EMFILE: Cannot make memory for a mirror ring");
});

Deno.test("a Mapping for reading only ends the process that writes to it", async () => {
  await using child = new Child(new URL("./child_read_only.ts", import.meta.url));
  const { signal, lines } = await child.ending();
  assertEquals([signal, lines], ["SIGSEGV", ["reads 0"]]);
});
