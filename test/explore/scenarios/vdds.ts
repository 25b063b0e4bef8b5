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
  abandoned,
  accounted,
  AUDITOR,
  complete,
  completed,
  lossless,
  observed,
  observer,
  prepared,
  reader,
  regained,
  skipping,
  succeeded,
  writer,
} from "./vdds_actors.ts";

const LOANED = 3; // two loans and one for the next sample
const SPACIOUS = 3; // a successor does not take at once what the dead writer described
const DEEP = 8; // so deep that hints are given in pairs

function scenario(
  name: string,
  about: string,
  actors: Actors,
  rest: Pick<Row, "bounds" | "check"> & Partial<Row>,
): Row {
  return { name, about, setup: prepared(), actors: { ...actors, auditor: AUDITOR }, ...rest };
}

/** All scenarios of publish and subscribe. */
export const VDDS: readonly Scenario[] = scenarios([
  scenario("vdds-wait", "a writer and a reader sleep and wake each other", {
    reader: reader({ how: "take", last: 4 }),
    writer: writer(3, { how: "loan", before: 1 }),
  }, { bounds: "3/0/1", short: 1, check: lossless }),
  {
    name: "vdds-batch",
    about: "a writer sleeps while a reader gives hints of several together",
    setup: prepared(0, 0, DEEP),
    actors: {
      reader: reader({ how: "poll", last: DEEP + 2 }),
      writer: writer(2, { before: DEEP }),
    },
    bounds: "3/0/0",
    short: 1,
    check: complete,
  },
  scenario("vdds-two", "two readers give back what a writer waits for", {
    reader: reader({ last: 3 }),
    other: reader({ how: "take", last: 3 }),
    writer: writer(2, { before: 1 }),
  }, { bounds: "2/0/0", short: 1, check: lossless }),
  scenario("vdds-join", "a reader comes while a writer publishes, and closes", {
    writer: writer(2, { leaves: true }),
    reader: reader({ comes: true }),
  }, { bounds: "4/0/0", check: lossless }),
  scenario("vdds-leave", "a reader leaves with all descriptors while a writer waits for one", {
    reader: reader({ how: "take", limit: 1, leaves: true }),
    writer: writer(2, { before: 2 }),
  }, { bounds: "4/0/0", check: lossless }),
  scenario("vdds-two-leave", "one of two readers leaves while the other gives back", {
    reader: reader({ limit: 0, leaves: true }),
    other: reader({ last: 3 }),
    writer: writer(3, { before: 2 }),
  }, { bounds: "2/0/0", short: 1, check: lossless }),
  scenario(
    "vdds-row-again",
    "a reader leaves, and another takes its row while a writer publishes",
    {
      reader: reader({ how: "take", limit: 1, leaves: true }),
      writer: writer(2, { before: 1, leaves: true }),
      next: { ...reader({ comes: true }), after: "reader" },
    },
    { bounds: "3/0/0", short: 1, check: regained },
  ),
  scenario("vdds-hold", "the oldest unread sample makes room, but none that is held", {
    reader: reader({ how: "hold", limit: 1 }),
    other: reader({ how: "take", limit: 2 }),
    writer: writer(2, { policy: "dropOldest", before: 2 }),
  }, { bounds: "2/0/0", short: 1, check: accounted }),
  scenario("vdds-lap", "the writer drops under the eyes of a reader that takes", {
    reader: reader({ limit: 2 }),
    writer: writer(2, { policy: "dropOldest", before: 2 }),
  }, { bounds: "4/0/0", check: accounted }),
  scenario("vdds-latest", "a reader takes only the newest", {
    reader: reader({ how: "latest", limit: 2 }),
    writer: writer(3, { policy: "dropNewest", leaves: true }),
  }, { bounds: "4/0/0", check: skipping }),
  scenario("vdds-history", "a late joiner asks for samples that are unpinned at any step", {
    writer: writer(2, { policy: "dropOldest", history: 1, leaves: true }),
    reader: reader({ how: "take", history: 2, comes: true }),
  }, { setup: prepared(2, 1), bounds: "3/0/0", check: accounted }),
  scenario(
    "vdds-history-flow",
    "a late joiner gets the history it asked for, and then the samples after it",
    {
      writer: writer(2, { history: 1, leaves: true }),
      reader: reader({ history: 1, comes: true }),
    },
    { setup: prepared(2, 1), bounds: "3/0/0", check: lossless },
  ),
  scenario("vdds-history-dies", "a late joiner dies anywhere, also while it asks", {
    writer: immortal(writer(2, { history: 1 })),
    reader: reader({ how: "take", history: 1, limit: 1, comes: true }),
  }, { setup: prepared(2, 1), bounds: "2/1/0", short: 1, check: accounted }),
  scenario("vdds-reader-dies", "a reader dies anywhere, with all that it holds", {
    reader: reader({ how: "hold", limit: 2, leaves: true }),
    writer: immortal(writer(3)),
  }, { bounds: "2/1/0", short: 1, check: lossless }),
  scenario("vdds-writer-dies", "a writer dies anywhere; another completes what it began", {
    reader: immortal(reader()),
    writer: writer(2, { how: "loan", leaves: true }),
    successor: heir("writer", writer(0, { comes: true, leaves: true })),
  }, { bounds: "2/1/0", short: 1, check: completed }),
  scenario("vdds-successor", "another follows the writer that died, and publishes on", {
    reader: immortal(reader()),
    writer: writer(1, { before: 1, leaves: true }),
    successor: heir("writer", writer(1, { comes: true, leaves: true })),
  }, { bounds: "1/1/0", short: 1, check: lossless }),
  scenario("vdds-loans", "two loans wait for a reader whose hints are late", {
    reader: reader({ how: "take", last: LOANED + 2 }),
    writer: writer(0, { how: "loans", before: LOANED }),
  }, { setup: prepared(0, 0, LOANED), bounds: "2/0/0", short: 0, check: lossless }),
  scenario("vdds-loans-die", "a writer dies anywhere with loans; another finds all descriptors", {
    reader: immortal(reader()),
    writer: writer(0, { how: "loans", leaves: true }),
    successor: heir("writer", writer(0, { comes: true, leaves: true })),
  }, { setup: prepared(0, 0, LOANED), bounds: "1/1/0", short: 0, check: completed }),
  scenario("vdds-observer", "an observer looks at every step of a writer and a reader", {
    reader: reader({ last: 3 }),
    writer: writer(2, { before: 1 }),
    observer: observer({ times: 2, history: 1 }),
  }, { bounds: "2/0/0", short: 1, check: observed(lossless) }),
  scenario("vdds-observer-lap", "a writer overwrites under the eyes of an observer", {
    writer: writer(2, { policy: "dropOldest", how: "loan", before: 2 }),
    observer: observer({ times: 2, history: 2 }),
  }, { bounds: "3/0/0", short: 2, check: observed(accounted) }),
  scenario("vdds-observer-drop", "an observer reads what the writer takes from a slow reader", {
    reader: reader({ limit: 0 }),
    writer: writer(1, { policy: "dropOldest", before: 2 }),
    observer: observer({ times: 2, history: 2 }),
  }, { bounds: "3/0/0", short: 2, check: observed(accounted) }),
  scenario("vdds-observer-dies", "writers die anywhere before an observer that waits", {
    writer: writer(2, { policy: "dropOldest", before: 1, leaves: true }),
    successor: heir("writer", writer(1, { policy: "dropOldest", comes: true, differs: true })),
    observer: immortal(observer({ times: 3, history: 1 })),
  }, { setup: prepared(0, 0, SPACIOUS), bounds: "1/1/0", short: 0, check: observed(succeeded) }),
  scenario("vdds-observed", "an observer waits for the last sample, and nobody wakes it", {
    writer: writer(3),
    observer: observer({ upTo: 3 }),
  }, { bounds: "3/0/0", short: 2, check: observed(accounted) }),
  scenario("vdds-both-die", "a reader dies, and the writer that takes back what it had", {
    reader: reader({ how: "hold", limit: 2, leaves: true }),
    writer: writer(3, { leaves: true }),
    successor: {
      ...writer(1, { policy: "dropOldest", comes: true, leaves: true }),
      after: "writer",
      immortal: true,
    },
  }, { bounds: "1/2/0", short: 0, check: accounted }),
  scenario("vdds-reclaim", "a writer takes back what a dead reader has; a joiner takes its row", {
    writer: writer(2, { comes: true, leaves: true }),
    reader: reader({ how: "take", comes: true }),
  }, { setup: abandoned, bounds: "3/0/0", check: regained }),
  scenario("vdds-reclaim-dies", "a writer dies while it takes back, and a joiner takes the row", {
    writer: writer(1, { comes: true, leaves: true }),
    reader: immortal(reader({ how: "take", comes: true, leaves: true })),
    successor: heir("writer", writer(2, { comes: true, leaves: true })),
  }, { setup: abandoned, bounds: "1/1/0", short: 0, check: regained }),
  scenario("vdds-row-of-dead", "a reader takes the row of one that died anywhere", {
    reader: reader({ how: "take", limit: 2, leaves: true }),
    writer: immortal(writer(2, { before: 1, leaves: true })),
    next: heir("reader", reader({ comes: true })),
  }, { bounds: "1/1/0", short: 1, check: regained }),
]);
