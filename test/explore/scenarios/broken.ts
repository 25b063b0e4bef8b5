/**
 * Code that is broken on purpose, and must be found to be; and its right twin under the same
 * scenario and bounds, in which nothing may be found: so it is the defect that is found.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import * as bells from "../broken/bells.ts";
import { Broadcast, FILLER, RollsBack } from "../broken/broadcast.ts";
import { GivesBackTwice, Loans, OffersLoaned } from "../broken/loans.ts";
import { LeavesEarly, NeverLooksAgain, Observer } from "../broken/observer.ts";
import { Accounts, FreesTwice, Pool, RepairsUnheld, TOTAL } from "../broken/repair.ts";
import { AcksFirst, EndsFirst, PublishesFirst, ReleasesMore, Ring } from "../broken/ring.ts";
import { Seqlock, WithoutSecondCheck } from "../broken/seqlock.ts";
import * as topics from "../broken/topic_observer.ts";
import { prepared, replacer, writer } from "./circular.ts";
import {
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  makeMemory,
  mapMemory,
  messageOf,
  pair,
  type Parts,
  pattern,
  type Row,
  type Scenario,
  scenarios,
} from "../scenario.ts";

// ---- bells ----

type MakeBell = () => bells.SequenceBell;

/** Waits for the count to reach 1, 2 ... `upTo`. */
function sleeper(make: MakeBell, upTo: number): () => void {
  return () => {
    const bell = make();
    for (let target = 1; target <= upTo; target++) {
      const ready = () => bell.count.load() >= target;
      while (!ready()) bell.sleep(ready);
    }
  };
}

/** Waits likewise, in its event loop. */
function hearer(make: () => bells.LoopBell, upTo: number): () => Promise<void> {
  return async () => {
    const bell = make();
    for (let target = 1; target <= upTo; target++) {
      const ready = () => bell.count.load() >= target;
      while (!ready()) await bell.hear(ready);
    }
  };
}

function waker(make: MakeBell, times: number): () => void {
  return () => {
    const bell = make();
    for (let i = 0; i < times; i++) bell.publish();
  };
}

/** Publishes what the dead waker did not, and rings whatever was rung. */
function successor(make: MakeBell, total: number): () => void {
  return () => {
    const bell = make();
    while (bell.count.load() < total) bell.publish();
    bell.ring();
  };
}

/** That everybody comes to an end is all that is asked. */
const check = () => undefined;

