import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { type RwLock, rwLock } from "../../src/shared/rw_lock.ts";
import { RW_LOCK_CONTROL } from "../../src/shared/rw_queue.ts";
import type { Permit } from "../../src/shared/permit.ts";
import { until } from "../os/until.ts";
import { Inside } from "./rw_lock_scene.ts";
import { Name } from "./scene.ts";

/** Waits that note in which order they came in. */
class Arrivals {
  readonly order: string[] = [];
  readonly #inside: Inside;
  readonly #permits = new Map<string, Permit>();

  constructor(place: Name) {
    this.#inside = new Inside(place);
  }

  /** Begins to wait, and is in the queue when this resolves. */
  async line(lock: RwLock, mode: "read" | "write", name: string): Promise<void> {
    const before = this.#inside.count();
    lock[mode]({ timeout: 60_000 }).then((permit) => {
      this.order.push(name);
      this.#permits.set(name, permit);
    });
    await until(`${name} waits`, () => this.#inside.count() === before + 1);
  }

  /** Releases one permit, and waits until so many have been acquired. */
  async leave(name: string, arrived: number): Promise<void> {
    this.#permits.get(name)!.release();
    await until(`${arrived} have acquired it`, () => this.order.length >= arrived);
  }
}

Deno.test("tryRead() lets many in, and tryWrite() one alone", () => {
  using place = new Name();
  using one = rwLock(place.name).open();
  using other = rwLock(place.name).open();
  const readers = [one.tryRead(), one.tryRead(), other.tryRead()];
  assert(readers.every((permit) => permit !== undefined && !permit.recovered));
  assertEquals([one.tryWrite(), other.tryWrite()], [undefined, undefined]);
  for (const permit of readers) permit!.release();
  const writer = other.tryWrite();
  assertEquals(writer?.recovered, false);
  assertEquals([one.tryWrite(), one.tryRead(), other.tryRead(), other.tryWrite()], [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  writer!.release();
  assertEquals(new Inside(place).count(), 0);
  assertInstanceOf(one.tryRead(), Object);
});

Deno.test("close() lets in the waiters behind the permits of the handle", async () => {
  using place = new Name();
  const first = rwLock(place.name).open();
  using second = rwLock(place.name).open();
  first.writeSync();
  first.tryRead();
  const waiting = second.write({ timeout: 60_000 });
  await until("it waits", () => new Inside(place).count() === 2);
  first.close();
  using permit = await waiting;
  assertEquals(permit.recovered, false);
});

Deno.test("read() and write() are called off by their signal, and by close()", async () => {
  using place = new Name();
  using lock = rwLock(place.name).open();
  const other = rwLock(place.name).open();
  const held = lock.writeSync();
  const controller = new AbortController();
  const aborted = assertRejects(() => other.write({ signal: controller.signal }), Error, "enough");
  const waiting = lock.read({ timeout: 60_000 });
  await until("both wait", () => new Inside(place).count() === 3);
  controller.abort(new Error("enough"));
  await aborted;
  assertEquals(new Inside(place).count(), 2);
  await assertRejects(() => other.read({ signal: controller.signal }), Error, "enough");
  const closed = assertRejects(() => other.write(), ClosedError);
  await until("both wait", () => new Inside(place).count() === 3);
  other.close();
  await closed;
  held.release();
  (await waiting).release();
  assertEquals(new Inside(place).count(), 0);
});

/** The next ticket and bell: at first, before a half of a turn or of a ticket ends, and last. */
const COUNTERS: [tickets: bigint, bell: bigint][] = [
  [0n, 0n],
  [2n ** 29n - 3n, 2n ** 31n - 2n],
  [2n ** 30n - 3n, 2n ** 32n - 2n],
  [2n ** 32n - 3n, 2n ** 32n - 1n],
  [2n ** 51n - 12n, 2n ** 32n - 2n],
];

for (const [tickets, bell] of COUNTERS) {
  Deno.test(`all come in in their order, neighbouring readers together, from ticket ${tickets} on`, async () => {
    using place = new Name();
    using lock = rwLock(place.name).open();
    using other = rwLock(place.name).open();
    const inside = new Inside(place);
    inside.set(RW_LOCK_CONTROL.fields.tickets.offset, tickets);
    for (let seat = 0; seat < 8; seat++) inside.setSeat(seat, "bell", bell);
    const arrivals = new Arrivals(place);
    await arrivals.line(lock, "write", "w1");
    await until("the first is in", () => arrivals.order.length === 1);
    await arrivals.line(other, "read", "r2");
    await arrivals.line(lock, "read", "r3");
    await arrivals.line(other, "write", "w4");
    await arrivals.line(lock, "read", "r5");
    await arrivals.line(other, "write", "w6");
    assertEquals([lock.tryRead(), lock.tryWrite()], [undefined, undefined]);
    await arrivals.leave("w1", 3);
    assertEquals(arrivals.order.slice(1).sort(), ["r2", "r3"]);
    await arrivals.leave("r2", 3);
    assertEquals(lock.tryRead(), undefined); // w4 came before
    await arrivals.leave("r3", 4);
    await arrivals.leave("w4", 5);
    await arrivals.leave("r5", 6);
    assertEquals(arrivals.order.slice(3), ["w4", "r5", "w6"]);
    await arrivals.leave("w6", 6);
    assertEquals(new Inside(place).count(), 0);
  });
}

Deno.test("a writer gets the lock though readers never leave it empty, and a reader likewise", async () => {
  for (const [crowd, single] of [["read", "write"], ["write", "read"]] as const) {
    using place = new Name();
    using lock = rwLock(place.name).open();
    using other = rwLock(place.name).open();
    let permit = await lock[crowd]();
    const came = other[single]({ timeout: 60_000 });
    let inside = false;
    const entered = came.then((permit) => {
      inside = true;
      return permit;
    });
    await until("it waits", () => new Inside(place).count() === 2);
    let turns = 0;
    while (!inside) {
      turns++;
      const next = lock[crowd]({ timeout: 60_000 }); // in line before the last one leaves
      await until("the next one waits", () => inside || new Inside(place).count() === 3);
      permit.release();
      if (turns === 1) (await entered).release();
      permit = await next;
    }
    permit.release();
    assertEquals(turns, 1);
  }
});

Deno.test("tryRead() throws a RoleTakenError when more want the lock than there are seats", () => {
  using place = new Name();
  using lock = rwLock(place.name).open();
  using other = rwLock(place.name).open();
  const permits = Array.from({ length: 128 }, () => lock.readSync());
  assertThrows(() => other.tryRead(), RoleTakenError, "128 wait for it or hold it");
  permits.pop()!.release();
  using _mine = lock.readSync(); // a handle keeps the seats that it had
  assertEquals(new Inside(place).count(), 128);
});

Deno.test("a wait whose time is up reports which process holds the lock, and for what", async () => {
  for (const [hold, state] of [["readSync", "reading"], ["writeSync", "writing"]] as const) {
    using place = new Name();
    using lock = rwLock(place.name).open();
    using other = rwLock(place.name).open();
    using _held = lock[hold]();
    const told = `Cannot write under lock "${place.name}": 0 ms have passed, and `;
    const mine = assertThrows(() => other.writeSync({ timeout: 0 }), DOMException);
    assertEquals(mine.message, `${told}this process holds it for ${state}`);
    new Inside(place).setSeat(0, "pid", 4_000_001n); // as another process would
    const theirs = await assertRejects(() => other.write({ timeout: 0 }), DOMException);
    assertEquals(theirs.message, `${told}process 4000001 holds it for ${state}`);
  }
});
