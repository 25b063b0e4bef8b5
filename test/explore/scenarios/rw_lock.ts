/**
 * The reader/writer lock: exclusion, wake-ups, and the remains of the dead.
 *
 * A writer changes two words that are the same whenever nobody writes. A permit
 * that finds them different must report that a writer died inside.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { rwLock } from "../../../src/shared/rw_lock.ts";
import { Queue, RW_LOCK, Want } from "../../../src/shared/rw_queue.ts";
import type { Permit } from "../../../src/shared/permit.ts";
import { regionPath } from "../../../src/region/names.ts";
import {
  type Actors,
  immortal,
  last,
  makeMemory,
  mapMemory,
  type Row,
  type Scenario,
  scenarios,
} from "../scenario.ts";
import { openRegion } from "../../region/opening.ts";

const NAME = "lock";
const NAMES = ["first", "second", "third"] as const;
const WRITES = 64;
const TOLD = { spin: 0 };

function words() {
  const memory = mapMemory("shared");
  const at = (path: string, line: number) => new Word32(memory, { path, offset: 64 * line });
  return {
    inside: NAMES.map((name, i) => at(`inside[${name}]`, i)),
    left: at("left", 3),
    right: at("right", 4),
  };
}

/** The observations of a visit. */
interface Visit {
  /** The parties marked as inside that must not be, unless they are dead. */
  readonly met: readonly string[];
  /** Both words at the beginning of the visit. */
  readonly found: readonly [left: number, right: number];
  readonly recovered: boolean;
}

/** Looks for others that must not be inside, and if it writes changes both words. */
function visit(number: number, { recovered }: Permit, writes: boolean): Visit {
  const { inside, left, right } = words();
  inside[number]!.store(writes ? WRITES : 1);
  const met = NAMES.filter((_, i) => {
    if (i === number) return false;
    const mark = inside[i]!.load();
    return writes ? mark !== 0 : mark === WRITES;
  });
  const found = [left.load(), right.load()] as const;
  if (writes) {
    left.store(found[0] + 1);
    right.store(found[0] + 1);
  }
  inside[number]!.store(0);
  return { met, found, recovered };
}

/** Opens the lock, is inside as often as asked, and closes it. */
function visitor(number: number, ...wants: ("read" | "write")[]): () => Visit[] {
  return () => {
    using lock = rwLock(NAME).open();
    return wants.map((want) => {
      using permit = want === "read" ? lock.readSync(TOLD) : lock.writeSync(TOLD);
      return visit(number, permit, want === "write");
    });
  };
}

/** The same in a program that has an event loop. */
function asyncVisitor(number: number, want: "read" | "write"): () => Promise<Visit[]> {
  return async () => {
    using lock = rwLock(NAME).open();
    using permit = await lock[want](TOLD);
    return [visit(number, permit, want === "write")];
  };
}

/** Does not wait, or not for long. */
function passer(number: number, want: "read" | "write", timeout?: number): () => Visit[] {
  return () => {
    using lock = rwLock(NAME).open();
    try {
      using permit = timeout === undefined
        ? want === "read" ? lock.tryRead() : lock.tryWrite()
        : want === "read"
        ? lock.readSync({ ...TOLD, timeout })
        : lock.writeSync({ ...TOLD, timeout });
      return permit === undefined ? [] : [visit(number, permit, want === "write")];
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") return [];
      throw error;
    }
  };
}

/** Comes when all are gone: the lock is free, and reports a dead writer until another has left. */
const finale = last(() => {
  using lock = rwLock(NAME).open();
  const permit = lock.tryWrite();
  if (permit === undefined) return { free: false };
  using other = rwLock(NAME).open();
  const exclusive = other.tryRead() === undefined;
  const written = visit(0, permit, true);
  permit.release();
  using again = lock.tryRead();
  using beside = other.tryRead();
  return { free: true, exclusive, written, again: again?.recovered, beside: beside?.recovered };
});

const check: Scenario["check"] = ({ results, dead }) => {
  const { last: end, ...visits } = results as Record<string, Visit[] | undefined> & {
    last?: { free: boolean; exclusive?: boolean; written?: Visit; again?: boolean };
  };
  for (const [name, made] of Object.entries(visits)) {
    for (const { met, found, recovered } of made ?? []) {
      const alive = met.filter((other) => !dead.has(other));
      if (alive.length > 0) return `${name} was inside together with ${alive.join(" and ")}`;
      if (found[0] !== found[1] && !recovered) return `${name} found ${found} and was not told`;
      if (recovered && dead.size === 0 && end !== undefined) {
        return `${name} recovered without a death`;
      }
    }
  }
  if (end === undefined) return undefined;
  if (!end.free) return "the lock was not free in the end";
  if (!end.exclusive) return "two had the lock in the end";
  const { found, recovered } = end.written!;
  if (found[0] !== found[1] && !recovered) return `in the end the words were ${found}, untold`;
  if (end.again !== false) return `in the end a reader recovered: ${end.again}`;
  return undefined;
};

