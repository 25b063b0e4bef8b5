import { assert, assertEquals, assertIsError, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, OsError } from "../../src/errors.ts";
import type { Word32 } from "../../src/memory/word.ts";
import { now, sleepSync } from "../../src/os/clock.ts";
import { CONDITIONS, waitAny } from "../../src/wait/any.ts";
import { reactor } from "../../src/wait/reactor.ts";
import { SLICE_NS } from "../../src/wait/sleep.ts";
import { until, untilSync } from "../../src/wait/until.ts";
import { Peer } from "../os/peer.ts";
import { PATIENCE, until as eventually } from "../os/until.ts";
import { wait, waitSync } from "./outcome.ts";
import { Scene } from "./scene.ts";
import type { Task } from "./worker_waiter.ts";

/** Longer than any test; a wait that reaches it fails instead of blocking for ever. */
const LONG_MS = 30_000 * PATIENCE;

function startPeer(): Promise<Peer<Task, string>> {
  return Peer.start(new URL("./worker_waiter.ts", import.meta.url));
}

Deno.test("waitSync() and wait() wait beyond 2^32 nanoseconds", async () => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  const timeout = 4400;
  const start = now();
  const outcomes = await Promise.all([
    peer.ask({ path: scene.path, act: "wait sync", count: 1, timeout }),
    wait(scene.places[1]!.reaches(1), { timeout }),
  ]);
  assertEquals(outcomes, ["timeout", "timeout"]);
  assert(now() - start >= timeout * 1e6);
});

Deno.test("waitSync() looks a last time when its time has passed", () => {
  using scene = Scene.make();
  const start = now();
  const ready = () => now() - start >= 5e6;
  assertEquals(waitSync(scene.place.reaches(1, { ready }), { timeout: 5, spin: 0 }), "ready");
});

Deno.test("waitSync() that spins sees the changes without raising the bell", async () => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  const published = peer.ask({ path: scene.path, act: "publish to who spins" });
  const [place, spinning] = scene.places;
  let looks = 0;
  const ready = () => {
    const count = place!.count.load();
    if (++looks > 1) spinning!.count.store(1 + count); // the first look is before the spin
    return count === 2;
  };
  const options = { timeout: LONG_MS, spin: LONG_MS * 1000 };
  assertEquals(waitSync(place!.reaches(1, { ready }), options), "ready");
  assertEquals(place!.bell.word.load(), 0);
  assertEquals(await published, "done");
});

/**
 * A condition whose watched word never changes and notes for how many nanoseconds it is watched. It
 * is lost where a wait would sleep.
 */
function watched(scene: Scene, budgets: number[]) {
  const { count } = scene.place;
  const spinWhile = (_: number, budget: number) => {
    budgets.push(budget);
    sleepSync(budget / 1e6);
    return false;
  };
  const watch = Object.create(count, {
    load: { value: () => count.load() },
    spinWhile: { value: spinWhile },
  }) as Word32;
  return scene.place.reaches(1, { watch, beforeSleep: () => "lost" });
}

Deno.test("waitSync() spins for the given time, but not beyond its timeout", () => {
  using scene = Scene.make();
  const budgets: number[] = [];
  waitSync(watched(scene, budgets), { spin: 1e6, timeout: 0 });
  waitSync(watched(scene, budgets), { spin: 0 });
  assertEquals(budgets, []);
  waitSync(watched(scene, budgets), { spin: 7 });
  assertEquals(budgets, [7000]);
  budgets.length = 0;
  const condition = { ...watched(scene, budgets), beforeSleep: () => undefined };
  scene.place.bell.word.store(0);
  assertEquals(waitSync(condition, { spin: 1e6, timeout: 50 }), "timeout");
  const spun = budgets.reduce((sum, budget) => sum + budget);
  assert(spun <= 50e6, `${budgets}`);
  assertEquals(scene.place.bell.word.load(), 0); // it did not sleep
});

Deno.test("waitSync() spins no longer than a slice at a time, and looks whether it is lost", () => {
  using scene = Scene.make();
  const budgets: number[] = [];
  const beforeSleep = () => budgets.length >= 3 ? "lost" as const : undefined;
  const condition = { ...watched(scene, budgets), beforeSleep };
  assertEquals(waitSync(condition, { spin: Infinity }), "lost");
  assert(budgets.every((budget) => budget <= SLICE_NS), `${budgets}`);
});

Deno.test("waitSync() spins for 50 us by default where two threads can run at once", () => {
  using scene = Scene.make();
  const budgets: number[] = [];
  waitSync(watched(scene, budgets));
  assertEquals(budgets, navigator.hardwareConcurrency > 1 ? [50_000] : []);
});

