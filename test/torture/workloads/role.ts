/**
 * A role and contenders for it. The holder counts in a way that only works alone: a load, then
 * a store. The holder is killed, stopped and continued; the next one may have the role only once
 * the holder gave it up or is dead, never while it is stopped.
 *
 * @module
 */

import { layout } from "../../../src/layout/layout.ts";
import type { Region } from "../../../src/region/region.ts";
import type { RegionType } from "../../../src/region/header.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { now, sleep } from "../../../src/os/clock.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";
import { openRegion, untilFree } from "../../region/opening.ts";

const CONTROL = layout("torture_role", {
  holder: { type: "u32", line: true, doc: "the holder of the role; 0 once it was given up" },
  count: { type: "u32", line: true, doc: "counted by the holder, without atomic additions" },
});

const KIND: RegionType = { name: "torture_role", control: CONTROL, mirrored: false };

const ROLE = 3;

const CELLS = {
  begun: 1, // countings that were about to be stored
  done: 1, // countings that were stored
  taken: 1, // how often the role was had
  inherited: 1, // after a holder that did not give it up
  outlasted: 1, // how often a holder was stopped and still had the role
};

type Contender = Actor<keyof typeof CELLS>;

/** How a role is taken: undefined if another has it. */
export type Take = (region: Region, role: number, path: string) => Disposable | undefined;

function openRoles(path: string): Region {
  return openRegion(KIND, path, { dataBytes: 4096 });
}

function pathOf(scene: { name(suffix: string): string }): string {
  return regionPath(KIND.name, scene.name("role"));
}

/** A number above 0 that no other holding has. */
function tokenOf(actor: Contender, serial: number): number {
  return ((actor.seat + 1) * 2 ** 28 + (actor.life % 2 ** 16) * 2 ** 12 + serial % 2 ** 12) >>> 0;
}

/** Has the role for a while, and counts. */
async function hold(actor: Contender, region: Region, token: number): Promise<void> {
  const { random } = actor;
  const holder = new Word32(region.mapping, CONTROL.fields.holder, region.controlOffset);
  const count = new Word32(region.mapping, CONTROL.fields.count, region.controlOffset);
  actor.count("taken");
  if (holder.exchange(token) !== 0) actor.count("inherited");
  let lastBeat = now();
  for (let turns = random.below(60); turns >= 0 && !actor.over; turns--) {
    const before = count.load();
    actor.count("begun");
    if (random.chance(0.1)) await sleep(random.between(0, 10));
    count.store(before + 1);
    actor.count("done");
    if (holder.load() !== token) break;
    if (actor.continuedAt > lastBeat) actor.count("outlasted");
    lastBeat = now();
  }
  const found = holder.compareExchange(token, 0);
  if (found !== token) actor.complain(`had the role, and so had ${found.toString(16)}`);
}

async function contend(actor: Contender, take: Take): Promise<void> {
  using region = openRoles(pathOf(actor));
  for (let serial = 0; !actor.over; serial++) {
    try {
      await untilFree(region, ROLE, { timeout: 200 });
    } catch (error) {
      if ((error as Error).name === "TimeoutError") continue;
      throw error;
    }
    using role = take(region, ROLE, pathOf(actor));
    if (role === undefined) continue;
    const token = tokenOf(actor, serial);
    actor.declare("the role", token);
    await hold(actor, region, token);
    actor.withdraw("the role", token);
  }
}

/** The workload, with a way to take roles. */
export function roleWorkload(take: Take): Workload<keyof typeof CELLS> {
  return defineWorkload({
    about: "one role, held by one actor at a time, taken over from the dead only",
    cells: CELLS,
    facts: {
      "times taken": "taken",
      "from the dead": "inherited",
      "kept while stopped": "outlasted",
    },
    wanted: { resources: ["the role"], withinMs: 5000 },
    parts: {
      contender: {
        seats: 5,
        harm: {
          steps: ["lock", "holder exchange", "count load", "count store", "holder compareExchange"],
          lifeMs: [5, 1000],
          stopMs: [2, 900],
        },
        run: (actor) => contend(actor, take),
      },
    },
    begin(scene) {
      const region = openRoles(pathOf(scene));
      const count = new Word32(region.mapping, CONTROL.fields.count, region.controlOffset);
      return {
        counts() {
          // A holder can die between a store and taking note of it: `done` is what must be there.
          const done = scene.total("done");
          const received = count.load();
          return {
            sent: done,
            received,
            lost: Math.max(0, done - received),
            duplicated: Math.max(0, received - scene.total("begun")),
          };
        },
        [Symbol.dispose]: () => region.close(),
      };
    },
  });
}

export default roleWorkload((region, role) => region.tryHold(role));
