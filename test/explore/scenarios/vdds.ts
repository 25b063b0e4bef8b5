/**
 * Publish and subscribe: joining, leaving, holding, dropping, and the death of anyone at every step.
 *
 * Each scenario has one subject: an actor without `comes` or `leaves` is there from the beginning to
 * the end, so that nothing but the subject interleaves.
 *
 * @module
 */

import { type Actors, heir, immortal, type Row, type Scenario, scenarios } from "../scenario.ts";
import {
  accounted,
  Cast,
  complete,
  completed,
  lossless,
  observed,
  regained,
  skipping,
  succeeded,
} from "./vdds_actors.ts";

const LOANED = 3; // two loans and one for the next sample
const DEEP = 8; // so deep that hints are given in pairs

const TOPIC = new Cast();
const DEEP_TOPIC = new Cast({ depth: DEEP });
const LOANS = new Cast({ depth: LOANED });
const NEWEST_DROPS = new Cast({ policy: "dropNewest" });
const OLDEST_DROPS = new Cast({ policy: "dropOldest" });
// A successor does not take at once what the dead writer described.
const SPACIOUS = new Cast({ policy: "dropOldest", depth: 3 });
const KEEPS = new Cast({ history: 1 });
const KEEPS_AND_DROPS = new Cast({ history: 1, policy: "dropOldest" });

function scenario(
  cast: Cast,
  name: string,
  about: string,
  actors: Actors,
  rest: Pick<Row, "bounds" | "check"> & Partial<Row>,
): Row {
  const all = { ...actors, auditor: cast.auditor() };
  return { name, about, setup: cast.prepared(), actors: all, ...rest };
}