const BELLS: readonly Row[] = [
  ...pair(
    {
      name: "waker-clears",
      about: "a sleep on the position, and a flag beside it that the waker clears",
      expect: "lost wake-up",
    },
    [bells.WakerClears, bells.FlaggedPosition],
    (make) => ({
      actors: { sleeper: sleeper(make, 2), waker1: waker(make, 1), waker2: waker(make, 1) },
      bounds: "2/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "zero-one-bell",
      about: "a bell that is only up or down, and two who wait",
      expect: "lost wake-up",
    },
    [bells.ZeroOneBell, bells.SequenceBell],
    (make) => ({
      actors: { sleeper1: sleeper(make, 1), sleeper2: sleeper(make, 1), waker: waker(make, 1) },
      bounds: "2/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "checked-early",
      about: "the bell is looked at before the publish",
      expect: "lost wake-up",
    },
    [bells.CheckedTooEarly, bells.SequenceBell],
    (make) => ({
      actors: { sleeper: sleeper(make, 1), waker: waker(make, 1) },
      bounds: "1/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "unlooked",
      about: "the bell is raised, and slept on without another look",
      expect: "lost wake-up",
    },
    [bells.SleepsUnlooked, bells.SequenceBell],
    (make) => ({
      actors: { sleeper: sleeper(make, 1), waker: waker(make, 1) },
      bounds: "1/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "tells-first",
      about: "an event loop is told before the bell is taken",
      expect: "lost wake-up",
    },
    [bells.TellsFirst, bells.LoopBell],
    (make) => ({
      actors: { sleeper: hearer(make, 2), waker: waker(make, 2) },
      bounds: "2/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "never-compares",
      about: "an event loop sleeps on a claim without another look at the bell",
      expect: "lost wake-up",
    },
    [bells.NeverCompares, bells.LoopBell],
    (make) => ({
      actors: { sleeper: hearer(make, 1), waker: waker(make, 1) },
      bounds: "2/0/0",
      check,
    }),
  ),
  ...pair(
    {
      name: "no-side-orders",
      about: "neither the waker nor the sleeper has a barrier",
      expect: "lost wake-up",
    },
    [bells.NoSideOrders, bells.OneSidedBell],
    (make) => ({
      actors: { sleeper1: sleeper(make, 2), sleeper2: sleeper(make, 1), waker: waker(make, 2) },
      bounds: "1/0/0/1",
      check,
    }),
  ),
  ...pair(
    {
      name: "clear-then-wake",
      about: "the bell is taken, and then everyone woken: a death comes between",
      expect: "hang",
    },
    [bells.ClearsThenWakes, bells.SequenceBell],
    (make) => ({
      actors: {
        sleeper: sleeper(make, 1),
        waker: waker(make, 1),
        successor: heir("waker", successor(make, 1)),
      },
      bounds: "1/1/0",
      check,
    }),
  ),
];

// ---- bytes ----

/** Returns the numbers of the messages that were read; 0 for other bytes. */
function numbers(read: readonly (Uint8Array | undefined)[]): number[] {
  return read.filter((bytes) => bytes !== undefined).map((bytes) => messageOf(bytes, FILLER) ?? 0);
}

const BYTES: readonly Row[] = [
  ...pair(
    {
      name: "publishes-first",
      about: "a ring that publishes a message before it is written",
      expect: "invariant",
    },
    [PublishesFirst, Ring],
    (make) => ({
      actors: {
        sender: () => {
          const ring = make();
          for (let message = 1; message <= 3; message++) ring.trySend(pattern(8, message));
        },
        receiver: () => {
          const ring = make();
          return numbers([1, 2, 3].map(() => ring.tryReceive()));
        },
      },
      bounds: "2/0/0",
      check: ({ results }) => {
        const received = results.receiver as number[] | undefined;
        const inOrder = received?.every((message, i) => message === i + 1) ?? true;
        return inOrder ? undefined : `messages ${received} were received`;
      },
    }),
  ),
  ...pair(
    {
      name: "ends-first",
      about: "a sender that stores the end before the last message",
      expect: "invariant",
    },
    [EndsFirst, Ring],
    (make) => ({
      actors: {
        sender: () => {
          const ring = make();
          ring.trySend(pattern(8, 1));
          ring.finish(pattern(8, 2));
        },
        receiver: () => {
          const ring = make();
          const received = [];
          for (let looks = 0; looks < 4; looks++) {
            const bytes = ring.tryReceive();
            if (bytes !== undefined) received.push(bytes);
            else if (ring.ended) return { received: numbers(received), ended: true };
          }
          return { received: numbers(received), ended: false };
        },
      },
      bounds: "2/1/0",
      check: ({ results }) => {
        const { received, ended } = (results.receiver ?? {}) as {
          received?: number[];
          ended?: boolean;
        };
        return ended && received!.join() !== "1,2" ? `only ${received} came` : undefined;
      },
    }),
  ),
  ...pair(
    {
      name: "seqlock-one-look",
      about: "a seqlock whose reader does not look again after the copy",
      expect: "invariant",
    },
    [WithoutSecondCheck, Seqlock],
    (make) => ({
      setup: () => {
        makeMemory("shared", 64 * 8);
        make().write(pattern(8, 1));
      },
      actors: {
        writer: () => [2, 3].forEach((message) => make().write(pattern(8, message))),
        reader: () => numbers([make().tryRead()]),
      },
      bounds: "2/1/0",
      check: ({ results }) => {
        const read = results.reader as number[] | undefined;
        return read?.includes(0)
          ? "the reader got half of one value and half of another"
          : undefined;
      },
    }),
  ),
  ...pair(
    {
      name: "rolled-back",
      about: "a successor takes a dead writer's reservation back, from under a slow reader",
      expect: "invariant",
    },
    [RollsBack, Broadcast],
    (make) => ({
      setup: () => {
        makeMemory("shared", 64 * 8);
        [1, 2].forEach((message) => make().write(message));
      },
      actors: {
        reader: immortal(() => numbers([0, 1].map((at) => make().read(at)))),
        writer: () => make().write(3),
        successor: heir("writer", () => make().takeOver()),
      },
      bounds: "2/1/0",
      check: ({ results }) => {
        const read = results.reader as number[];
        const valid = read.every((message) => message === 1 || message === 2);
        return valid ? undefined : `the reader accepted ${read}`;
      },
    }),
  ),
];

// ---- observers ----

/** Observes, so many looks, the buffer that is there at the beginning. */
function observer(make: () => Observer, looks: number): ActorSpec {
  const look = (observer: Observer) =>
    numbers(Array.from({ length: looks }, () => observer.next()));
  return arranged(make, look);
}

const OBSERVERS: readonly Row[] = [
  ...pair(
    {
      name: "observer-leaves-early",
      about: "an observer goes to the next buffer of the name before it has read this one",
      expect: "invariant",
    },
    [LeavesEarly, Observer],
    (make) => ({
      setup: prepared(0),
      actors: { writer: replacer, observer: observer(make, 4) },
      bounds: "2/0/0",
      check: ({ results }) =>
        `${results.observer}` === "2" ? "the last message of the first is missing" : undefined,
    }),
  ),
  ...pair(
    {
      name: "observer-one-look",
      about: "an observer that does not look again at what it copied",
      expect: "invariant",
    },
    [NeverLooksAgain, Observer],
    (make) => ({
      setup: prepared(2),
      actors: { writer: writer(4), observer: observer(make, 2) },
      bounds: "2/0/0",
      check: ({ results }) =>
        (results.observer as number[]).includes(0) ? "the observer accepted torn bytes" : undefined,
    }),
  ),
];

// ---- batches ----

/** A receiver that dies within a batch of two, and one after it: all messages are handled. */
function batches(make: () => Ring): Parts {
  const handleAll = () => {
    const ring = make();
    const handled = new Word32(mapMemory("shared"), { path: "handled", offset: 320 });
    ring.handleAll(ring.show(2), (message) => handled.or(1 << messageOf(message, 2)!));
  };
  return {
    setup: () => {
      makeMemory("shared", 64 * 8);
      [1, 2].forEach((message) => make().trySend(pattern(8, message)));
    },
    actors: { receiver: handleAll, successor: heir("receiver", handleAll) },
    bounds: "0/1/0",
    check: ({ bytes }) => {
      const handled = new Uint32Array(bytes("shared").buffer)[80]!;
      return handled === 6 ? undefined : "a message was released, and nobody handled it";
    },
  };
}

const BATCHES: readonly Row[] = [
  ...pair(
    {
      name: "acks-first",
      about: "a receiver that acknowledges a message and then handles it",
      expect: "invariant",
    },
    [AcksFirst, Ring],
    batches,
  ),
  ...pair(
    {
      name: "releases-more",
      about: "a receiver that releases a batch with its first message",
      expect: "invariant",
    },
    [ReleasesMore, Ring],
    batches,
  ),
];

// ---- topics ----

/** A writer overwrites two samples that an observer reads. */
function observedTopic(make: () => topics.ObservedTopic): Parts {
  return {
    setup: () => make().write(2),
    actors: {
      writer: () => make().write(4),
      observer: arranged(make, (topic) => topic.observe(2)),
    },
    bounds: "2/0/0",
    check: ({ results }) =>
      (results.observer as number[]).includes(0) ? "the observer accepted torn bytes" : undefined,
  };
}

const TOPICS: readonly Row[] = [
  ...pair(
    {
      name: "topic-not-invalidated",
      about: "a writer that leaves the number of a sample that it overwrites",
      expect: "invariant",
    },
    [topics.NeverInvalidates, topics.ObservedTopic],
    observedTopic,
  ),
  ...pair(
    {
      name: "topic-one-look",
      about: "an observer of a topic that does not look again at what it copied",
      expect: "invariant",
    },
    [topics.NeverLooksAgain, topics.ObservedTopic],
    observedTopic,
  ),
];

// ---- repair ----

/** Two loans beside each other, of a writer that gave one back before. */
function loans(make: () => Loans): Parts {
  return {
    setup: () => {
      makeMemory("shared", 64 * 8);
      make().open();
    },
    actors: {
      reader: () => {
        const reader = make();
        return reader.read() ?? reader.read();
      },
      writer: () => {
        const writer = make();
        const first = writer.loan();
        writer.giveBack(first);
        const loans = [writer.loan()];
        writer.giveBack(first); // once more
        loans.push(writer.loan());
        loans.forEach((d, i) => writer.fill(d, 3 + i));
        loans.forEach((d, i) => writer.publish(d, 3 + i));
      },
      last: last(() => make().read()),
    },
    bounds: "2/0/0",
    check: ({ results }) => (results.reader ?? results.last) as string | undefined,
  };
}

const LOANS: readonly Row[] = [
  ...pair(
    {
      name: "offers-loaned",
      about: "a late hint offers a descriptor that the writer has out",
      expect: "invariant",
    },
    [OffersLoaned, Loans],
    loans,
  ),
  ...pair(
    {
      name: "gives-back-twice",
      about: "a loan that is given back twice is offered while the next loan has it",
      expect: "invariant",
    },
    [GivesBackTwice, Loans],
    loans,
  ),
];

const REPAIR: readonly Row[] = [
  ...pair(
    {
      name: "repair-unheld",
      about: "a repair because nobody seems to hold the role, while a newcomer takes it",
      expect: "invariant",
    },
    [RepairsUnheld, Accounts],
    (make) => ({
      setup: () => {
        makeMemory("shared", 64 * 8);
        make().open();
      },
      actors: {
        owner: () => make().transfer(),
        repairer: immortal(() => make().repair()),
        newcomer: immortal(() => make().transfer()),
        last: last(() => make().repair()),
      },
      bounds: "2/1/0",
      check: ({ bytes }) => {
        const words = new Uint32Array(bytes("shared").buffer);
        const [left, right, intent] = [words[0]!, words[16]!, words[32]!];
        if (left + right === TOTAL && intent === 0) return undefined;
        return `left ${left}, right ${right}, intent ${intent}`;
      },
    }),
  ),
  ...pair(
    {
      name: "frees-twice",
      about: "a repair that frees a buffer and then notes that it did: a death comes between",
      expect: "invariant",
    },
    [FreesTwice, Pool],
    (make) => ({
      setup: () => {
        makeMemory("shared", 64 * 8);
        make().open();
      },
      actors: {
        repairer: () => make().repair(),
        second: { body: () => make().repair(), after: "repairer" },
        user: {
          last: true,
          immortal: true,
          body: () => {
            const pool = make();
            pool.repair(); // after any death at it
            return pool.takeAll();
          },
        },
      },
      bounds: "0/2/0",
      check: ({ results }) => {
        const taken = results.user as number[];
        return taken.toSorted().join() === "0,1" ? undefined : `buffers ${taken} are free`;
      },
    }),
  ),
];

/** All that is broken, each followed by its twin. */
export const BROKEN: readonly Scenario[] = scenarios([
  ...BELLS,
  ...BYTES,
  ...BATCHES,
  ...OBSERVERS,
  ...TOPICS,
  ...LOANS,
  ...REPAIR,
]);
