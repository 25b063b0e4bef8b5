import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import * as clock from "../../src/os/clock.ts";

Deno.test("now() never goes backwards and does not stand still", () => {
  const first = clock.now();
  let last = first;
  for (let i = 0; i < 10_000; i++) {
    const time = clock.now();
    assert(time >= last, `${time} after ${last}`);
    last = time;
  }
  assertGreater(last, first);
});

Deno.test("now() counts whole nanoseconds, exactly", () => {
  const time = clock.now();
  assert(Number.isSafeInteger(time), `${time}`);
});

Deno.test("time() is the time of day, with a fraction", () => {
  let fractions = 0;
  for (let i = 0; i < 1000; i++) {
    const before = Date.now();
    const time = clock.time();
    const after = Date.now(); // rounded down; the clock may step back between
    assert(before > after || time >= before && time <= after + 1, `${before} ${time} ${after}`);
    if (time % 1 !== 0) fractions++;
  }
  assertGreater(fractions, 0);
});

Deno.test("sleep() resolves, and not before its time", async () => {
  const start = clock.now();
  await clock.sleep(20);
  assert(clock.now() - start >= 19e6);
});

Deno.test("sleep() ends when the signal aborts", async () => {
  const controller = new AbortController();
  const slept = clock.sleep(1e9, controller.signal);
  queueMicrotask(() => controller.abort());
  await slept;
});

Deno.test("sleep() does not begin once the signal is aborted", async () => {
  await clock.sleep(1e9, AbortSignal.abort());
});

Deno.test("sleep() leaves no listener on a signal that outlives it", async () => {
  const { signal } = new AbortController();
  let listening = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listening++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listening--;
    removeEventListener.apply(signal, args);
  };
  await clock.sleep(1, signal);
  assertEquals(listening, 0);
});

Deno.test("sleepSync() blocks until its time is over", () => {
  const start = clock.now();
  clock.sleepSync(20);
  assert(clock.now() - start >= 20e6);
});

Deno.test("hasManyCpus() says whether two threads can run at once", () => {
  assertEquals(clock.hasManyCpus(), navigator.hardwareConcurrency > 1);
});

Deno.test("randomId() returns sixteen bytes that differ each time", () => {
  const ids = Array.from({ length: 100 }, () => clock.randomId());
  assert(ids.every((id) => id.length === 16));
  assertEquals(new Set(ids.map((id) => id.toHex())).size, 100);
  assertNotEquals(ids[0]!.toHex(), "0".repeat(32));
});

Deno.test("perIsolate() makes a value at first use, once", () => {
  let made = 0;
  const get = clock.perIsolate(() => ({ number: ++made }));
  assertEquals(made, 0);
  assertStrictEquals(get(), get());
  assertEquals(made, 1);
});

Deno.test("perIsolate() tries again after a failure", () => {
  let calls = 0;
  const get = clock.perIsolate(() => {
    if (++calls === 1) throw new Error("not yet");
    return calls;
  });
  assertThrows(get, Error, "not yet");
  assertEquals(get(), 2);
});
