/** An asynchronous loop over a busy ring does not keep the event loop to itself. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircularBufferReader, CircularBufferWriter } from "../../mod.ts";
import { yieldOften } from "../../src/wait/fairness.ts";

Deno.test("yieldOften() lets the event loop have its turn once in a while", async () => {
  let ticked = false;
  const timer = setTimeout(() => ticked = true, 0);
  let operations = 0;
  while (!ticked && operations < 1e6) {
    await yieldOften({});
    operations++;
  }
  clearTimeout(timer);
  assert(ticked, "a million operations, and a timer that was due did not run");
});

Deno.test("CircularBufferReader.read() of a writer that never stops lets timers run", async () => {
  const name = `turns-${Deno.pid}`;
  using writer = CircularBufferWriter.open(name, { capacity: 4096 });
  using reader = CircularBufferReader.open(name);
  let ticked = false;
  const timer = setTimeout(() => ticked = true, 0);
  for (let i = 0; !ticked && i < 1e6; i++) {
    writer.write(Uint8Array.of(i & 255, i >> 8 & 255));
    const outcome = await reader.read();
    assertEquals(outcome, { state: "ok", message: Uint8Array.of(i & 255, i >> 8 & 255) });
  }
  clearTimeout(timer);
  assert(ticked);
});

Deno.test("CircularBufferReader.read() heeds a signal that has aborted, also if a message is there", async () => {
  const name = `turns-signal-${Deno.pid}`;
  using writer = CircularBufferWriter.open(name, { capacity: 4096 });
  using reader = CircularBufferReader.open(name);
  writer.write(Uint8Array.of(1, 2, 3));
  const signal = AbortSignal.abort(new Error("called off"));
  await assertRejects(() => reader.read({ signal }), Error, "called off");
  assertEquals(reader.tryRead(), { state: "ok", message: Uint8Array.of(1, 2, 3) });
});
