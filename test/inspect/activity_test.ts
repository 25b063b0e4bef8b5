/** Looking at regions from outside: it changes nothing, and survives any contents. */

import { assert, assertEquals } from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { type Activity, activityOf } from "../../src/inspect/activity.ts";
import { holders } from "../../src/inspect/holders.ts";
import { ratesBetween } from "../../src/inspect/rates.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { observe } from "../../src/region/region_observer.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { Random } from "../random.ts";
import { openAll, scribbler } from "./regions.ts";

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
  for (const region of regions()) {
    using scribbled = scribbler(region.path, chance);
    for (let round = 0; round < 40; round++) {
      scribbled.again(round % 2 === 0 ? 0 : REGION_HEADER.size);
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
