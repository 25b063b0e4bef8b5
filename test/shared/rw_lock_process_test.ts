/**
 * Reader/writer locks between processes, of which some are killed or stopped.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RwLock } from "../../src/shared/rw_lock.ts";
import { SharedMemory } from "../../src/shared/shared_memory.ts";
import { until } from "../os/until.ts";
import type { Party } from "./party.ts";
import { type Death, deathsAt, diedIn, inPairs, NO_DEATH, processTests } from "./processes.ts";
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

/** Comes in to read and then to write; gives its steps. */
function visit(
  { RwLock, dieBefore, spring, stepsOf }: Tools,
  { name, step, time }: { name: string } & Death,
): string[] {
  using lock = RwLock.open(name);
  dieBefore(step, time);
  return stepsOf(() => {
    for (const permit of [() => lock.readSync(), () => lock.writeSync()]) {
      const held = permit();
      spring("inside");
      held.release();
    }
    lock.close();
  });
}

test("the lock goes on when one who reads or writes is killed before any step of that", async () => {
  /** In what order the words of the one that dies change: the fourth change makes it a writer. */
  const WRITES = 4;
  const outlive = async (death: Death, told: boolean) => {
    using place = new Name();
    using lock = RwLock.open(place.name);
    await using holder = startProcess({ trapped: true });
    const visiting = holder.run(visit, { name: place.name, ...death });
    const died = await diedIn(holder, visiting);
    const at = `before ${death.step}, ${death.time}`;
    for (const want of ["read", "write"] as const) {
      using permit = await lock[want](PATIENT);
      assertEquals(permit.recovered, told, at);
    }
    using last = lock.tryRead(); // nothing is left that is in the way
    assertEquals(last?.recovered, false, at);
    return died ? [] : await visiting;
  };
  const steps = await outlive(NO_DEATH, false);
  assert(steps.includes("inside") && steps.includes("tickets compareExchange"), `${steps}`);
  // Before a step that only looks nothing has changed since the one before it.
  const deaths = [...deathsAt(steps).entries()].filter(([, { step }]) => !step.endsWith(" load"));
  await inPairs(deaths, async ([at, death]) => {
    const changes = steps.slice(0, at).filter((step) => step === "turn store").length;
    assertEquals(await outlive(death, changes === WRITES), [], `${death.step} did not come`);
  });
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

test("writers are alone and readers see whole states while processes are killed", async () => {
  using place = new Name();
  using memory = SharedMemory.open(place.name, { size: 32 });
  using _kept = RwLock.open(place.name);
  const words = memory.as(Uint32Array);
  const live = (party: Party<Tools>, writes: boolean) =>
    party.run(({ RwLock, SharedMemory }, { name, writes }) => {
      using memory = SharedMemory.connect(name);
      using lock = RwLock.open(name);
      const words = memory.as(Uint32Array);
      for (;;) {
        if (writes) {
          using permit = lock.writeSync();
          if (words[0] !== words[1] && !permit.recovered) return `wrote on ${words}`;
          const next = words[0]! + 1;
          words[0] = next;
          for (let i = 0; i < 500; i++) words[2] = i;
          words[1] = next;
        } else {
          using permit = lock.readSync();
          const before = words[0]!;
          for (let i = 0; i < 500; i++) void words[2];
          const whole = words[0] === before && words[1] === before;
          if (words[0] !== before || !whole && !permit.recovered) return `read ${words}`;
          words[3]!++; // of no use, but to see that readers come in
        }
      }
    }, { name: place.name, writes }).catch((error) => error.name);
  let killed = 0;
  const seat = async (writes: boolean) => {
    for (let life = 0; life < 4; life++) {
      await using party = startProcess();
      const ending = live(party, writes);
      const at = writes ? 0 : 3;
      const visits = words[at]!;
      await until("the lock is used", () => words[at]! > visits + 3);
      await party.kill();
      assertEquals(await ending, "PartyEnded");
      killed++;
    }
  };
  await Promise.all([seat(true), seat(true), seat(false)]);
  using lock = RwLock.open(place.name);
  lock.writeSync(PATIENT).release();
  assert(words[0]! > 0);
  assertEquals(killed, 12);
});
