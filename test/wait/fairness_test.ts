/** An asynchronous loop over a busy ring does not keep the event loop to itself. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { circular } from "../../mod.ts";
import { sleepSync } from "../../src/os/clock.ts";
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

Deno.test("a loop that takes long with each message lets timers run all the same", async () => {
  let ticked = false;
  const timer = setTimeout(() => ticked = true, 0);
  let operations = 0;
  while (!ticked && operations < 64) {
    await yieldOften({});
    sleepSync(1);
    operations++;
  }
  clearTimeout(timer);
  assert(ticked, `${operations} operations of a millisecond, and a timer that was due did not run`);
});

Deno.test("receive() of a writer that never stops lets timers run", async () => {
  const name = `turns-${Deno.pid}`;
  using writer = circular(name, { capacity: 4096 }).writer();
  using reader = circular(name, { capacity: 4096 }).reader();
  let ticked = false;
  const timer = setTimeout(() => ticked = true, 0);
  for (let i = 0; !ticked && i < 1e6; i++) {
    writer.trySend(Uint8Array.of(i & 255, i >> 8 & 255));
    const message = await reader.receive();
    assertEquals(message?.value, Uint8Array.of(i & 255, i >> 8 & 255));
  }
  clearTimeout(timer);
  assert(ticked);
});

Deno.test("receive() heeds a signal that has aborted, also if a message is there", async () => {
  const name = `turns-signal-${Deno.pid}`;
  using writer = circular(name, { capacity: 4096 }).writer();
  using reader = circular(name, { capacity: 4096 }).reader();
  writer.trySend(Uint8Array.of(1, 2, 3));
  const signal = AbortSignal.abort(new Error("called off"));
  await assertRejects(() => reader.receive({ signal }), Error, "called off");
  assertEquals(reader.tryReceive()?.value, Uint8Array.of(1, 2, 3));
});
