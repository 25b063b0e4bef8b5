/**
 * Semaphore locks between processes, of which some are killed or stopped and some are in C.
 */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { until } from "../os/until.ts";
import type { Party } from "./party.ts";
import { NO_PROCESS, processTests } from "./processes.ts";
import { CProgram, Name, whyNoCompiler } from "./scene.ts";
import type { Tools } from "./shared_child.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./shared_child.ts", import.meta.url),
  "semaphore locks",
);

const NO_C = NO_PROCESS ?? whyNoCompiler();

/** Another process that has the lock. */
async function startOwner(name: string, options = {}): Promise<Party<Tools>> {
  const owner = startProcess();
  await owner.run(({ defineLock, locks, permits }, { name, options }) => {
    locks.push(defineLock(name, options).open());
    permits.push(locks[0]!.lockSync());
  }, { name, options });
  return owner;
}

// ---- an owner dies ----

test("one of many waiters inherits from an owner that is killed, and all get the lock", async () => {
  using place = new Name();
  await using owner = await startOwner(place.name);
  await using stack = new AsyncDisposableStack();
  const parties = Array.from({ length: 3 }, () => stack.use(startProcess()));
  const waiting = parties.map((party, index) =>
    party.run(async ({ defineLock }, { name, sync }) => {
      const visits = Array.from({ length: 3 }, async () => {
        using lock = defineLock(name).open();
        using permit = sync ? lock.lockSync() : await lock.lock();
        return permit.recovered;
      });
      return await Promise.all(visits);
    }, { name: place.name, sync: index === 0 })
  );
  // Each of them has the semaphore open, and so is waiting or about to.
  const open = (party: Party<Tools>) =>
    [...Deno.readDirSync(`/proc/${party.pid}/fd`)].some(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${party.pid}/fd/${name}`) === place.path("sem");
      } catch {
        return false; // closed between the two
      }
    });
  await until("all wait", () => parties.every(open));
  assertEquals(place.semaphore(), 0);
  await owner.kill();
  const recovered = (await Promise.all(waiting)).flat();
  assertEquals(recovered.length, 9);
  assertEquals(recovered.filter(Boolean).length, 1);

  assertEquals(place.semaphore(), 1);
  using lock = defineLock(place.name).open();
  using other = defineLock(place.name).open();
  using permit = lock.lockSync({ timeout: 0 });
  assertEquals([permit.recovered, other.tryLock()], [false, undefined]);
});

test("Ctrl-C ends lockSync() where there is a SIGINT listener, which then runs", async () => {
  using place = new Name();
  using lock = defineLock(place.name).open();
  using _permit = lock.lockSync();
  await using party = startProcess();
  await party.run(({ defineLock, locks, under }, name) => {
    locks.push(defineLock(name).open());
    under.set(
      "heard",
      new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", () => resolve())),
    );
  }, place.name);
  const waiting = party.run(({ locks }) => locks[0]!.lockSync() && "inside", null)
    .catch((error) => `${error.name}: ${error.message}`);
  // One that arrives before the wait has begun is not for it: press again, as people do.
  const again = setInterval(() => party.signal("SIGINT"), 200);
  const ending = await waiting.finally(() => clearInterval(again));
  assertStringIncludes(ending, "AbortError: Cannot wait any longer: Ctrl-C arrived");
  await party.run(({ under }) => under.get("heard"), null);
  assertEquals(place.semaphore(), 0);
});

test("a lock whose name was unlinked is inherited by its open handles", async () => {
  using place = new Name();
  await using owner = await startOwner(place.name);
  using heir = defineLock(place.name).open();
  defineLock(place.name).unlink();
  using newcomer = defineLock(place.name).open();
  await owner.kill();
  using permit = await heir.lock({ timeout: 20_000 });
  using newPermit = newcomer.lockSync({ timeout: 0 });
  assertEquals([permit.recovered, newPermit.recovered], [true, false]);
});

test("with interop a killed owner blocks everyone, as it does in C", async () => {
  using place = new Name();
  await using owner = await startOwner(place.name, { interop: true });
  await owner.kill();
  using lock = defineLock(place.name, { interop: true }).open();
  const error = await assertRejects(() => lock.lock({ timeout: 200 }), DOMException);
  assertEquals([lock.recovers, error.name, place.semaphore()], [false, "TimeoutError", 0]);
  assertStringIncludes(error.message, "no vring program holds it");
});

test("a wait whose time is up reports which process holds the lock", async () => {
  using place = new Name();
  await using owner = await startOwner(place.name);
  using lock = defineLock(place.name).open();
  const told =
    `Cannot acquire lock "${place.name}": 20 ms have passed, and process ${owner.pid} holds it`;
  const late = await assertRejects(() => lock.lock({ timeout: 20 }), DOMException);
  assertEquals(late.message, told);
  assertThrows(() => lock.lockSync({ timeout: 20 }), DOMException, told);
});

// ---- programs in C ----

async function startC(place: Name): Promise<CProgram> {
  const program = await CProgram.start(new URL("./semaphore_peer.c", import.meta.url), [
    `/${place.name}`,
  ]);
  assertEquals(await program.ask("open"), "0");
  return program;
}

function testC(name: string, fn: () => Promise<void>): void {
  test(name, fn, NO_C);
}

testC("lock() opens the semaphore that C made, and C the one that it made", async () => {
  using made = new Name();
  using found = new Name();
  using lock = defineLock(made.name, { interop: true }).open();
  await using one = await startC(made);
  await using other = await startC(found);
  using theirs = defineLock(found.name, { interop: true }).open();
  assertEquals([await one.ask("try"), await other.ask("try")], ["0", "0"]);
  assertEquals([lock.tryLock(), theirs.tryLock()], [undefined, undefined]);
});

testC("C sees the value 0 while the lock is held, and 1 while it is not", async () => {
  using place = new Name();
  await using program = await startC(place);
  using lock = defineLock(place.name, { interop: true }).open();
  const values = [await program.ask("value")];
  const permit = lock.lockSync();
  values.push(await program.ask("value"), await program.ask("try"));
  permit.release();
  values.push(await program.ask("value"));
  assertEquals(values, ["1", "0", "EAGAIN", "1"]);
});

testC("lock() with interop waits while C holds the semaphore", async () => {
  using place = new Name();
  await using program = await startC(place);
  assertEquals([await program.ask("wait"), await program.line()], ["waits", "0"]);
  using lock = defineLock(place.name, { interop: true }).open();
  assertEquals(lock.tryLock(), undefined);
  const error = await assertRejects(() => lock.lock({ timeout: 20 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const waiting = lock.lock({ timeout: 20_000 });
  await program.ask("post");
  using permit = await waiting;
  assertEquals([permit.recovered, place.semaphore()], [false, 0]);
});

testC("sem_wait() in C waits while the lock is held, and wakes when it is released", async () => {
  using place = new Name();
  await using program = await startC(place);
  using lock = defineLock(place.name, { interop: true }).open();
  const permit = lock.lockSync();
  assertEquals(await program.ask("wait"), "waits");
  // glibc counts those who wait behind the value.
  const waiters = () =>
    new DataView(Deno.readFileSync(place.path("sem")).buffer).getUint32(4, true);
  await until("it sleeps", () => waiters() === 1 && program.state === "S");
  permit.release();
  assertEquals([await program.line(), place.semaphore()], ["0", 0]);
  assertEquals([lock.tryLock(), await program.ask("post")], [undefined, "0"]);
  using again = lock.lockSync({ timeout: 20_000 });
  assertEquals(again.recovered, false);
});

testC("without interop the lock takes what C holds for the leftover of the dead", async () => {
  using place = new Name();
  await using program = await startC(place);
  assertEquals(await program.ask("try"), "0");
  using lock = defineLock(place.name).open();
  using permit = lock.tryLock();
  assertEquals([permit?.recovered, await program.ask("value")], [true, "0"]);
});

testC("a killed owner with interop is followed once C posts for it", async () => {
  using place = new Name();
  await using program = await startC(place);
  await using owner = await startOwner(place.name, { interop: true });
  await owner.kill();
  assertEquals(await program.ask("post"), "0");
  using lock = defineLock(place.name, { interop: true }).open();
  using permit = await lock.lock({ timeout: 20_000 });
  assertEquals([permit.recovered, await program.ask("value")], [false, "0"]);
});
