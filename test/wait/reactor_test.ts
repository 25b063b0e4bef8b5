import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import { now } from "../../src/os/clock.ts";
import { forceScan, hasWaitv, VECTOR_LIMIT } from "../../src/os/futex.ts";
import { SLICE_NS } from "../../src/wait/sleep.ts";
import type { Outcome } from "../../src/wait/condition.ts";
import { Peer } from "../os/peer.ts";
import { isMapped } from "../os/process_state.ts";
import { until, within } from "../os/until.ts";
import { wait } from "./outcome.ts";
import { promptly } from "./promptly.ts";
import { Scene } from "./scene.ts";
import type { Task } from "./worker_waiter.ts";

/** A thousand, but under qemu fewer, as each takes long there. */
const MANY = Deno.build.arch === "x86_64" ? 1000 : 300;

if (!hasWaitv()) console.log("NOT TESTED: futex_waitv, as this kernel has none; only the scan is");

/** Every test runs with futex_waitv, where the kernel has it, and with the scan instead. */
function test(name: string, body: () => Promise<void>): void {
  for (const scan of hasWaitv() ? [false, true] : [true]) {
    Deno.test(`${name}, ${scan ? "scanning" : "with futex_waitv"}`, async () => {
      forceScan(scan);
      try {
        await body();
      } finally {
        forceScan(false);
      }
    });
  }
}

function startPeer(): Promise<Peer<Task, string>> {
  return Peer.start(new URL("./worker_waiter.ts", import.meta.url));
}

