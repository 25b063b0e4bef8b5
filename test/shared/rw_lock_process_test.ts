/**
 * Reader/writer locks between processes, of which some are killed or stopped.
 */

import { assertEquals } from "@std/assert";
import { rwLock } from "../../src/shared/rw_lock.ts";
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
async function startHolder(name: string, mode: "read" | "write"): Promise<Party<Tools>> {
  const holder = startProcess();
  await holder.run(({ rwLock, locks, permits }, { name, mode }) => {
    locks.push(rwLock(name).open());
    permits.push(mode === "read" ? locks[0]!.readSync() : locks[0]!.writeSync());
  }, { name, mode });
  return holder;
}

test("every permit reports a writer's death until another writer has left", async () => {
  using place = new Name();
  await using holder = await startHolder(place.name, "write");
  using lock = rwLock(place.name).open();
  await holder.kill();
  const told: boolean[] = [];
  for (const mode of ["readSync", "readSync", "writeSync", "readSync", "writeSync"] as const) {
    using permit = lock[mode](PATIENT);
    told.push(permit.recovered);
  }
  assertEquals(told, [true, true, true, false, false]);
});

test("an heir that is killed inside leaves the news to the next", async () => {
  using place = new Name();
  using lock = rwLock(place.name).open();
  for (let death = 0; death < 2; death++) {
    await using holder = await startHolder(place.name, "write");
    await holder.kill();
  }
  using permit = lock.readSync(PATIENT);
  assertEquals(permit.recovered, true);
});