const setup = () => {
  makeMemory("shared", 64 * 8);
  rwLock(NAME, { persist: true }).open().close();
};

/** As if two writers had died, one inside and one waiting, and nobody had noticed. */
function abandoned(): void {
  setup();
  const { left } = words();
  left.store(1);
  const region = openRegion(RW_LOCK, regionPath(RW_LOCK.name, NAME), { dataBytes: 0 });
  const queue = new Queue(NAME, region);
  const [inside, waiting] = [queue.sit(), queue.sit()];
  queue.join(inside, Want.writer);
  queue.enter(inside);
  queue.join(waiting, Want.writer);
  inside.role.close();
  waiting.role.close();
  region.close();
}

function scenario(
  name: string,
  about: string,
  actors: Actors,
  rest: Pick<Row, "bounds"> & Partial<Row>,
): Row {
  return { name, about, setup, actors: { ...actors, last: finale }, check, ...rest };
}

/** All scenarios of the reader/writer lock. */
export const RW_LOCK_SCENARIOS: readonly Scenario[] = scenarios([
  scenario("rw-exclusive", "two writers and a reader, none inside with a writer", {
    first: visitor(0, "write"),
    second: visitor(1, "write"),
    third: visitor(2, "read"),
  }, { bounds: "2/0/0", short: 1 }),
  scenario("rw-meet", "two writers that only try meet at every step of coming in", {
    first: passer(0, "write"),
    second: passer(1, "write"),
  }, { bounds: "4/0/0", short: 2 }),
  scenario("rw-meet-reader", "a writer and a reader that only try meet likewise", {
    first: passer(0, "write"),
    second: passer(1, "read"),
  }, { bounds: "4/0/0", short: 2 }),
  scenario("rw-again", "a writer and a reader that come again, asleep and awake", {
    first: visitor(0, "write", "write"),
    second: visitor(1, "read", "read"),
  }, { bounds: "3/0/1", short: 1 }),
  scenario("rw-readers", "a writer waits for two readers", {
    first: visitor(0, "read"),
    second: visitor(1, "read"),
    third: visitor(2, "write"),
  }, { bounds: "2/0/0", short: 0 }),
  scenario("rw-async", "one waits on its event loop", {
    first: asyncVisitor(0, "write"),
    second: visitor(1, "read"),
    third: visitor(2, "write"),
  }, { bounds: "2/0/0", short: 0 }),
  scenario("rw-try", "one only tries, and does not stand in the way of two that wait", {
    first: passer(0, "write"),
    second: visitor(1, "write"),
    third: visitor(2, "read"),
  }, { bounds: "2/0/0", short: 0 }),
  scenario("rw-timeout", "one gives up at any step, and those behind it are let in", {
    first: visitor(0, "read"),
    second: passer(1, "write", 10),
    third: visitor(2, "read"),
  }, { bounds: "2/0/1", short: 1 }),
  scenario("rw-writer-dies", "a writer dies anywhere; a writer and a reader come in", {
    first: visitor(0, "write"),
    second: immortal(visitor(1, "write")),
    third: immortal(visitor(2, "read")),
  }, { bounds: "1/1/0", short: 0 }),
  scenario("rw-reader-dies", "a reader dies anywhere; a writer comes in", {
    first: visitor(0, "read"),
    second: immortal(visitor(1, "write")),
  }, { bounds: "3/1/0", short: 0 }),
  scenario(
    "rw-all-die",
    "holders and waiters may die, and so may the one that clears what they left",
    {
      first: visitor(0, "write"),
      second: visitor(1, "read"),
      third: visitor(2, "write"),
    },
    { bounds: "1/2/0", short: { preemptions: 0, deaths: 0 } },
  ),
  scenario("rw-repair", "two find what two dead writers left, and clear it together", {
    first: visitor(0, "write"),
    second: visitor(1, "read"),
  }, {
    setup: abandoned,
    bounds: "3/0/0",
    short: 1,
    check: (end) => {
      const made = Object.values(end.results).slice(0, 2) as Visit[][];
      if (!made.flat().some(({ recovered }) => recovered)) return "nobody recovered from the dead";
      return check({ ...end, dead: new Set(["dead"]) });
    },
  }),
  scenario(
    "rw-repair-dies",
    "the one that clears what the dead left dies at that, and the next continues",
    {
      first: visitor(0, "write"),
      second: immortal(visitor(1, "write")),
    },
    {
      setup: abandoned,
      bounds: "2/1/0",
      short: 0,
      check: (end) => check({ ...end, dead: new Set([...end.dead, "dead"]) }),
    },
  ),
]);
