/**
 * The semaphore as a lock: held by one, inherited once from each of the dead, and with one permit
 * in the end.
 *
 * @module
 */

import { LockFile } from "../../../src/region/liveness.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import * as semaphores from "../../../src/os/semaphore.ts";
import { lock as defineLock } from "../../../src/shared/semaphore_lock.ts";
import { last, makeMemory, mapMemory, type Scenario, scenarios } from "../scenario.ts";

const NAME = "lock";
const NAMES = ["first", "second", "third"] as const;

/** The observations of a visit. */
interface Visit {
  /** The parties marked as inside together with this one; each must be dead. */
  readonly met: readonly string[];
  readonly recovered: boolean;
}

/** Marks itself as inside, and looks who else is. */
function look(number: number): string[] {
  const memory = mapMemory("shared");
  const inside = NAMES.map((path, i) => new Word32(memory, { path, offset: 64 * i }));
  inside[number]!.store(1);
  const met = NAMES.filter((_, i) => i !== number && inside[i]!.load() === 1);
  inside[number]!.store(0);
  return met;
}

/** Opens the lock, is inside once, and closes it. */
function visitor(number: number, options: { interop?: boolean } = {}): () => Visit {
  return () => {
    using lock = defineLock(NAME, options).open();
    using permit = lock.lockSync();
    return { met: look(number), recovered: permit.recovered };
  };
}

/** Waits as a program does that has an event loop, and gives up the permit by itself. */
function asyncVisitor(number: number): () => Promise<Visit> {
  return async () => {
    using lock = defineLock(NAME).open();
    const permit = await lock.lock();
    const met = look(number);
    permit.release();
    return { met, recovered: permit.recovered };
  };
}

/** A program in C: it knows nothing of record locks. */
function stranger(number: number): () => Visit {
  return () => {
    const semaphore = semaphores.openSemaphore(NAME, 0o600);
    while (semaphores.tryWait(semaphore) !== 0) sleepSync(1);
    const met = look(number);
    semaphores.post(semaphore);
    semaphores.closeSemaphore(semaphore);
    return { met, recovered: false };
  };
}

/** Comes when all are gone: takes the lock, and finds how many permits there are in the end. */
const finale = last(() => {
  using lock = defineLock(NAME).open();
  const permit = lock.tryLock();
  if (permit === undefined) return { free: false };
  using other = defineLock(NAME).open();
  const isExclusive = other.tryLock() === undefined;
  permit.release();
  const semaphore = semaphores.openSemaphore(NAME, 0o600);
  let permits = 0;
  while (semaphores.tryWait(semaphore) === 0) permits++;
  return { free: true, recovered: permit.recovered, isExclusive, permits };
});

const check: Scenario["check"] = ({ results, dead }) => {
  const { last, ...visits } = results as Record<string, Visit | undefined> & {
    last?: { free: boolean; recovered?: boolean; isExclusive?: boolean; permits?: number };
  };
  let recovered = last?.recovered ? 1 : 0;
  for (const [name, visit] of Object.entries(visits)) {
    const alive = visit?.met.filter((other) => !dead.has(other)) ?? [];
    if (alive.length > 0) return `${name} was inside together with ${alive.join(" and ")}`;
    if (visit?.recovered) recovered++;
  }
  if (recovered > dead.size) return `${recovered} inherited from ${dead.size} dead`;
  if (last === undefined) return undefined;
  if (!last.free) return "the lock was not free in the end";
  if (!last.isExclusive) return "two had the lock in the end";
  return last.permits === 1 ? undefined : `there were ${last.permits} permits in the end`;
};

/** The memory to look into, and a lock that is there already. */
const setup = () => {
  makeMemory("shared", 64 * NAMES.length);
  defineLock(NAME).open().close();
};

/**
 * Broken: takes the semaphore before the record lock, and posts for a dead owner when the record
 * lock is free. Two waiters that look at the same time both post.
 */
function postsForTheDead(number: number): () => Visit {
  return () => {
    const semaphore = semaphores.openSemaphore(NAME, 0o600);
    using file = new LockFile(semaphores.semaphoreFile(NAME), { write: true, what: "the lock" });
    let recovered = false;
    while (semaphores.tryWait(semaphore) !== 0) {
      if (file.isHeldByOther(0)) sleepSync(1);
      else {
        recovered = true;
        semaphores.post(semaphore);
      }
    }
    file.tryLock(0, "write");
    const met = look(number);
    semaphores.post(semaphore);
    file.unlock(0);
    return { met, recovered };
  };
}

/** All scenarios of the semaphore as a lock. */
export const SEMAPHORE: readonly Scenario[] = scenarios([
  {
    name: "semaphore-make",
    about: "three parties make the semaphore, hold it in turn and leave; two are never inside",
    setup: () => makeMemory("shared", 64 * NAMES.length),
    actors: { first: visitor(0), second: visitor(1), third: visitor(2), last: finale },
    bounds: "2/0/0",
    check,
  },
  {
    name: "semaphore-death",
    about: "an owner dies anywhere; one of two waiters inherits, and no permit is left over",
    setup,
    actors: { first: visitor(0), second: visitor(1), third: visitor(2), last: finale },
    bounds: "2/1/0",
    check,
  },
  {
    name: "semaphore-heir",
    about: "two parties may die, the heir of the first among them",
    setup,
    actors: { first: visitor(0), second: visitor(1), third: visitor(2), last: finale },
    bounds: "1/2/0",
    check,
  },
  {
    name: "semaphore-async",
    about: "one waits on its event loop, and releases by itself; the other two may die",
    setup,
    actors: { first: visitor(0), second: asyncVisitor(1), last: finale },
    bounds: "2/2/0",
    check,
  },
  {
    name: "semaphore-unlink",
    about: "the name goes and comes; nobody locks another file than that of its semaphore",
    setup,
    actors: {
      first: visitor(0),
      second: visitor(1),
      remover: () => {
        defineLock(NAME).unlink();
        defineLock(NAME).open().close();
        return undefined;
      },
      last: finale,
    },
    bounds: "3/0/0",
    // Those with different semaphores may be inside together, but none may inherit.
    check: (end) => {
      const visits = [end.results.first, end.results.second] as Visit[];
      if (visits.some(({ recovered }) => recovered)) return "one inherited from the living";
      return check({ ...end, results: { last: end.results.last } });
    },
  },
  {
    name: "semaphore-interop",
    about: "two parties and a program in C; two are never inside",
    setup,
    actors: {
      first: visitor(0, { interop: true }),
      second: visitor(1, { interop: true }),
      third: stranger(2),
      last: finale,
    },
    bounds: "2/0/0",
    check,
  },
  {
    name: "broken-semaphore",
    about: "a lock whose waiters post for a dead owner: they do so together",
    setup,
    actors: { first: postsForTheDead(0), second: postsForTheDead(1), third: postsForTheDead(2) },
    bounds: "2/1/0",
    check,
    expect: "invariant",
  },
]);
