/**
 * Reader/writer locks in which a broken peer has changed words, and files that are not locks. Code
 * that could run for ever runs in another process, with a deadline.
 */

import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { CorruptRegionError, LayoutMismatchError } from "../../src/errors.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { RW_LOCK_CONTROL } from "../../src/shared/rw_queue.ts";
import { WORDS } from "../corruption.ts";
import { processTests } from "./processes.ts";
import type { Tools } from "./rw_lock_child.ts";
import { Inside } from "./rw_lock_scene.ts";
import { Name } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./rw_lock_child.ts", import.meta.url),
  "corrupt reader/writer locks",
);

Deno.test("open() refuses a file that is not such a lock, and a lock whose tickets are used up throws", () => {
  using place = new Name();
  using lock = rwLock(place.name).open();
  const inside = new Inside(place);
  inside.set(RW_LOCK_CONTROL.fields.tickets.offset, 2n ** 51n - 2n);
  lock.writeSync().release(); // the last ticket
  for (const act of [() => lock.tryRead(), () => lock.writeSync()]) {
    assertThrows(act, CorruptRegionError, "its tickets are used up");
  }
  inside.set(RW_LOCK_CONTROL.fields.tickets.offset, 2n ** 64n - 1n);
  assertThrows(() => lock.tryRead(), CorruptRegionError, "its tickets are used up");
  assertEquals(inside.count(), 0);

  using other = new Name();
  Deno.writeFileSync(other.path("rwlock"), new Uint8Array(8192), { mode: 0o600 });
  assertThrows(() => rwLock(other.name).open(), LayoutMismatchError);
});

Deno.test("words that no correct peer stores cost a wait at most", () => {
  using place = new Name();
  using lock = rwLock(place.name).open();
  const inside = new Inside(place);
  for (const turn of [1n, 2n, 3n, 7n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    inside.setSeat(5, "turn", turn); // of a seat that nobody has
    inside.set(RW_LOCK_CONTROL.fields.seats.offset, 0xffff_ffffn);
    lock.writeSync({ timeout: 60_000 }).release();
    lock.readSync({ timeout: 60_000 }).release();
  }
});

/** Every word, with any value; one seat is held, one was, and one never was. */
const PLACES = [
  ...["tickets", "seats", "torn"].map((word) => ({ word, seat: -1 })),
  ...[0, 1, 5].flatMap((seat) => ["turn", "bell"].map((word) => ({ word, seat }))),
];

test("every word of a lock can hold anything, and costs a wait or an error", async () => {
  await using party = startProcess();
  const seen: Record<string, number> = {};
  for (const place of PLACES) {
    using name = new Name();
    const outcomes = await party.run(
      ({ rwLock, Inside, LOCK_WORDS }, { name, path, place, values }) => {
        const inside = new Inside({ path: () => path });
        const seen: string[] = [];
        for (const value of values) {
          using lock = rwLock(name).open();
          using other = rwLock(name).open();
          const held = lock.readSync(); // in seat 0
          other.readSync().release(); // has been in seat 1
          const put = () => {
            if (place.seat >= 0) inside.setSeat(place.seat, place.word as "turn", BigInt(value));
            else inside.set(LOCK_WORDS[place.word as "tickets"].offset, BigInt(value));
          };
          for (const one of [lock, other]) {
            for (const want of ["tryRead", "tryWrite", "readSync", "writeSync"] as const) {
              put();
              try {
                const permit = one[want]({ timeout: 0, spin: 0 });
                seen.push(permit === undefined ? "busy" : "inside");
                permit?.release();
              } catch (error) {
                seen.push((error as Error).name);
              }
            }
          }
          held.release();
        }
        return seen;
      },
      { name: name.name, path: name.path("rwlock"), place, values: WORDS },
    );
    for (const outcome of outcomes) seen[outcome] = (seen[outcome] ?? 0) + 1;
    const allowed = ["inside", "busy", "TimeoutError"];
    if (place.word === "tickets") allowed.push("CorruptRegionError");
    assertEquals(outcomes.filter((outcome) => !allowed.includes(outcome)), [], place.word);
  }
  assertGreater(seen.inside!, 100);
  assertGreater(seen.TimeoutError!, 100);
  assertGreater(seen.CorruptRegionError!, 10);
});
