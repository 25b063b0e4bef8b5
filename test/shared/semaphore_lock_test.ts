import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { LayoutMismatchError, OsError } from "../../src/errors.ts";
import * as files from "../../src/os/files.ts";
import * as semaphores from "../../src/os/semaphore.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { limit } from "../memory/limits.ts";
import { countFiles } from "../os/process_state.ts";
import { Party } from "./party.ts";
import { Name } from "./scene.ts";
import type { Tools } from "./shared_child.ts";

const PROGRAM = new URL("./shared_child.ts", import.meta.url);

function startThread(): Party<Tools> {
  return Party.start(PROGRAM, "thread");
}

/** How often a semaphore is mapped here. */
function mappings(place: Name): number {
  const { ino } = Deno.statSync(place.path("sem"));
  return mappedRanges().filter(({ inode }) => inode === ino).length;
}

// ---- names and files ----

Deno.test("lock() makes a free semaphore in the file that C makes", () => {
  using place = new Name();
  const definition = defineLock(`/${place.name}`);
  assertEquals([definition.name, place.files()], [place.name, []]);
  using lock = definition.open();
  assertEquals([lock.name, lock.recovers, lock.held], [place.name, true, false]);
  assertEquals(place.files(), [`sem.${place.name}`]);
  assertEquals(place.semaphore(), 1);
  assertEquals([definition.unlink(), definition.unlink(), lock.closed], [true, false, false]);
});

Deno.test("ready() resolves once the semaphore exists", async () => {
  using place = new Name();
  const definition = defineLock(place.name);
  const late = await assertRejects(() => definition.ready({ timeout: 0 }), DOMException);
  const told = `Cannot find lock "${place.name}", which does not exist: 0 ms have passed`;
  assertEquals([late.name, late.message], ["TimeoutError", told]);
  const ready = definition.ready();
  using _lock = definition.open();
  await ready;
});

Deno.test("lock() says that a file is too short for a semaphore", () => {
  using place = new Name();
  for (const size of [0, 5, 31]) { // of which using the first would end the process
    Deno.writeFileSync(place.path("sem"), new Uint8Array(size));
    const error = assertThrows(() => defineLock(place.name).open(), LayoutMismatchError);
    const state = `${place.path("sem")} has ${size} bytes, and a semaphore has 32`;
    assertStringIncludes(error.message, `Cannot open semaphore "${place.name}": ${state}`);
    assertEquals([countFiles(place.name), mappings(place)], [0, 0]);
  }
});

Deno.test("lock() leaves nothing open when an unexpected error ends it", () => {
  using place = new Name();
  using other = defineLock(place.name).open();
  const before = [countFiles(), mappings(place)];
  const free = files.memfd("free"); // the lowest free number
  files.close(free);
  limit("files", free + 1); // enough for the semaphore or its file, not for the next one
  try {
    const error = assertThrows(() => defineLock(place.name).open(), OsError);
    assertEquals([error.code, error.syscall], ["EMFILE", "read"]);
  } finally {
    limit("files", Infinity);
  }
  assertEquals([countFiles(), mappings(place)], before);
  assert(other.tryLock() !== undefined);
});

/** Makes a semaphore's value the largest, so that posting fails with EOVERFLOW. */
function overflow(place: Name): void {
  const file = Deno.readFileSync(place.path("sem"));
  new DataView(file.buffer).setUint32(0, 2 ** 31 - 1, true);
  Deno.writeFileSync(place.path("sem"), file);
}

Deno.test("close() gives everything back also when the semaphore cannot be posted", () => {
  using place = new Name();
  const lock = defineLock(place.name).open();
  lock.lockSync();
  overflow(place);
  assertThrows(() => lock.close(), OsError, "sem_post");
  assertEquals([countFiles(place.path("sem")), mappings(place)], [0, 0]);
});

// ---- to take and to give back ----

