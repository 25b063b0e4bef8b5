/**
 * Waiting for many things by hints in a hall.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { Doorbell } from "../../../src/wait/doorbell.ts";
import { ReadySet } from "../../../src/wait/ready_set.ts";
import { type SyncWaitOptions, until, untilSync } from "../../../src/wait/until.ts";
import * as halls from "../broken/halls.ts";
import {
  type Actor,
  type ActorSpec,
  arranged,
  makeMemory,
  mapMemory,
  pair,
  type Parts,
  type Row,
  type Scenario,
  scenarios,
} from "../scenario.ts";

const THINGS = 2;

function channels() {
  const memory = mapMemory("shared");
  return Array.from({ length: THINGS }, (_, line) => ({
    bell: new Doorbell(
      memory,
      { path: `bell[${line}]`, offset: 128 * line },
      0,
      { path: `loop[${line}]`, offset: 128 * line + 4 },
    ),
    count: new Word32(memory, { path: `count[${line}]`, offset: 128 * line + 64 }),
  }));
}

/** Publishes on these lines, one after the other. */
function publisher(lines: readonly number[], make = () => new halls.Halls()): Actor {
  return () => {
    const all = channels();
    for (const line of lines) {
      const { bell, count } = all[line]!;
      count.add(1);
      make().ring(bell);
    }
  };
}

/** Publishes as the shipped code does. */
function ringer(...lines: number[]): Actor {
  return () => {
    const all = channels();
    for (const line of lines) all[line]!.bell.publish(all[line]!.count, 1);
  };
}

/** A set of all channels, and the counts that were seen of each. */
function listening(make = () => new halls.Halls()) {
  const all = channels();
  const seen = all.map(() => 0);
  const set = ReadySet.of(all.map(({ bell, count }, line) => ({
    owner: line,
    condition: { bell, watch: count, isSteady: true, ready: () => count.load() > seen[line]! },
  })))!;
  const condition = make().condition(set.condition);
  const waiter = { action: "hear", conditions: () => [condition] };
  const attempt = () => set.take();
  const see = (line: number) => seen[line] = all[line]!.count.load();
  const isShort = (messages: number) => seen.reduce((sum, count) => sum + count) < messages;
  return { all, seen, set, waiter, attempt, see, isShort };
}

/** Sees so many messages, or gives up. */
function waiter(
  messages: number,
  options: SyncWaitOptions = {},
  make?: () => halls.Halls,
): ActorSpec {
  return arranged(() => listening(make), ({ all, seen, waiter, attempt, see, isShort }) => {
    while (isShort(messages)) {
      let found;
      try {
        found = attempt() ?? untilSync(attempt, waiter, { spin: 0, ...options });
      } catch {
        return all.every(({ count }, line) => count.load() === seen[line]) ? "nothing" : "deaf";
      }
      see(found.owner);
    }
    return "all";
  });
}

/** Sees so many messages in its event loop. */
function hearer(messages: number): ActorSpec {
  return arranged(() => listening(), async ({ waiter, attempt, see, isShort }) => {
    while (isShort(messages)) see((await until(attempt, waiter, { spin: 0 })).owner);
    return "all";
  });
}

/** Words that count calls that have begun, and that have returned. */
function notes() {
  const word = (path: string, offset: number) => new Word32(mapMemory("shared"), { path, offset });
  return { begun: word("begun", 128 * THINGS), returned: word("returned", 128 * THINGS + 4) };
}

/** Publishes on these lines, and notes each call. */
function noter(...lines: number[]): Actor {
  return () => {
    const all = channels();
    const { begun, returned } = notes();
    for (const line of lines) {
      begun.add(1);
      all[line]!.count.add(1);
      all[line]!.bell.ring();
      returned.add(1);
    }
  };
}

/** Half a slice, after which a look goes through all. */
const HALF_SLICE_MS = 126;

/**
 * Only looks; returns how many messages it missed while nobody was publishing, and how many it never
 * saw.
 */
