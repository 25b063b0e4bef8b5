/** Looking at regions from outside: it changes nothing, and survives any contents. */

import { assert, assertEquals } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { VringError } from "../../src/errors.ts";
import { type Activity, activityOf } from "../../src/inspect/activity.ts";
import { holders } from "../../src/inspect/holders.ts";
import { ratesBetween } from "../../src/inspect/rates.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { observe } from "../../src/region/region_observer.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Random } from "../random.ts";

/** Opens a region of every kind, with something in it. */
function openAll(): DisposableStack {
  const stack = new DisposableStack();
  const use = <D extends Disposable>(handle: D) => stack.use(handle);
  use(spsc("ring", { capacity: 4096 }).producer()).trySend(new Uint8Array(7));
  use(mpsc("many", { capacity: 4096 }).producer()).trySend(new Uint8Array(7));
  use(topic("t", { depth: 4, size: 64, subscribers: 2 }).publisher()).trySend(new Uint8Array(7));
  use(topic("t", { depth: 4, size: 64, subscribers: 2 }).subscriber());
  use(circular("log", { capacity: 4096 }).writer()).trySend(new Uint8Array(7));
  use(domain("d", { s: {} }).open()).slots.s.writeSync(new Uint8Array(7));
  use(calls("work", { clients: 2, capacity: 4096 }).client());
  use(rwLock("lock").open()).tryWrite();
  use(sharedMemory("memory", { size: 64 }).open());
  return stack;
}

function look({ kind, name }: { kind: string; name: string }): Activity | undefined {
  using observer = observe(kind, name);
  return activityOf(observer);
}

Deno.test("looking changes no byte, for any kind of region", () => {
  using _place = namespace();
  using _open = openAll();
  for (const region of regions()) {
    const before = Deno.readFileSync(region.path);
    const activity = look(region);
    assertEquals(Deno.readFileSync(region.path), before, region.name);
    assertEquals(activity === undefined, region.kind === "shm", region.name);
  }
  assertEquals(regions().length, 8);
});

Deno.test("any contents of a region give numbers or a VringError", () => {
  using _place = namespace();
  using _open = openAll();
  const chance = new Random("activity");
  const odd = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff];
  for (const region of regions()) {
    const whole = Deno.readFileSync(region.path);
    using file = Deno.openSync(region.path, { write: true });
    for (let round = 0; round < 40; round++) {
      const bytes = whole.slice();
      const words = new Uint32Array(bytes.buffer, 0, bytes.length >>> 2);
      const from = round % 2 === 0 ? 0 : REGION_HEADER.size >>> 2;
      for (let i = 0; i < 64; i++) {
        const at = from + chance.below(Math.min(words.length, 8192) - from);
        words[at] = chance.next() < 0.5 ? odd[chance.below(odd.length)]! : chance.next() * 2 ** 32;
      }
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(bytes);
      try {
        const activity = look(region);
        for (const { backlog, room } of activity?.flows ?? []) {
          assert(backlog === undefined || room !== undefined && backlog <= room, region.name);
        }
        if (activity) ratesBetween({ activity, time: 0 }, { activity, time: 1000 });
      } catch (error) {
        assert(error instanceof VringError, `${region.name}: ${error}`);
      }
    }
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(whole); // for the handles that close
  }
});

Deno.test("holders() names the processes that hold the roles of a region", () => {
  using _place = namespace();
  using _open = openAll();
  const ring = regions().find(({ kind }) => kind === "spsc")!;
  const held = holders().get(Deno.statSync(ring.path).ino!) ?? [];
  assertEquals(held.filter(({ role }) => role === 0), [{ pid: Deno.pid, role: 0 }]);
  assertEquals(held.filter(({ role }) => role === 1), []);
});

Deno.test("rates count wrapped positions, new flows, and nothing twice", () => {
  const flow = (label: string, messages: number, bytes: number) => ({
    label,
    messages,
    bytes,
    bytesWrap: 2 ** 32,
    backlog: 0,
    room: 64,
    unit: "bytes" as const,
  });
  const base = { parties: [], lost: 5, sleepers: 0, wakeUps: 2 };
  const before = { ...base, flows: [flow("a", 10, 2 ** 32 - 16)] };
  const after = { ...base, lost: 7, wakeUps: 6, flows: [flow("a", 12, 16), flow("b", 3, 48)] };
  assertEquals(ratesBetween({ activity: before, time: 0 }, { activity: after, time: 2000 }), {
    seconds: 2,
    messages: 2.5,
    bytes: 40,
    wakeUps: 2,
    lost: 1,
  });
  const samples = (messages: number) => ({ ...flow("x", messages, 0), unit: "samples" as const });
  const two = (messages: number) => ({ ...base, flows: [samples(messages), samples(messages)] });
  const rates = ratesBetween({ activity: two(1), time: 0 }, { activity: two(4), time: 1000 });
  assertEquals(rates.messages, 3);
});