Deno.test("tryLock() with interop leaves the lock to others when the semaphore is taken", () => {
  using place = new Name();
  using one = defineLock(place.name, { interop: true }).open();
  using other = defineLock(place.name, { interop: true }).open();
  const stranger = semaphores.openSemaphore(place.name, 0o600); // as a program in C does
  try {
    assertEquals([one.recovers, semaphores.tryWait(stranger)], [false, 0]);
    assertEquals([one.tryLock(), one.held], [undefined, false]);
    semaphores.post(stranger);
    using permit = other.tryLock();
    assertEquals([permit?.recovered, place.semaphore()], [false, 0]);
  } finally {
    semaphores.closeSemaphore(stranger);
  }
});

// ---- to wait ----

Deno.test("lockSync() takes the lock once another thread has given it back", async () => {
  using place = new Name();
  await using owner = startThread();
  await owner.run(({ defineLock, locks, permits }, name) => {
    locks.push(defineLock(name).open());
    permits.push(locks[0]!.lockSync());
  }, place.name);
  using lock = defineLock(place.name).open();
  const given = owner.run(({ permits }) => permits[0]!.release(), null);
  using permit = lock.lockSync({ timeout: 20_000 });
  assertEquals([permit.recovered, place.semaphore()], [false, 0]);
  await given;
});

Deno.test("lock() lets one of many waiters in at a time", async () => {
  using place = new Name();
  const order: number[] = [];
  let inside = 0;
  const visit = async (visitor: number) => {
    using lock = defineLock(place.name).open();
    using permit = await lock.lock({ timeout: 20_000 });
    assertEquals([++inside, permit.recovered], [1, false]);
    await Promise.resolve();
    order.push(visitor);
    inside--;
  };
  await Promise.all(Array.from({ length: 12 }, (_, visitor) => visit(visitor)));
  assertEquals(order.sort((a, b) => a - b), Array.from({ length: 12 }, (_, i) => i));
  assertEquals(place.semaphore(), 1);
});

// ---- the name goes ----

Deno.test("lock() never locks another file than its semaphore's when names come and go", async () => {
  using place = new Name();
  await using remover = startThread();
  await remover.run(() => {}, null);
  const seen = { same: 0, other: 0, removed: 0 };
  const isEnough = () => seen.same + seen.other > 10 && seen.other > 0 && seen.removed > 10;
  for (let round = 0; round < 50 && !isEnough(); round++) { // more than one on a busy machine
    const removing = remover.run(({ semaphores }, name) => {
      let removed = 0;
      for (const end = performance.now() + 400; performance.now() < end; removed++) {
        semaphores.unlinkSemaphore(name);
        semaphores.closeSemaphore(semaphores.openSemaphore(name, 0o600));
      }
      return removed;
    }, place.name);
    for (const end = performance.now() + 380; performance.now() < end;) {
      using one = defineLock(place.name).open();
      using _permit = one.lockSync({ timeout: 0 });
      using second = defineLock(place.name).open();
      // With its lock on the one file and its semaphore in the other it would inherit from the living.
      using permit = second.tryLock();
      seen[permit === undefined ? "same" : "other"]++;
      assertNotEquals(permit?.recovered, true);
    }
    seen.removed += await removing;
  }
  assert(isEnough(), JSON.stringify(seen));
});

// ---- a Worker ends ----

Deno.test("a lock is recovered once its owner's Worker was terminated", async () => {
  using place = new Name();
  await using owner = startThread();
  await owner.run(({ defineLock, locks, permits }, name) => {
    locks.push(defineLock(name).open());
    permits.push(locks[0]!.lockSync());
  }, place.name);
  using lock = defineLock(place.name).open();
  assertEquals(lock.tryLock(), undefined);
  await owner.kill();
  using permit = await lock.lock({ timeout: 20_000 });
  assertEquals(permit.recovered, true);
  permit.release();
  assertEquals([place.semaphore(), lock.lockSync({ timeout: 0 }).recovered], [1, false]);
});