/** All scenarios of publish and subscribe. */
export const VDDS: readonly Scenario[] = scenarios([
  scenario(TOPIC, "vdds-wait", "a writer and a reader sleep and wake each other", {
    reader: TOPIC.reader({ how: "take", last: 4 }),
    writer: TOPIC.writer(3, { how: "loan", before: 1 }),
  }, { bounds: "3/0/1", short: 1, check: lossless }),
  {
    name: "vdds-batch",
    about: "a writer sleeps while a reader gives hints of several together",
    setup: DEEP_TOPIC.prepared(),
    actors: {
      reader: DEEP_TOPIC.reader({ how: "poll", last: DEEP + 2 }),
      writer: DEEP_TOPIC.writer(2, { before: DEEP }),
    },
    bounds: "3/0/0",
    short: 1,
    check: complete,
  },
  scenario(TOPIC, "vdds-two", "two readers give back what a writer waits for", {
    reader: TOPIC.reader({ last: 3 }),
    other: TOPIC.reader({ how: "take", last: 3 }),
    writer: TOPIC.writer(2, { before: 1 }),
  }, { bounds: "2/0/0", short: 1, check: lossless }),
  scenario(TOPIC, "vdds-join", "a reader comes while a writer publishes, and closes", {
    writer: TOPIC.writer(2, { leaves: true }),
    reader: TOPIC.reader({ comes: true }),
  }, { bounds: "4/0/0", check: lossless }),
  scenario(
    TOPIC,
    "vdds-leave",
    "a reader leaves with all descriptors while a writer waits for one",
    {
      reader: TOPIC.reader({ how: "take", limit: 1, leaves: true }),
      writer: TOPIC.writer(2, { before: 2 }),
    },
    { bounds: "4/0/0", check: lossless },
  ),
  scenario(TOPIC, "vdds-two-leave", "one of two readers leaves while the other gives back", {
    reader: TOPIC.reader({ limit: 0, leaves: true }),
    other: TOPIC.reader({ last: 3 }),
    writer: TOPIC.writer(3, { before: 2 }),
  }, { bounds: "2/0/0", short: 1, check: lossless }),
  scenario(
    TOPIC,
    "vdds-row-again",
    "a reader leaves, and another takes its row while a writer publishes",
    {
      reader: TOPIC.reader({ how: "take", limit: 1, leaves: true }),
      writer: TOPIC.writer(2, { before: 1, leaves: true }),
      next: { ...TOPIC.reader({ comes: true }), after: "reader" },
    },
    { bounds: "3/0/0", short: 1, check: regained },
  ),
  scenario(
    OLDEST_DROPS,
    "vdds-hold",
    "the oldest unread sample makes room, but none that is held",
    {
      reader: OLDEST_DROPS.reader({ how: "hold", limit: 1 }),
      other: OLDEST_DROPS.reader({ how: "take", limit: 2 }),
      writer: OLDEST_DROPS.writer(2, { before: 2 }),
    },
    { bounds: "2/0/0", short: 1, check: accounted },
  ),
  scenario(OLDEST_DROPS, "vdds-lap", "the writer drops under the eyes of a reader that takes", {
    reader: OLDEST_DROPS.reader({ limit: 2 }),
    writer: OLDEST_DROPS.writer(2, { before: 2 }),
  }, { bounds: "4/0/0", check: accounted }),
  scenario(NEWEST_DROPS, "vdds-latest", "a reader takes only the newest", {
    reader: NEWEST_DROPS.reader({ how: "latest", limit: 2 }),
    writer: NEWEST_DROPS.writer(3, { leaves: true }),
  }, { bounds: "4/0/0", check: skipping }),
  scenario(
    KEEPS_AND_DROPS,
    "vdds-history",
    "a late joiner asks for samples that are unpinned at any step",
    {
      writer: KEEPS_AND_DROPS.writer(2, { leaves: true }),
      reader: KEEPS_AND_DROPS.reader({ how: "take", history: 1, comes: true }),
    },
    { setup: KEEPS_AND_DROPS.prepared(2), bounds: "3/0/0", check: accounted },
  ),
  scenario(
    KEEPS,
    "vdds-history-flow",
    "a late joiner gets the history it asked for, and then the samples after it",
    {
      writer: KEEPS.writer(2, { leaves: true }),
      reader: KEEPS.reader({ history: 1, comes: true }),
    },
    { setup: KEEPS.prepared(2), bounds: "3/0/0", check: lossless },
  ),
  scenario(KEEPS, "vdds-history-dies", "a late joiner dies anywhere, also while it asks", {
    writer: immortal(KEEPS.writer(2)),
    reader: KEEPS.reader({ how: "take", history: 1, limit: 1, comes: true }),
  }, { setup: KEEPS.prepared(2), bounds: "2/1/0", short: 1, check: accounted }),
  scenario(TOPIC, "vdds-reader-dies", "a reader dies anywhere, with all that it holds", {
    reader: TOPIC.reader({ how: "hold", limit: 2, leaves: true }),
    writer: immortal(TOPIC.writer(3)),
  }, { bounds: "2/1/0", short: 1, check: lossless }),
  scenario(TOPIC, "vdds-writer-dies", "a writer dies anywhere; another completes what it began", {
    reader: immortal(TOPIC.reader()),
    writer: TOPIC.writer(2, { how: "loan", leaves: true }),
    successor: heir("writer", TOPIC.writer(0, { comes: true, leaves: true })),
  }, { bounds: "2/1/0", short: 1, check: completed }),
  scenario(TOPIC, "vdds-successor", "another follows the writer that died, and publishes on", {
    reader: immortal(TOPIC.reader()),
    writer: TOPIC.writer(1, { before: 1, leaves: true }),
    successor: heir("writer", TOPIC.writer(1, { comes: true, leaves: true })),
  }, { bounds: "1/1/0", short: 1, check: lossless }),
  scenario(LOANS, "vdds-loans", "two loans wait for a reader whose hints are late", {
    reader: LOANS.reader({ how: "take", last: LOANED + 2 }),
    writer: LOANS.writer(0, { how: "loans", before: LOANED }),
  }, { bounds: "2/0/0", short: 0, check: lossless }),
  scenario(
    LOANS,
    "vdds-loans-die",
    "a writer dies anywhere with loans; another finds all descriptors",
    {
      reader: immortal(LOANS.reader()),
      writer: LOANS.writer(0, { how: "loans", leaves: true }),
      successor: heir("writer", LOANS.writer(0, { comes: true, leaves: true })),
    },
    { bounds: "1/1/0", short: 0, check: completed },
  ),
  scenario(TOPIC, "vdds-observer", "an observer looks at every step of a writer and a reader", {
    reader: TOPIC.reader({ last: 3 }),
    writer: TOPIC.writer(2, { before: 1 }),
    observer: TOPIC.observer({ times: 2, history: 1 }),
  }, { bounds: "2/0/0", short: 1, check: observed(lossless) }),
  scenario(OLDEST_DROPS, "vdds-observer-lap", "a writer overwrites under the eyes of an observer", {
    writer: OLDEST_DROPS.writer(2, { how: "loan", before: 2 }),
    observer: OLDEST_DROPS.observer({ times: 2, history: 2 }),
  }, { bounds: "3/0/0", short: 2, check: observed(accounted) }),
  scenario(
    OLDEST_DROPS,
    "vdds-observer-drop",
    "an observer reads what the writer takes from a slow reader",
    {
      reader: OLDEST_DROPS.reader({ limit: 0 }),
      writer: OLDEST_DROPS.writer(1, { before: 2 }),
      observer: OLDEST_DROPS.observer({ times: 2, history: 2 }),
    },
    { bounds: "3/0/0", short: 2, check: observed(accounted) },
  ),
  scenario(SPACIOUS, "vdds-observer-dies", "writers die anywhere before an observer that waits", {
    writer: SPACIOUS.writer(2, { before: 1, leaves: true }),
    successor: heir("writer", SPACIOUS.writer(1, { comes: true, differs: true })),
    observer: immortal(SPACIOUS.observer({ times: 3, history: 1 })),
  }, { bounds: "1/1/0", short: 0, check: observed(succeeded) }),
  scenario(TOPIC, "vdds-observed", "an observer waits for the last sample, and nobody wakes it", {
    writer: TOPIC.writer(3),
    observer: TOPIC.observer({ upTo: 3 }),
  }, { bounds: "3/0/0", short: 2, check: observed(accounted) }),
  scenario(TOPIC, "vdds-both-die", "a reader dies, and the writer that takes back what it had", {
    reader: TOPIC.reader({ how: "hold", limit: 2, leaves: true }),
    writer: TOPIC.writer(3, { leaves: true }),
    successor: {
      ...TOPIC.writer(1, { comes: true, leaves: true }),
      after: "writer",
      immortal: true,
    },
  }, { bounds: "1/2/0", short: 0, check: accounted }),
  scenario(
    TOPIC,
    "vdds-reclaim",
    "a writer takes back what a dead reader has; a joiner takes its row",
    {
      writer: TOPIC.writer(2, { comes: true, leaves: true }),
      reader: TOPIC.reader({ how: "take", comes: true }),
    },
    { setup: TOPIC.abandoned(), bounds: "3/0/0", check: regained },
  ),
  scenario(
    TOPIC,
    "vdds-reclaim-dies",
    "a writer dies while it takes back, and a joiner takes the row",
    {
      writer: TOPIC.writer(1, { comes: true, leaves: true }),
      reader: immortal(TOPIC.reader({ how: "take", comes: true, leaves: true })),
      successor: heir("writer", TOPIC.writer(2, { comes: true, leaves: true })),
    },
    { setup: TOPIC.abandoned(), bounds: "1/1/0", short: 0, check: regained },
  ),
  scenario(TOPIC, "vdds-row-of-dead", "a reader takes the row of one that died anywhere", {
    reader: TOPIC.reader({ how: "take", limit: 2, leaves: true }),
    writer: immortal(TOPIC.writer(2, { before: 1, leaves: true })),
    next: heir("reader", TOPIC.reader({ comes: true })),
  }, { bounds: "1/1/0", short: 1, check: regained }),
]);
