/** The leak check finds every handle that a test leaves open, and no other. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { LeapfrogRing } from "../../src/mirror_ring/leapfrog_ring.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { observe } from "../../src/region/region_observer.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { checkLeaks, namespace, openHandles } from "../../src/testing/mod.ts";
import { Name } from "../shared/scene.ts";

/** Every kind of handle that holds memory, an open file or a lock. */
const HANDLES: Record<string, (name: string) => Disposable> = {
  "shared memory": (name) => sharedMemory(name, { size: 8, persist: true }).open(),
  "observer of region": (name) => observe("shm", name),
  "lock": (name) => rwLock(name).open(),
  "a mirror ring of": () => new MirrorRing(4096),
  "a leapfrog ring of": () => new LeapfrogRing(4096),
};
const SEMAPHORE = (name: string) => defineLock(name).open();

for (const [what, open] of [...Object.entries(HANDLES), ["lock", SEMAPHORE] as const]) {
  Deno.test(`checkLeaks() fails a test that leaves ${what} open${open === SEMAPHORE ? " (a semaphore)" : ""}`, async () => {
    using place = new Name();
    if (what.startsWith("observer")) HANDLES["shared memory"]!(place.name)[Symbol.dispose]();
    await checkLeaks(() => open(place.name)[Symbol.dispose]())();
    let left: Disposable | undefined;
    const leaky = checkLeaks(() => void (left = open(place.name)));
    const { message } = await assertRejects(leaky, VringError);
    assertMatch(
      message,
      /^Cannot pass the test: .* is open \(opened at [^)]*leaks_test\.ts:\d+:\d+\)/,
    );
    assertEquals(message.includes(what), true, message);
    left![Symbol.dispose]();
  });
}

Deno.test("checkLeaks() does not count what was open before, and passes arguments and errors on", async () => {
  using place = new Name();
  using _before = sharedMemory(place.name, { size: 8 }).open();
  const seen: string[] = [];
  await checkLeaks((text: string) => void seen.push(text))("an argument");
  assertEquals(seen, ["an argument"]);
  await assertRejects(checkLeaks(() => Promise.reject(new Error("mine"))), Error, "mine");
});

Deno.test("checkLeaks() reports the error of the test, and what it left open as the cause", async () => {
  using place = new Name();
  let left: Disposable | undefined;
  const leave = () => left = sharedMemory(place.name, { size: 8 }).open();
  const inNamespace = () => {
    using _names = namespace();
    leave();
    throw new Error("mine");
  };
  const alone = () => {
    leave();
    throw new Error("mine");
  };
  for (const test of [alone, inNamespace]) {
    const error = await assertRejects(() => checkLeaks(test)(), Error, "mine");
    assertEquals(error.message, "mine");
    assertMatch(`${error.cause}`, /^VringError: Cannot .*shared memory .* is open/);
    left![Symbol.dispose]();
  }
});

Deno.test("openHandles() lists what is open, without a line unless a check asks for it", () => {
  using place = new Name();
  const mine = () => openHandles().filter(({ path }) => path?.includes(place.name));
  const memory = sharedMemory(place.name, { size: 8 }).open();
  assertEquals(mine(), [{
    what: `shared memory "${place.name}"`,
    path: place.path("shm"),
    line: undefined,
  }]);
  memory.close();
  assertEquals(mine(), []);
});