/** Lets the event loop turn, so that waits which were begun are asleep or about to be. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The state of a promise at this moment. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]).catch(() => null) !== pending;
}

const QUIET = { spin: 0 };

test("wait() leaves it to the thread to look at a word that tells all, for some slices", async () => {
  using scene = Scene.make();
  const { place } = scene;
  let looks = 0;
  const waiting = (count: number) => {
    const condition = place.reaches(count);
    const ready = () => ++looks > 0 && condition.ready();
    return wait({ ...condition, ready, watchTellsAll: true }, QUIET);
  };
  let awaited = waiting(1);
  await turn();
  const [start, before] = [now(), looks];
  await new Promise((resolve) => setTimeout(resolve, 2.5 * SLICE_NS / 1e6));
  const mayLook = Math.ceil((now() - start) / SLICE_NS / 8);
  assert(looks - before <= mayLook, `${looks - before} looks, ${mayLook} times 8 slices`);
  for (let count = 1;; count++) { // the thread sees it by itself, in one of these at least
    const added = now();
    place.count.add(1); // and nobody rings
    assertEquals(await within("the wait", awaited), "ready");
    if (now() - added < 4 * SLICE_NS) break;
    assert(count < 6, "it was seen only when the thread came back");
    awaited = waiting(count + 1);
    await turn();
  }
});

Deno.test("wait() looks by itself where one of many has more to see than a word", async () => {
  using scene = Scene.make(2);
  const [first, second] = scene.places;
  const looked = Promise.withResolvers<void>();
  let looks = 0;
  const ready = () => {
    if (++looks > 3) looked.resolve();
    return first!.reaches(1).ready();
  };
  const waits = [
    wait({ ...first!.reaches(1), ready }, QUIET),
    wait({ ...second!.reaches(1), watchTellsAll: true }, QUIET),
  ];
  await within("the looks", looked.promise);
  for (const place of [first!, second!]) place.publish();
  assertEquals(await Promise.all(waits), ["ready", "ready"]);
});

Deno.test("an error of a look at the end of a slice reaches only the wait that looked", async () => {
  using scene = Scene.make();
  const { bell, watch } = scene.place.reaches(1);
  const looks = { broken: 0, other: 0 };
  const broken = wait({
    bell,
    watch,
    ready: () => {
      if (++looks.broken > 2) throw new RangeError("broken");
      return false;
    },
  }, QUIET);
  const other = wait({ bell, watch, ready: () => ++looks.other > 4 }, QUIET);
  await assertRejects(() => broken, RangeError, "broken");
  assertEquals(await other, "ready");
});

Deno.test("wait() keeps the value that a look at the end of a slice took, even if a signal aborts then", async () => {
  using scene = Scene.make();
  const { bell, watch } = scene.place.reaches(1);
  const abort = new AbortController();
  let asleep = false;
  let taken = 0;
  const taking = wait({
    bell,
    watch,
    ready: () => asleep && ++taken > 0,
  }, { ...QUIET, signal: abort.signal });
  const ready = () => {
    if (taken > 0) abort.abort(); // in the same turn, before the other one continues
    return taken > 0;
  };
  const aborting = wait({ bell, watch, ready }, QUIET);
  await turn();
  asleep = true;
  assertEquals([await taking, await aborting, taken], ["ready", "ready", 1]);
});

test("wait() joins sleeping waits without waiting for the end of a slice", async () => {
  using scene = Scene.make(2);
  const [idle, busy] = scene.places;
  const sleeping = wait(idle!.reaches(1), QUIET);
  let count = 0;
  await promptly(async () => {
    await turn(); // the thread is asleep on the first alone
    const waiting = wait(busy!.reaches(++count), QUIET);
    await turn();
    busy!.publish();
    assertEquals(await within("the wait", waiting), "ready");
  });
  idle!.publish();
  assertEquals(await within("the other", sleeping), "ready");
});

test("wait() with a deadline joins sleeping waits that have none", async () => {
  using scene = Scene.make(2);
  const [idle, busy] = scene.places;
  const sleeping = wait(idle!.reaches(1), QUIET);
  await promptly(async () => {
    await turn();
    assertEquals(await wait(busy!.reaches(1), { timeout: 5, ...QUIET }), "timeout");
  });
  idle!.publish();
  assertEquals(await within("the other", sleeping), "ready");
});

test("wait() notices within slices a message published without a ring", async () => {
  using scene = Scene.make(MANY);
  const idle = scene.places.slice(1).map((place) => wait(place.reaches(1), QUIET));
  const start = now();
  const waiting = wait(scene.place.reaches(1), QUIET);
  await turn();
  scene.place.count.add(1);
  assertEquals(await within("the wait", waiting), "ready");
  assertLess(now() - start, 40 * SLICE_NS);
  for (const place of scene.places.slice(1)) place.publish();
  await within("the others", Promise.all(idle));
});

test("wait() rejects with its condition's error, and others wait on", async () => {
  using scene = Scene.make(2);
  const [broken, sound] = scene.places;
  let looks = 0;
  const ready = () => {
    if (++looks > 2) throw new Error("a peer wrote nonsense");
    return false;
  };
  const failing = wait(broken!.reaches(1, { ready }), QUIET);
  const waiting = wait(sound!.reaches(1), QUIET);
  await turn();
  broken!.publish();
  await assertRejects(() => within("it", failing), Error, "nonsense");
  assertEquals(await isSettled(waiting), false);
  sound!.publish();
  assertEquals(await within("the other", waiting), "ready");
});

test("wait() rejects with the reason of a signal that is aborted, even when it is ready", async () => {
  using scene = Scene.make();
  scene.place.count.store(1);
  const reason = new Error("not any more");
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() => wait(scene.place.reaches(1), { signal }));
  assertEquals(error, reason);
});

test("wait() rejects with the reason of a signal that aborts meanwhile, promptly", async () => {
  using scene = Scene.make(2);
  const other = wait(scene.places[1]!.reaches(1), QUIET);
  await promptly(async () => {
    const reason = new Error("not any more");
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = wait(scene.place.reaches(1), { signal, ...QUIET });
    await turn();
    controller.abort(reason);
    assertEquals(await assertRejects(() => within("it", waiting)), reason);
  });
  assertEquals(await isSettled(other), false);
  scene.places[1]!.publish();
  assertEquals(await within("the other", other), "ready");
});

test("wait() rejects promptly when the signal aborts in the turn in which it began", async () => {
  await promptly(async () => {
    using scene = Scene.make();
    const controller = new AbortController();
    const waiting = wait(scene.place.reaches(1), { signal: controller.signal, ...QUIET });
    controller.abort();
    const error = await assertRejects(() => within("it", waiting), DOMException);
    assertEquals(error.name, "AbortError");
  });
});

test("wait() rejects with a TimeoutError of the signal, unlike its own timeout", async () => {
  using scene = Scene.make();
  const options = { signal: AbortSignal.timeout(5), ...QUIET };
  const error = await assertRejects(() => wait(scene.place.reaches(1), options), DOMException);
  assertEquals(error.name, "TimeoutError");
});

test("wait() leaves no listener on a signal that outlives it", async () => {
  using scene = Scene.make();
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
  assertEquals(await wait(scene.place.reaches(1), { signal, timeout: 5, ...QUIET }), "timeout");
  assertEquals(listening, 0);
});

test("closing the memory ends its waits with a ClosedError, promptly", async () => {
  using other = Scene.make();
  const waitingElsewhere = wait(other.place.reaches(1), QUIET);
  await promptly(async () => {
    using scene = Scene.make(3);
    const waits = scene.places.map((place) => wait(place.reaches(1), QUIET));
    await turn();
    scene.mapping.close();
    for (const waiting of waits) {
      await assertRejects(() => within("it", waiting), ClosedError, "closed");
    }
    assertEquals(isMapped(scene.mapping.address), false);
  });
  assertEquals(await isSettled(waitingElsewhere), false);
  other.place.publish();
  assertEquals(await within("the other", waitingElsewhere), "ready");
});

test("closing the memory in the turn in which a wait began ends it promptly", async () => {
  await promptly(async () => {
    using scene = Scene.make();
    const waiting = wait(scene.place.reaches(1), QUIET);
    scene.mapping.close();
    await assertRejects(() => within("it", waiting), ClosedError);
    assertEquals(isMapped(scene.mapping.address), false);
  });
});

test("closing the memory when one wait is over ends the others with a ClosedError", async () => {
  using scene = Scene.make();
  const closing = wait(scene.place.reaches(1), QUIET).then((outcome) => {
    scene.mapping.close();
    return outcome;
  });
  const others = [2, 3].map((count) => wait(scene.place.reaches(count), QUIET));
  await turn();
  scene.place.publish(); // all are woken, and the first closes before the others look again
  assertEquals(await within("the first", closing), "ready");
  for (const other of others) await assertRejects(() => within("it", other), ClosedError);
});

test("wait() on memory that is closed already rejects with a ClosedError", async () => {
  const scene = Scene.make();
  const awaited = scene.place.reaches(1, { ready: () => false });
  scene[Symbol.dispose]();
  await assertRejects(() => wait(awaited, QUIET), ClosedError);
});

test(`${MANY} waits on as many words end one by one`, async () => {
  using scene = Scene.make(MANY);
  const done: number[] = [];
  const waits = scene.places.map((place, i) =>
    wait(place.reaches(1), QUIET).then((outcome) => (done.push(i), outcome))
  );
  await turn();
  const first = [0, 1, 126, 127, 128, 129, 200, MANY - 1];
  for (const index of first) {
    scene.places[index]!.publish();
    assertEquals(await within(`wait ${index}`, waits[index]!), "ready");
  }
  assertEquals(done, first);
  for (const place of scene.places) if (place.count.load() === 0) place.publish();
  const outcomes = await within("the others", Promise.all(waits));
  assertEquals(outcomes, Array<Outcome>(MANY).fill("ready"));
  assertEquals(new Set(done).size, MANY);
});

test(`${MANY} waits on one word end by one ring`, async () => {
  using scene = Scene.make();
  const waits = Array.from({ length: MANY }, () => wait(scene.place.reaches(1), QUIET));
  await turn();
  scene.place.publish();
  const outcomes = await within("all of them", Promise.all(waits));
  assertEquals(outcomes, Array<Outcome>(MANY).fill("ready"));
});

test(`${MANY} waits give timeout, each at its time`, async () => {
  using scene = Scene.make(MANY);
  const start = now();
  const order: number[] = [];
  const timeouts = scene.places.map((_, i) => 30 + (i * 7) % 40);
  const waits = scene.places.map(async (place, i) => {
    const outcome = await wait(place.reaches(1), { timeout: timeouts[i]!, ...QUIET });
    assert(now() - start >= timeouts[i]! * 1e6);
    order.push(timeouts[i]!);
    return outcome;
  });
  const outcomes = await within("all of them", Promise.all(waits));
  assertEquals(outcomes, Array<Outcome>(MANY).fill("timeout"));
  assertEquals(order.length, MANY);
});

test(`${MANY} waits end when their signal aborts`, async () => {
  using scene = Scene.make(MANY);
  const controller = new AbortController();
  const { signal } = controller;
  const waits = scene.places.map((place) => wait(place.reaches(1), { signal, ...QUIET }));
  const settled = Promise.allSettled(waits);
  await turn();
  controller.abort();
  const reasons = (await within("all of them", settled)).map((result) =>
    result.status === "rejected" && result.reason.name
  );
  assertEquals(reasons, Array(MANY).fill("AbortError"));
});

for (const count of [VECTOR_LIMIT - 2, VECTOR_LIMIT - 1, VECTOR_LIMIT, VECTOR_LIMIT + 1]) {
  test(`wait() is right for each of ${count} words`, async () => {
    using scene = Scene.make(count);
    const waits = scene.places.map((place) => wait(place.reaches(1), QUIET));
    await turn();
    for (const index of [count - 1, 0, count - 2]) {
      scene.places[index]!.publish();
      assertEquals(await within(`wait ${index}`, waits[index]!), "ready");
    }
    for (const place of scene.places.slice(1, -2)) place.publish();
    await within("the others", Promise.all(waits));
  });
}

test(`the event loop stays live while ${MANY} wait`, async () => {
  using scene = Scene.make(MANY);
  const waits = scene.places.map((place) => wait(place.reaches(1), QUIET));
  let ticks = 0;
  const interval = setInterval(() => ticks++, 10);
  try {
    await until("the interval has ticked 40 times", () => ticks >= 40);
    assertEquals(await isSettled(Promise.race(waits)), false);
  } finally {
    clearInterval(interval);
    for (const place of scene.places) place.publish();
    await within("all of them", Promise.all(waits));
  }
});

test("waits of several Workers on one word all end by one ring", async () => {
  using scene = Scene.make(2);
  using stack = new DisposableStack();
  const waits: Promise<string>[] = [wait(scene.place.reaches(1), QUIET)];
  for (const act of ["wait", "wait sync", "wait"] as const) {
    const peer = stack.use(await startPeer());
    waits.push(peer.ask({ path: scene.path, act, count: 1, spin: 0 }));
  }
  await until("somebody waits", () => scene.place.bell.word.load() % 2 === 1);
  scene.place.publish();
  assertEquals(await Promise.all(waits), Array(4).fill("ready"));
});

test("waits that were over leave nothing under way and nothing mapped", async () => {
  const addresses = new Set<number>();
  for (let i = 0; i < 100; i++) {
    using scene = Scene.make(2);
    addresses.add(scene.mapping.address);
    const waits = scene.places.map((place) => wait(place.reaches(1), QUIET));
    if (i % 3 === 0) await turn();
    for (const place of scene.places) place.publish();
    await within("the waits", Promise.all(waits));
  }
  assertGreater(addresses.size, 0);
  assertEquals([...addresses].filter(isMapped), []);
});
