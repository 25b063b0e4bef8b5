/**
 * Reader/writer locks between processes, of which some are killed or stopped.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { RwLock } from "../../src/shared/rw_lock.ts";
import { until } from "../os/until.ts";
import type { Party } from "./party.ts";
import { processTests } from "./processes.ts";
import type { Tools } from "./rw_lock_child.ts";
import { Name } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./rw_lock_child.ts", import.meta.url),
  "reader/writer locks",
);

/** No wait takes longer, however slow the machine. */
const PATIENT = { timeout: 60_000 };

/** Another process that is inside. */
async function startHolder(name: string, kind: "read" | "write"): Promise<Party<Tools>> {
  const holder = startProcess();
  await holder.run(({ RwLock, locks, permits }, { name, kind }) => {
    locks.push(RwLock.open(name));
    permits.push(kind === "read" ? locks[0]!.readSync() : locks[0]!.writeSync());
  }, { name, kind });
  return holder;
}

for (const kind of ["read", "write"] as const) {
  test(`who sleeps behind a process that has come in to ${kind} is let in when it is killed`, async () => {
    using place = new Name();
    await using holder = await startHolder(place.name, kind);
    using lock = RwLock.open(place.name);
    const waiting = lock.write({ ...PATIENT, spin: 0 });
    const behind = lock.read({ ...PATIENT, spin: 0 });
    holder.signal("SIGKILL");
    const permit = await waiting;
    assertEquals(permit.recovered, kind === "write");
    permit.release();
    using reader = await behind;
    assertEquals(reader.recovered, false); // a writer has been inside since
  });

  test(`a process that has come in to ${kind} keeps the lock while it is stopped`, async () => {
    using place = new Name();
    await using holder = await startHolder(place.name, kind);
    holder.signal("SIGSTOP");
    await until("it is stopped", () => holder.state === "T");
    using lock = RwLock.open(place.name);
    const error = await assertRejects(() => lock.write({ timeout: 600 }), DOMException);
    assertEquals(error.name, "TimeoutError");
    holder.signal("SIGCONT");
    await holder.run(({ permits }) => permits[0]!.release(), null);
    using permit = lock.writeSync(PATIENT);
    assertEquals(permit.recovered, false);
  });
}

test("all are told of a writer's death until another has left", async () => {
  using place = new Name();
  await using holder = await startHolder(place.name, "write");
  using lock = RwLock.open(place.name);
  await holder.kill();
  const told: boolean[] = [];
  for (const kind of ["readSync", "readSync", "writeSync", "readSync", "writeSync"] as const) {
    using permit = lock[kind](PATIENT);
    told.push(permit.recovered);
  }
  assertEquals(told, [true, true, true, false, false]);
});

test("an heir that is killed inside leaves the news to the next", async () => {
  using place = new Name();
  using lock = RwLock.open(place.name);
  for (let death = 0; death < 2; death++) {
    await using holder = await startHolder(place.name, "write");
    await holder.kill();
  }
  using permit = lock.readSync(PATIENT);
  assertEquals(permit.recovered, true);
});

test("a lock goes on when the one that clears after the dead is killed at that", async () => {
  using place = new Name();
  using lock = RwLock.open(place.name);
  for (const step of ["torn store", "turn store"]) {
    const first = await startHolder(place.name, "write");
    const waiter = startProcess({ trapped: true });
    await waiter.run(({ RwLock, locks }, name) => {
      locks.push(RwLock.open(name));
      const permit = locks[0]!.tryRead(); // takes its seat
      permit?.release();
    }, place.name);
    await first.kill();
    waiter.run(({ locks, dieBefore }, step) => {
      dieBefore(step, step === "turn store" ? 2 : 1); // the first is its own turn
      locks[0]!.readSync();
    }, step);
    assertEquals(await waiter.ended(), "SIGKILL");
    await waiter.kill();
    const permit = lock.writeSync(PATIENT);
    assertEquals(permit.recovered, true, step);
    permit.release();
  }
});
