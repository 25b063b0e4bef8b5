/** Programs that end without closing: at their end and at `Deno.exit` everything is closed for them. */

import { assertEquals, assertRejects } from "@std/assert";
import { lock as defineLock, PeerLostError, rwLock, spsc } from "../../mod.ts";
import { Child, type Ending } from "../os/child.ts";
import { sharedFiles, uniqueName } from "../program.ts";

const PROGRAM = new URL("./end_child.ts", import.meta.url);

async function endingOf(ending: string, name: string): Promise<Ending> {
  await using child = new Child(PROGRAM, { args: [ending, name] });
  return await child.ending();
}

for (
  const [ending, code, when] of [
    ["end", 0, "reaches its end"],
    ["exit", 3, "calls Deno.exit()"],
    ["exitInHandler", 3, "calls Deno.exit() while a handler has a message"],
  ] as const
) {
  Deno.test(`a program that ${when} leaves no file behind`, async () => {
    const name = uniqueName();
    const { lines, stderr, ...ended } = await endingOf(ending, name);
    assertEquals([ended.code, lines, stderr], [code, ["17 11"], ""]);
    assertEquals(sharedFiles(name), []);
  });
}

Deno.test("a producer is lost in a program that calls Deno.exit() without end()", async () => {
  const name = uniqueName();
  using consumer = spsc(name).consumer();
  const { code, stderr } = await endingOf("producer", name);
  assertEquals([code, stderr], [3, ""]);
  const first = await consumer.receive();
  assertEquals(first?.value, Uint8Array.of(2, 7, 1));
  await assertRejects(() => consumer.receive(), PeerLostError, "without end()");
});

Deno.test("a program that waits synchronously with a limit ends in order at SIGTERM", async () => {
  const name = uniqueName();
  await using child = new Child(PROGRAM, { args: ["sync", name] });
  assertEquals(await child.line(), "waiting");
  child.kill("SIGTERM");
  const { code, signal, stderr } = await child.ending();
  assertEquals([code, signal, stderr], [0, null, ""]);
  assertEquals(sharedFiles(name), []);
});

Deno.test("a lock that is held at Deno.exit() is recovered, because its data may be half changed", async () => {
  const name = uniqueName();
  using semaphore = defineLock(name).open();
  using lock = rwLock(name).open();
  try {
    const { code, stderr } = await endingOf("locks", name);
    assertEquals([code, stderr], [3, ""]);
    using permit = semaphore.lockSync({ timeout: 10_000 });
    using write = lock.writeSync({ timeout: 10_000 });
    assertEquals([permit.recovered, write.recovered], [true, true]);
  } finally {
    defineLock(name).unlink();
  }
});

Deno.test("handles that a program forgets are collected before it ends, and leave no file behind", async () => {
  const name = uniqueName();
  const flags = ["--allow-ffi", "--v8-flags=--expose-gc"];
  await using child = new Child(PROGRAM, { args: ["forgotten", name], flags });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, lines, stderr], [0, ["11", "0"], ""]);
});
