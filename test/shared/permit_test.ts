/** The permits of both locks: given back once, in any way, and by no other handle. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ClosedError, VringError } from "../../src/errors.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import type { Permit } from "../../src/shared/permit.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
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
    const lock = defineLock(name).open();
    return {
      acquire: () => lock.lockSync({ timeout: 0 }),
      tryAcquire: () => lock.tryLock(),
      wait: () => lock.lock(),
      close: () => lock.close(),
      [Symbol.dispose]: () => lock.close(),
    };
  },
  "a reader/writer lock": (name) => {
    const lock = rwLock(name).open();
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

Deno.test("a semaphore lock says whether its handle holds it", () => {
  using place = new Name();
  using one = defineLock(place.name).open();
  using other = defineLock(place.name).open();
  const permit = one.lockSync();
  assertEquals([one.held, other.held, other.tryLock()], [true, false, undefined]);
  const late = () => other.lockSync({ timeout: 0 });
  assertThrows(late, DOMException, "another handle of this process holds it");
  permit.release();
  assertEquals(one.held, false);
  assertEquals(other.tryLock()?.recovered, false);
});
