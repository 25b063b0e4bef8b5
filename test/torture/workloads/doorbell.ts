/**
 * Two bells and many sleepers, on threads and on event loops. Some are killed and stopped in their
 * sleep.
 *
 * The wakers of the first bell are killed and stopped too, also between their publish and their
 * ring. Nobody may sleep longer than a slice while there is something to see.
 *
 * The waker of the second bell is never harmed. It publishes a few counts as fast as it can, so that
 * they meet sleepers in every state, and then checks that all have seen them. A sleeper that is
 * still asleep then has lost a wake-up, though the end of the slice would hide it.
 *
 * @module
 */

import { layout } from "../../../src/layout/layout.ts";
import type { Region } from "../../../src/region/region.ts";
import { REGION_HEADER, type RegionType } from "../../../src/region/header.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { now, sleepSync } from "../../../src/os/clock.ts";
import { Doorbell } from "../../../src/wait/doorbell.ts";
import type { Condition, Outcome } from "../../../src/wait/condition.ts";
import type { SyncWaitOptions, WaitOptions } from "../../../src/wait/until.ts";
import { wait, waitSync } from "../../wait/outcome.ts";
import type { Harm } from "../fate.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";
import {
  awaitWatched,
  noteSleep,
  SLEEP_CELLS,
  SLEEP_FACTS,
  watchCells,
} from "../pieces/sleeping.ts";
import { openRegion } from "../../region/opening.ts";

const CONTROL = layout("torture_bell", {
  bell0: { type: "u32", line: true },
  count0: { type: "u32", line: true, doc: "what the mortal wakers have published" },
  bell1: { type: "u32", line: true },
  count1: { type: "u32", line: true, doc: "what the steady waker has published" },
});

const KIND: RegionType = { name: "torture_bell", control: CONTROL, mirrored: false };
const { bell0, count0, bell1, count1 } = CONTROL.fields;
const LANES = [{ bell: bell0, count: count0 }, { bell: bell1, count: count1 }] as const;

/** Everything begins just below its wrap. */
const FIRST_COUNT = 2 ** 32 - 100;
const FIRST_BELL = 2 ** 32 - 200;

/** The role of the steady waker; the mortal ones have 0 and 1. */
const STEADY = 2;
const WAKERS_OF = [[0, 1], [STEADY]] as const;

const STAMPS = 64;

/** How many waits an event loop has on each bell. */
const TASKS = 2;

/** The actors that the steady waker watches: two that block, and the waits of one event loop. */
const WATCHED = 2 + TASKS;

const CELLS = {
  sent: 2, // by lane
  received: 1, // counts seen, by everyone
  finished: 1, // sleepers that came to the end
  lost: 1, // counts that they had not seen then
  ...SLEEP_CELLS, // of lane 0
  bursts: 1, // of the steady waker
  ...watchCells(WATCHED), // counts, plus 1
  stampCount: STAMPS, // of lane 0: which count was published ..
  stampTime: STAMPS, // .. when
};

type Party = Actor<keyof typeof CELLS>;

/** How to sleep. */
export interface Sleep {
  waitSync(condition: Condition, options?: SyncWaitOptions): Outcome;
  wait(condition: Condition, options?: WaitOptions): Promise<Outcome>;
}

function openBells(scene: { name(suffix: string): string }): Region {
  return openRegion(KIND, regionPath(KIND.name, scene.name("bells")), {
    dataBytes: 0,
    initialise(mapping) {
      for (const { bell, count } of LANES) {
        new Word32(mapping, bell, REGION_HEADER.size).store(FIRST_BELL);
        new Word32(mapping, count, REGION_HEADER.size).store(FIRST_COUNT);
      }
    },
  });
}

/** A bell and the count that it is rung for. */
class Lane {
  readonly bell: Doorbell;
  readonly count: Word32;
  readonly #actor: Party;
  readonly #region: Region;
  readonly #number: number;

  constructor(actor: Party, region: Region, number: number) {
    const { bell, count } = LANES[number]!;
    this.bell = new Doorbell(region.mapping, bell, region.controlOffset);
    this.count = new Word32(region.mapping, count, region.controlOffset);
    this.#actor = actor;
    this.#region = region;
    this.#number = number;
  }