Deno.test("wait() spins for at most 50 us", async () => {
  using scene = Scene.make();
  const budgets: number[] = [];
  for (const spin of [0, 7, 50, 51, 1e6]) {
    await wait(watched(scene, budgets), { spin });
  }
  assertEquals(budgets, [7000, 50_000, 50_000, 50_000]);
});

Deno.test("of many waits that begin in one turn of the event loop only the first spins", async () => {
  using scene = Scene.make(2);
  const [place, other] = scene.places;
  const budgets: number[] = [];
  const reaches = (count: number) => ({
    ...watched(scene, budgets),
    beforeSleep: () => undefined,
    ready: () => place!.count.load() >= count,
  });
  const twice = async () => {
    await wait(reaches(1), { spin: 50 });
    await wait(reaches(2), { spin: 50 });
  };
  const all: Promise<unknown>[] = Array.from({ length: 20 }, twice);
  let looks = 0;
  const ready = () => ++looks > 0 && other!.count.load() >= 1;
  const both = { [CONDITIONS]: () => [other!.reaches(1, { ready }), other!.reaches(1, { ready })] };
  all.push(waitAny([both], { spin: 50 }));
  assertEquals(budgets.length, 1);
  assert(looks < 10, `${looks} looks`);
  await new Promise((resolve) => setTimeout(resolve, 0));
  const { watch } = reaches(1);
  all.push(wait(other!.reaches(1, { watch }), { spin: 50 })); // while the others sleep
  assertEquals(budgets.length, 2);
  place!.publish(); // wakes twenty, which wait again
  await eventually("they wait again", () => budgets.length > 2);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(budgets.length, 3);
  for (const { publish } of [place!, other!]) publish();
  await Promise.all(all);
});

Deno.test("waitSync() throws an OsError when the kernel refuses to sleep", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  const wrong = Object.create(bell, {
    word: { value: { address: bell.word.address + 1, or: () => 1 } },
  });
  const error = assertThrows(() => waitSync(scene.place.reaches(1, { bell: wrong })), OsError);
  assertEquals([error.syscall, error.code], ["futex", "EINVAL"]);
});

Deno.test("wait() and waitAny() throw a ClosedError when the memory closes right after the wake-up", async () => {
  for (const how of ["wait", "waitAny"]) {
    using scene = Scene.make(2);
    const { places, mapping } = scene;
    const [first, second] = places.map((place) => place.reaches(1));
    const bells = [{ bell: first!.bell, value: first!.bell.raise() }];
    const closing = reactor().park({ bells, deadline: Infinity, look: () => false })
      .then(() => mapping.close()); // one step before the other continues
    const both = { [CONDITIONS]: () => [first!, second!] };
    const waiting = how === "wait" ? wait(first!, { spin: 0 }) : waitAny([both], { spin: 0 });
    const ended = waiting.then(() => undefined, (error) => error);
    places[0]!.publish();
    await closing;
    assertIsError(await ended, ClosedError, "it was closed");
  }
});

Deno.test("until() and untilSync() end at their time also while the condition is true", async () => {
  using scene = Scene.make();
  scene.place.count.store(1);
  const waiter = { action: "take what others take", conditions: () => [scene.place.reaches(1)] };
  for (const timeout of [0, 5]) {
    const late = `Cannot take what others take: ${timeout} ms have passed`;
    assertThrows(() => untilSync(() => undefined, waiter, { timeout }), DOMException, late);
    await assertRejects(() => until(() => undefined, waiter, { timeout }), DOMException, late);
  }
});

Deno.test("until() lets the event loop turn while its attempts fail, and heeds the signal then", async () => {
  using scene = Scene.make();
  scene.place.count.store(1);
  const waiter = { action: "take what others take", conditions: () => [scene.place.reaches(1)] };
  const stop = new AbortController();
  setTimeout(() => stop.abort("enough"), 0);
  let attempts = 0;
  const attempt = () => ++attempts > 1e6 || undefined;
  const ended = await until(attempt, waiter, { signal: stop.signal }).catch((reason) => reason);
  assertEquals(ended, "enough");
});

Deno.test("until() makes its first attempt at once, but not in a handler of the same handle", async () => {
  let busy = true;
  const waiter = { action: "take", conditions: () => [], busy: () => busy };
  let attempts = 0;
  const attempt = () => ++attempts;
  const later = until(attempt, waiter);
  assertEquals(attempts, 0);
  busy = false;
  assertEquals(await later, 1);
  const atOnce = until(attempt, waiter);
  assertEquals(attempts, 2);
  await atOnce;
});
