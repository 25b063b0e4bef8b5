/**
 * What holds for every wait for a condition: one that blocks its thread, and one that leaves the
 * event loop free, with `futex_waitv` and with the scan in its place.
 */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { now } from "../../src/os/clock.ts";
import { forceScan, hasWaitv } from "../../src/os/futex.ts";
import type { Condition, Outcome } from "../../src/wait/condition.ts";
import { SLICE_NS } from "../../src/wait/sleep.ts";
import { PATIENCE, until } from "../os/until.ts";
import type { SyncWaitOptions } from "../../src/wait/until.ts";
import { Peer } from "../os/peer.ts";
import { wait, waitSync } from "./outcome.ts";
import { promptly } from "./promptly.ts";
import { Scene } from "./scene.ts";
import type { Task } from "./worker_waiter.ts";

/** Longer than any test; a wait that reaches it fails instead of blocking for ever. */
const LONG_MS = 30_000 * PATIENCE;

type Wait = (condition: Condition, options?: SyncWaitOptions) => Promise<Outcome>;

const WAYS: Record<string, { waits: Wait; scan?: boolean }> = {
  "waitSync()": { waits: (condition, options) => Promise.try(waitSync, condition, options) },
  ...hasWaitv() && { "wait(), with futex_waitv": { waits: wait } },
  "wait(), scanning": { waits: wait, scan: true },
};

/** Registers a test of each wait. */
function test(name: string, body: (waits: Wait) => Promise<void>): void {
  for (const [way, { waits, scan = false }] of Object.entries(WAYS)) {
    Deno.test(`${name}: ${way}`, async () => {
      forceScan(scan);
      try {
        await body(waits);
      } finally {
        forceScan(false);
      }
    });
  }
}

function startPeer(): Promise<Peer<Task, string>> {
  return Peer.start(new URL("./worker_waiter.ts", import.meta.url));
}

test("a wait is ready at once and leaves the bell alone when it is so already", async (waits) => {
  using scene = Scene.make();
  scene.place.count.store(5);
  for (const timeout of [0, 1, Infinity]) {
    assertEquals(await waits(scene.place.reaches(5), { timeout }), "ready");
  }
  assertEquals(scene.place.bell.word.load(), 0);
});

test("a wait ends when its time has passed, and not before", async (waits) => {
  using scene = Scene.make();
  for (const timeout of [0, 0.5, 1, 7, 20, SLICE_NS / 1e6 + 30]) {
    for (const spin of [0, 50, 1e9]) {
      const start = now();
      assertEquals(await waits(scene.place.reaches(1), { timeout, spin }), "timeout");
      assert(now() - start >= timeout * 1e6, `it was ${timeout} ms, with a spin of ${spin}`);
    }
  }
});

test("a wait refuses an invalid time", async (waits) => {
  using scene = Scene.make();
  for (const wrong of [-1, -Infinity, NaN]) {
    const condition = scene.place.reaches(1);
    await assertRejects(() => waits(condition, { timeout: wrong }), RangeError, "timeout");
    await assertRejects(() => waits(condition, { spin: wrong }), RangeError, "spin");
  }
  assertEquals(scene.place.bell.word.load(), 0);
});

for (const timeout of [LONG_MS, 2 ** 32, 1e300, Infinity]) {
  test(`a wait for up to ${timeout} ms is ready when it was rung`, async (waits) => {
    using scene = Scene.make(2);
    using peer = await startPeer();
    const published = peer.ask({ path: scene.path, act: "publish", times: 20 });
    for (let count = 1; count <= 20; count++) {
      assertEquals(await waits(scene.place.reaches(count), { timeout, spin: 0 }), "ready");
      // found before its ring, perhaps, which the publisher owes
      await until("the bell is down", () => scene.place.bell.word.load() % 2 === 0);
    }
    assertEquals(await published, "done");
  });
}

test("a wait is woken by the bell, not by the end of a slice", async (waits) => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  let count = 0;
  await promptly(async () => {
    const published = peer.ask({ path: scene.path, act: "publish", times: 1 });
    const options = { timeout: LONG_MS, spin: 0 };
    assertEquals(await waits(scene.place.reaches(++count), options), "ready");
    await published;
  });
});

test("a wait sleeps on when it is woken without enough", async (waits) => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  const rung = peer.ask({ path: scene.path, act: "ring in vain", times: 20 });
  assertEquals(await waits(scene.place.reaches(1), { timeout: LONG_MS, spin: 0 }), "ready");
  assertEquals(await rung, "done");
});

test("a wait notices within slices a message published without a ring", async (waits) => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  const published = peer.ask({ path: scene.path, act: "publish quietly" });
  assertEquals(await waits(scene.place.reaches(1), { timeout: LONG_MS, spin: 0 }), "ready");
  assertEquals(await published, "done");
});

test("a wait is lost when no peer is left that could end it, then or within slices", async (waits) => {
  using scene = Scene.make();
  for (const last of [1, 3]) {
    let looks = 0;
    const beforeSleep = () => ++looks === last ? "lost" : undefined;
    const options = { timeout: LONG_MS, spin: 0 };
    assertEquals(await waits(scene.place.reaches(1, { beforeSleep }), options), "lost");
    assertEquals(looks, last);
  }
});

test("a wait prefers ready to lost, and lost to timeout", async (waits) => {
  using scene = Scene.make();
  const { place } = scene;
  const beforeSleep = () => "lost" as const;
  assertEquals(await waits(place.reaches(1, { beforeSleep }), { timeout: 0 }), "lost");
  let looks = 0;
  const ready = () => ++looks > 1; // not at first sight
  assertEquals(await waits(place.reaches(1, { beforeSleep, ready }), { spin: 0 }), "ready");
});

test("a wait finds the last message of a dead peer", async (waits) => {
  using scene = Scene.make();
  const { place } = scene;
  const beforeSleep = () => {
    place.count.add(1); // published between the look at the counter and the look at the peer
    return "lost" as const;
  };
  assertEquals(await waits(place.reaches(1, { beforeSleep }), { spin: 0 }), "ready");
});

test("two threads that wait for each other in turn lose no wake-up", async (waits) => {
  using scene = Scene.make(2);
  using peer = await startPeer();
  const isEmulated = Deno.build.arch !== "x86_64"; // by qemu, where each takes long
  const times = isEmulated ? 100 : 1000;
  const published = peer.ask({ path: scene.path, act: "publish", times });
  const batch = times / 10;
  let [start, fewest] = [now(), Infinity]; // slices for each turn
  for (let count = 1; count <= times; count++) {
    const options = { timeout: LONG_MS, spin: 0 };
    assertEquals(await waits(scene.place.reaches(count), options), "ready");
    if (count % batch !== 0) continue;
    fewest = Math.min(fewest, (now() - start) / SLICE_NS / batch);
    start = now();
  }
  assertEquals(await published, "done");
  // Each lost wake-up would cost the rest of a slice: half of one on average. On a busy machine, qemu
  // alone takes a quarter of a slice for each turn. Others may be busy for some of the time.
  assertLess(fewest, isEmulated ? 0.4 : 0.1);
});