  /** Whether nobody is left who could publish. */
  get isOver(): boolean {
    const wakers = WAKERS_OF[this.#number]!;
    return this.#actor.over && !wakers.some((role) => this.#region.isHeld(role));
  }

  publish(): void {
    const { cells } = this.#actor;
    const published = (this.count.add(1) + 1) >>> 0;
    if (this.#number === 0) {
      const slot = published % STAMPS;
      cells.stampCount[slot]!.store(-1);
      cells.stampTime[slot]!.store(now());
      cells.stampCount[slot]!.store(published);
    }
    cells.sent[this.#number]!.add(1);
    this.bell.ring();
  }

  /** When a count was published; undefined if that was not noted, or long ago. */
  publishedAt(count: number): number | undefined {
    if (this.#number !== 0) return undefined;
    const { stampCount, stampTime } = this.#actor.cells;
    const slot = count % STAMPS;
    if (stampCount[slot]!.load() !== count) return undefined;
    const time = stampTime[slot]!.load();
    return stampCount[slot]!.load() === count ? time : undefined;
  }
}

/** Follows a count. */
class Sleeper {
  readonly lane: Lane;
  readonly condition: Condition;
  readonly #actor: Party;
  readonly #watched: number | undefined;
  readonly #bornAt = now();
  #seen: number;

  /** `watched` is the number by which the steady waker knows it. */
  constructor(actor: Party, lane: Lane, watched?: number) {
    const { bell, count } = lane;
    this.lane = lane;
    this.#actor = actor;
    this.#watched = watched;
    this.#seen = count.load();
    this.condition = {
      bell,
      watch: count,
      ready: () => count.load() !== this.#seen,
      // Lost only once the last publish is seen, too.
      beforeSleep: () => lane.isOver && count.load() === this.#seen ? "lost" : undefined,
    };
    if (watched !== undefined) actor.cells.watchedPid[watched]!.store(Deno.pid);
    this.#show();
  }

  #show(): void {
    if (this.#watched !== undefined) {
      this.#actor.cells.watched[this.#watched]!.store(this.#seen + 1);
    }
  }

  /** Takes note of how a wait ended; true if there is nothing more to wait for. */
  note(outcome: Outcome): boolean {
    const time = now();
    const before = this.#seen;
    const count = this.lane.count.load();
    const advance = (count - before) >>> 0;
    if (outcome === "lost") {
      this.#actor.count("finished");
      this.#actor.count("lost", advance);
      return true;
    }
    if (outcome === "timeout") return false;
    if (advance === 0 || advance >= 2 ** 31) {
      this.#actor.complain(`woke up for a count after ${before} and finds ${count}`);
    }
    const publishedAt = this.lane.publishedAt((before + 1) >>> 0);
    if (publishedAt !== undefined) {
      noteSleep(this.#actor, Math.max(publishedAt, this.#bornAt), time);
    }
    this.#actor.count("received", advance);
    this.#seen = count;
    this.#show();
    return false;
  }
}

/** Publishes in bursts, with breaks of all lengths; takes over from a dead waker. */
function wakeMortally(actor: Party): void {
  using region = openBells(actor);
  const { random, seat } = actor;
  using role = region.tryHold(seat);
  if (role === undefined) actor.complain("cannot have its role, though its predecessor is dead");
  const lane = new Lane(actor, region, 0);
  lane.bell.ring(); // a newcomer rings every bell of its role
  while (!actor.over) {
    for (let burst = random.small(20); burst > 0; burst--) lane.publish();
    const long = random.chance(0.02);
    sleepSync(long ? random.between(100, 600) : random.between(0, 10));
  }
}

/** Publishes a little, checks whether every watched actor has seen it, and repeats. */
function wakeSteadily(actor: Party): void {
  using region = openBells(actor);
  const { random } = actor;
  using _role = region.tryHold(STEADY);
  const lane = new Lane(actor, region, 1);
  while (!actor.over) {
    for (let burst = random.small(5); burst > 0; burst--) lane.publish();
    awaitWatched(actor, lane.count.load() + 1);
    actor.count("bursts");
    if (random.chance(0.5)) sleepSync(random.between(0, 2));
    else if (random.chance(0.01)) sleepSync(random.between(100, 600));
  }
}

/** Blocks this thread. Some of those who are mortal also give up now and then. */
function sleepBlocking(actor: Party, sleep: Sleep, options: SleeperOptions): void {
  using region = openBells(actor);
  const { lane: number, watched, impatient } = options;
  const sleeper = new Sleeper(actor, new Lane(actor, region, number), watched);
  for (;;) {
    const timeout = impatient && actor.random.chance(0.2) ? actor.random.between(0, 20) : Infinity;
    if (sleeper.note(sleep.waitSync(sleeper.condition, { timeout }))) return;
  }
}

/** The work of a sleeper. */
interface SleeperOptions {
  readonly lane: number;
  readonly watched?: number;
  readonly impatient?: boolean;
}

/** Waits for both counts, several times at once, on one event loop. */
async function dream(actor: Party, sleep: Sleep, watched?: number): Promise<void> {
  using region = openBells(actor);
  const impatient = watched === undefined;
  const tasks = LANES.flatMap((_lane, number) =>
    Array.from({ length: TASKS }, (_, task) => {
      const shown = number === 1 && watched !== undefined ? watched + task : undefined;
      const sleeper = new Sleeper(actor, new Lane(actor, region, number), shown);
      return dreamOne(actor, sleep, sleeper, impatient);
    })
  );
  await Promise.all(tasks);
}

async function dreamOne(
  actor: Party,
  sleep: Sleep,
  sleeper: Sleeper,
  impatient: boolean,
): Promise<void> {
  const { random } = actor;
  for (;;) {
    const controller = new AbortController();
    const soon = impatient && random.chance(0.2);
    const timer = soon ? setTimeout(() => controller.abort(), random.between(0, 20)) : undefined;
    try {
      const outcome = await sleep.wait(sleeper.condition, { signal: controller.signal });
      if (sleeper.note(outcome)) return;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

const WAKER_HARM: Harm = {
  steps: ["count0 add", "bell0 load", "wake"],
  lifeMs: [5, 1000],
  stopMs: [2, 900],
};

const SLEEPER_HARM: Harm = {
  steps: ["bell0 or", "bell1 or", "sleep", "count0 load", "count1 load", "control"],
  lifeMs: [5, 1000],
  stopMs: [2, 900],
};

/** The workload, with a way to sleep. */
export function doorbellWorkload(sleep: Sleep): Workload<keyof typeof CELLS> {
  return defineWorkload({
    about: "two bells, mortal wakers and mortal sleepers, nobody asleep with something to see",
    cells: CELLS,
    facts: {
      "sleepers that saw the end": "finished",
      "bursts that were watched": "bursts",
      ...SLEEP_FACTS,
    },
    parts: {
      "mortal waker": { seats: 2, harm: WAKER_HARM, run: wakeMortally },
      "steady waker": { seats: 1, run: wakeSteadily },
      "watched sleeper": {
        seats: 2,
        run: (actor) => sleepBlocking(actor, sleep, { lane: 1, watched: actor.seat }),
      },
      "watched dreamer": { seats: 1, run: (actor) => dream(actor, sleep, 2) },
      "sleeper": { seats: 1, run: (actor) => sleepBlocking(actor, sleep, { lane: 0 }) },
      "mortal sleeper": {
        seats: 2,
        harm: SLEEPER_HARM,
        run: (actor) => sleepBlocking(actor, sleep, { lane: actor.seat, impatient: true }),
      },
      "mortal dreamer": { seats: 1, harm: SLEEPER_HARM, run: (actor) => dream(actor, sleep) },
    },
    begin(scene) {
      const region = openBells(scene);
      return {
        [Symbol.dispose]: () => region.close(),
      };
    },
  });
}

export default doorbellWorkload({ waitSync, wait });
