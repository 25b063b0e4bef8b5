/** The permits of both locks: given back once, in any way, and by no other handle. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import { RwLock } from "../../src/shared/rw_lock.ts";
import { type Permit, SemaphoreLock } from "../../src/shared/semaphore_lock.ts";
import { Name } from "./scene.ts";

/** A handle of either lock. */
interface Lock extends Disposable {
  acquire(): Permit;
  tryAcquire(): Permit | undefined;
  wait(): Promise<Permit>;
  close(): void;
}

const LOCKS: Record<string, (name: string) => Lock> = {
  "a semaphore lock": (name) => {
    const lock = new SemaphoreLock(name);
    return {
      acquire: () => lock.acquireSync({ timeout: 0 }),
      tryAcquire: () => lock.tryAcquire(),
      wait: () => lock.acquire(),
      close: () => lock.close(),
      [Symbol.dispose]: () => lock.close(),
    };
  },
  "a reader/writer lock": (name) => {
    const lock = RwLock.open(name);
    return {
      acquire: () => lock.writeSync({ timeout: 0 }),
      tryAcquire: () => lock.tryWrite(),
      wait: () => lock.write(),
      close: () => lock.close(),
      [Symbol.dispose]: () => lock.close(),
    };
  },
};

for (const [what, open] of Object.entries(LOCKS)) {
  Deno.test(`a permit of ${what} is given back once, by release() or by using`, () => {
    using place = new Name();
    using lock = open(place.name);
    using other = open(place.name);
    using permit = lock.acquire();
    assertEquals([permit.recovered, lock.tryAcquire(), other.tryAcquire()], [
      false,
      undefined,
      undefined,
    ]);
    permit.release();
    const twice = assertThrows(() => permit.release(), VringError);
    assertStringIncludes(twice.message, "this permit was already released");
    {
      using next = lock.acquire();
      permit[Symbol.dispose](); // which must not give back the next permit
      assertThrows(() => permit.release(), VringError);
      assertEquals([next.recovered, other.tryAcquire()], [false, undefined]);
    }
    assertEquals(other.tryAcquire()?.recovered, false);
  });

  Deno.test(`close() of ${what} gives back what is held, and every call throws then`, async () => {
    using place = new Name();
    using other = open(place.name);
    const lock = open(place.name);
    const permit = lock.acquire();
    lock.close();
    lock.close();
    assertThrows(() => permit.release(), VringError);
    permit[Symbol.dispose]();
    const next = other.tryAcquire();
    assertEquals([next?.recovered, other.tryAcquire()], [false, undefined]);
    for (const call of [() => lock.tryAcquire(), () => lock.acquire()]) {
      const error = assertThrows(call, ClosedError);
      assertStringIncludes(error.message, `lock "${place.name}": it is closed`);
    }
    await assertRejects(() => lock.wait(), ClosedError);
  });
}

Deno.test("release() of a semaphore lock gives back only what its handle holds", () => {
  using place = new Name();
  using one = new SemaphoreLock(place.name);
  using other = new SemaphoreLock(place.name);
  const permit = one.acquireSync();
  const error = assertThrows(() => other.release(), VringError);
  assertStringIncludes(error.message, "this handle does not hold it");
  assertEquals([one.held, other.held, other.tryAcquire()], [true, false, undefined]);
  one.release();
  assertEquals(one.held, false);
  assertThrows(() => permit.release(), VringError);
  assertEquals(other.tryAcquire()?.recovered, false);
});