function looker(make = () => new halls.Halls()): ActorSpec {
  return arranged(() => {
    const its = listening(make);
    its.set.condition.beforeSleep!(); // armed
    return its;
  }, ({ all, seen, set, see }) => {
    const sum = () => seen.reduce((total, count) => total + count);
    const { begun, returned } = notes();
    let missed = 0;
    for (let looks = 0; looks < 4; looks++) {
      const due = returned.load();
      const isCalm = begun.load() === due; // loaded last: nobody was publishing at the first load
      for (const { owner } of make().look(set)) see(owner);
      if (isCalm) missed += Math.max(0, due - sum());
      sleepSync(HALF_SLICE_MS);
    }
    for (const { owner } of make().look(set)) see(owner);
    return { missed, unseen: all.reduce((total, { count }) => total + count.load(), 0) - sum() };
  });
}

function looking(make: () => halls.Halls): Parts {
  return {
    setup: () => makeMemory("shared", 128 * THINGS + 64),
    actors: { looker: looker(make), waker1: noter(0), waker2: noter(0, 1) },
    bounds: "1/1/0",
    check: ({ results, dead }) => {
      if (dead.has("looker")) return undefined;
      const { missed, unseen } = results.looker as { missed: number; unseen: number };
      if (unseen > 0) return `${unseen} messages were never seen`;
      return missed > 0 && dead.size === 0 ? `${missed} messages were missed` : undefined;
    },
  };
}

const setup = () => makeMemory("shared", 128 * THINGS);

const check: Scenario["check"] = ({ results, dead }) =>
  dead.has("waiter") || results.waiter === "all" ||
    dead.size > 0 && results.waiter === "nothing"
    ? undefined
    : `the waiter returned ${results.waiter}`;

function announcing(make: () => halls.Halls): Parts {
  return {
    setup,
    actors: {
      waiter: waiter(2, {}, make),
      waker1: publisher([0], make),
      waker2: publisher([1], make),
    },
    bounds: "2/0/0",
    check,
  };
}

function dying(make: () => halls.Halls): Parts {
  return {
    setup,
    actors: { waiter: waiter(1, { timeout: 2000 }, make), waker: publisher([0], make) },
    bounds: "1/1/0",
    check,
  };
}

const BROKEN_HALLS: readonly Row[] = [
  ...pair(
    {
      name: "hall-rings-first",
      about: "a waker that rings the hall before it sets the hint",
      expect: "lost wake-up",
    },
    [halls.RingsFirst, halls.Halls],
    announcing,
  ),
  ...pair(
    {
      name: "hall-groups-first",
      about: "a waker that sets the group before the hint",
      expect: "lost wake-up",
    },
    [halls.GroupsFirst, halls.Halls],
    announcing,
  ),
  ...pair(
    {
      name: "hall-trusts-hints",
      about: "a waiter that never compares the bells, and a waker that dies before the hint",
      expect: "invariant",
    },
    [halls.TrustsHints, halls.Halls],
    dying,
  ),
  ...pair(
    {
      name: "hall-looks-flat",
      about: "a program that only looks, by hints alone, and wakers that die before the hint",
      expect: "invariant",
    },
    [halls.LooksFlat, halls.Halls],
    looking,
  ),
];

/** All scenarios of the hall. */
export const HALLS: readonly Scenario[] = scenarios([
  ...BROKEN_HALLS,
  {
    name: "hall-two",
    about: "a thread waits for two things, which two parties publish",
    setup,
    actors: { waiter: waiter(3), waker1: publisher([0, 0]), waker2: ringer(1) },
    bounds: "3/0/1",
    check,
  },
  {
    name: "hall-heard",
    about: "the same in an event loop",
    setup,
    actors: { waiter: hearer(2), waker1: ringer(0), waker2: ringer(1) },
    bounds: "2/0/1",
    check,
  },
  {
    name: "hall-death",
    about: "wakers that die: whatever was published is found after a slice",
    setup,
    actors: { waiter: waiter(2, { timeout: 2000 }), waker1: ringer(0), waker2: ringer(1) },
    bounds: "2/1/0",
    check,
  },
  {
    name: "hall-heir",
    about: "a bell that a killed isolate has claimed: another one takes it over",
    setup: () => {
      setup();
      for (const { bell } of channels()) bell.loop!.store(99);
    },
    actors: { waiter: waiter(2), waker1: ringer(0), waker2: ringer(1) },
    bounds: "2/0/0",
    check,
  },
]);
