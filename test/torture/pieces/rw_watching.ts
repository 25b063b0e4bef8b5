/**
 * A reader/writer lock among a few actors that are never harmed: a release wakes the waiters that
 * can acquire it. The slices of the waits would hide a lost wake-up, so the keeper checks after its
 * release whether the waiters are asleep (sleeping.ts).
 *
 * @module
 */

import { sleep, sleepSync } from "../../../src/os/clock.ts";
import { type RwLock, rwLock } from "../../../src/shared/rw_lock.ts";
import type { Actor, Scene } from "../workload.ts";
import type { Cells } from "../ledger.ts";
import { awaitWatched, watchCells } from "./sleeping.ts";

/** One on a thread and one on an event loop. */
export const WATCHED = 2;

export const WATCH_CELLS = {
  round: 1, // times that the keeper acquired it; changed only while it holds it
  ...watchCells(WATCHED), // the round in which each held it last
};

/** The needs of these actors. */
interface Party extends Pick<Actor, "name" | "random" | "seat" | "over" | "complain"> {
  readonly cells: Cells<keyof typeof WATCH_CELLS>;
}

/** The lock that only these use. */
export function openWatched(scene: Pick<Scene, "name">): RwLock {
  return rwLock(scene.name("watched")).open();
}

/** Holds the lock until the others wait, releases it, and checks that they acquire it. */
export function keep(actor: Party): void {
  using lock = openWatched(actor);
  const { random, cells } = actor;
  while (!actor.over) {
    const permit = lock.writeSync();
    const round = cells.round[0]!.add(1) + 1;
    sleepSync(random.skewed(0.1, 20));
    permit.release();
    awaitWatched(actor, round);
  }
}

/** Acquires the lock once in each round, to read or to write. */
export async function come(actor: Party): Promise<void> {
  using lock = openWatched(actor);
  const { random, cells, seat } = actor;
  const shown = cells.watched[seat]!;
  cells.watchedPid[seat]!.store(Deno.pid);
  let seen = 0;
  while (!actor.over) {
    if (cells.round[0]!.load() === seen) {
      await sleep(0.5);
      continue;
    }
    const toWrite = random.chance(0.5);
    using _permit = seat === 0
      ? toWrite ? lock.writeSync() : lock.readSync()
      : await (toWrite ? lock.write() : lock.read());
    if (random.chance(0.1)) sleepSync(random.skewed(0.1, 10));
    seen = cells.round[0]!.load();
    shown.store(seen);
  }
}
