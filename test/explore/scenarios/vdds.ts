/**
 * Publish and subscribe: joining, leaving, holding, dropping, and the death of anyone at every step.
 *
 * A sample's bytes say its number. At the end of each run an auditor, alone with what the others
 * left, publishes as many samples as there are descriptors to a subscriber that takes none: all go
 * if no descriptor has leaked, and no more go if none was free twice.
 *
 * @module
 */

import { PeerLostError, RoleTakenError } from "../../../src/errors.ts";
import { codec } from "../../../src/layout/codec.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { type Policy, Publisher } from "../../../src/vdds/publisher.ts";
import { Subscriber } from "../../../src/vdds/subscriber.ts";
import { openTopic } from "../../../src/vdds/topic.ts";
import { Kept } from "../../../src/vdds/vring.ts";
import { stampOfSequence, State, wordOf } from "../../../src/vdds/vring_layout.ts";
import { type ActorSpec, messageOf, pattern, type Scenario } from "../scenario.ts";

const DEPTH = 2;
const DEEP = 8; // so deep that hints are given in pairs
const LENGTH = 8;
const HIGHEST = 12;
const TOPIC = "topic";
const OPTIONS = { depth: DEPTH, size: LENGTH, maxSubscribers: 2, persist: true };

/** Opens an end, once the kernel has dropped the locks of the one that died. */
function soon<T>(open: () => T): T {
  for (;;) {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
      sleepSync(1);
    }
  }
}

interface Sent {
  readonly sent: number[];
}

/** Publishes so many samples, and closes. */
function writer(
  count: number,
  options: { policy?: Policy; history?: number; how?: "copy" | "loan" } = {},
): () => Sent {
  const { policy = "block", history = 0, how = "copy" } = options;
  return () => {
    const publisher = soon(() => Publisher.open(TOPIC, { policy, history }));
    const sent: number[] = [];
    for (let i = 0; i < count; i++) {
      const bytes = (number: number) => pattern(LENGTH, number);
      const number = publisher.sequence + 1;
      if (how === "loan") {
        publisher.loanSync(LENGTH, { spin: 0 })!.set(bytes(number));
        publisher.publish();
        sent.push(number);
      } else if (publisher.sendSync(bytes(number), { spin: 0 })) sent.push(number);
    }
    publisher.close();
    return { sent };
  };
}

interface Seen {
  readonly seen: number[];
  readonly lost: number;
  readonly torn: boolean;
  readonly end: string;
}

/** Receives until the publisher has closed or is dead, or so many samples. */
function reader(
  options: {
    how?: "copy" | "poll" | "take" | "hold" | "latest";
    limit?: number;
    history?: number;
  } = {},
): () => Seen {
  const { how = "copy", limit = Infinity, history = 0 } = options;
  return () => {
    const subscriber = soon(() => Subscriber.open(TOPIC, { history, keepOpen: false }));
    const seen: number[] = [];
    const held: Disposable[] = [];
    let lost = 0;
    let torn = false;
    const note = (bytes: Uint8Array, told: { sequence: number; lost: number }) => {
      if (messageOf(bytes, HIGHEST) !== told.sequence) torn = true;
      seen.push(told.sequence);
      lost += told.lost;
    };
    const done = (end: string) => {
      for (const sample of held) sample[Symbol.dispose](); // which checks that they still are held
      subscriber.close();
      return { seen, lost, torn, end };
    };
    while (seen.length < limit) {
      try {
        if (how === "poll") {
          subscriber.poll((bytes, sequence, lost) => note(bytes, { sequence, lost }));
        }
        if (how === "copy" || how === "poll") {
          const outcome = subscriber.receiveSync({ spin: 0 });
          if (outcome.state === "closed") return done("closed");
          note(outcome.value, outcome);
          continue;
        }
        const outcome = how === "latest"
          ? subscriber.takeLatestSync({ spin: 0 })
          : subscriber.takeSync({ spin: 0 });
        if (outcome.state === "closed") return done("closed");
        note(outcome.sample.bytes, outcome.sample);
        if (how === "hold") held.push(outcome.sample);
        else outcome.sample[Symbol.dispose]();
      } catch (error) {
        if (error instanceof PeerLostError) return done("lost");
        throw error;
      }
    }
    return done("limit");
  };
}

interface Audit {
  readonly fits: boolean[];
  readonly received: number[];
  readonly inFlight: number;
}

/** Looks at what is left. */
function audit(): Audit {
  const publisher = soon(() => Publisher.open(TOPIC));
  const subscriber = soon(() => Subscriber.open(TOPIC));
  const fits: boolean[] = [];
  for (let i = 0; i <= DEPTH; i++) fits.push(publisher.trySend(pattern(LENGTH, HIGHEST)));
  const { inFlight } = publisher.counters;
  const received: number[] = [];
  for (;;) {
    const outcome = subscriber.tryReceive();
    if (outcome.state !== "ok") break;
    received.push(messageOf(outcome.value, HIGHEST) ?? 0);
  }
  return { fits, received, inFlight };
}

const AUDITOR: ActorSpec = { body: audit, last: true, immortal: true };

/** What every run must come to. */
function sound(results: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, result] of Object.entries(results) as [string, Seen | Sent | undefined][]) {
    if (result === undefined || !("seen" in result)) continue;
    const { seen, lost, torn } = result;
    if (torn) return `${name} was given torn bytes`;
    if (seen.some((number, i) => i > 0 && number <= seen[i - 1]!)) return `${name} got ${seen}`;
    if (lost < 0) return `${name} lost ${lost}`;
  }
  const { fits, received, inFlight } = results.auditor as Audit;
  if (fits.join() !== "true,true,false") return `at the end it could publish ${fits}`;
  if (received.join() !== `${HIGHEST},${HIGHEST}`) return `at the end ${received} was received`;
  return inFlight === DEPTH ? undefined : `at the end ${inFlight} were in flight`;
}

/** Nothing is missing between the first sample that a reader got and the last there is for it. */
const lossless: Scenario["check"] = ({ results, dead }) => {
  for (const [name, result] of Object.entries(results) as [string, Seen | Sent | undefined][]) {
    if (result === undefined || !("seen" in result)) continue;
    const { seen, lost, end } = result;
    const gap = seen.findIndex((number, i) => i > 0 && number !== seen[i - 1]! + 1);
    if (gap > 0 || lost > 0) return `${name} got ${seen} and lost ${lost}`;
    const ends = Object.values(results).flatMap((other) =>
      other !== undefined && "sent" in (other as Sent) ? (other as Sent).sent.slice(-1) : []
    );
    const last = seen.at(-1);
    if (dead.size === 0 && end === "closed" && last !== undefined && !ends.includes(last)) {
      return `${name} got ${seen}, and the last were ${ends}`;
    }
  }
  return sound(results);
};

/** Everything has arrived. */
const complete: Scenario["check"] = ({ results }) => {
  const { sent } = results.writer as Sent;
  const { seen, lost, torn } = results.reader as Seen;
  const arrived = seen.length === 0 || seen.join() === sent.slice(-seen.length).join();
  return arrived && lost === 0 && !torn ? undefined : `of ${sent} it got ${seen} and lost ${lost}`;
};

/** What was lost is told. */
const accounted: Scenario["check"] = ({ results }) => {
  for (const [name, result] of Object.entries(results) as [string, Seen | Sent | undefined][]) {
    if (result === undefined || !("seen" in result) || result.seen.length === 0) continue;
    const { seen, lost } = result;
    const between = seen.at(-1)! - seen[0]! + 1 - seen.length;
    if (lost < between) return `${name} got ${seen} and was told of ${lost} lost`;
  }
  return sound(results);
};

/** Of what was passed over, no more is told as lost than was not taken. */
const skipping: Scenario["check"] = ({ results }) => {
  const { seen, lost } = results.reader as Seen;
  const between = seen.length === 0 ? 0 : seen.at(-1)! - seen.length;
  return lost > between ? `reader got ${seen} and was told of ${lost} lost` : sound(results);
};

/** A topic; as if so many samples had been published, with a history. */
function prepared(samples = 0, history = 0, depth = DEPTH): () => void {
  return () => {
    using _subscriber = Subscriber.open(TOPIC, { ...OPTIONS, depth });
    if (samples === 0) return; // a publisher has never been, and readers wait for one
    using publisher = Publisher.open(TOPIC, { history, policy: "dropOldest" });
    for (let number = 1; number <= samples; number++) publisher.trySend(pattern(LENGTH, number));
  };
}

/** As if a reader had died with all descriptors in its hands, and nobody had noticed. */
function abandoned(): void {
  const ring = openTopic(TOPIC, OPTIONS, codec.bytes.type);
  const { online, row } = ring.reader(0);
  ring.rows.store(1);
  online.store(1);
  ring.members.add(1);
  for (let d = 0; d < DEPTH; d++) {
    ring.describe(d, "sequence", d + 1);
    ring.describe(d, "length", LENGTH);
    ring.references[d]!.store(1);
    row[d]!.store(wordOf(stampOfSequence(d + 1), State.held));
  }
  ring.keep(Kept.sequence, DEPTH);
  ring.available.add(DEPTH); // and the writer has taken them out
  ring.region.close();
}

function scenario(
  name: string,
  about: string,
  actors: Record<string, ActorSpec | (() => unknown)>,
  rest: Pick<Scenario, "bounds" | "check"> & Partial<Scenario>,
): Scenario {
  return { name, about, setup: prepared(), actors: { ...actors, auditor: AUDITOR }, ...rest };
}

/** All scenarios of publish and subscribe. */
export const VDDS: readonly Scenario[] = [
  scenario("vdds-block", "two readers come and go while a writer waits for them", {
    writer: writer(3),
    reader: reader(),
    other: reader({ how: "take", limit: 1 }),
  }, {
    bounds: { preemptions: 2, deaths: 0, noise: 0 },
    short: { preemptions: 1 },
    check: lossless,
  }),
  scenario("vdds-wait", "a writer and a reader sleep and wake each other", {
    writer: writer(4, { how: "loan" }),
    reader: reader({ how: "take" }),
  }, {
    bounds: { preemptions: 3, deaths: 0, noise: 1 },
    short: { preemptions: 1 },
    check: lossless,
  }),
  {
    name: "vdds-batch",
    about: "a writer sleeps while a reader gives hints of several together",
    setup: prepared(0, 0, DEEP),
    actors: { writer: writer(DEEP + 2), reader: reader({ how: "poll" }) },
    bounds: { preemptions: 2, deaths: 0, noise: 0 },
    short: { preemptions: 1 },
    check: complete,
  },
  scenario("vdds-drop", "the oldest unread sample makes room, but none that is held", {
    writer: writer(4, { policy: "dropOldest" }),
    reader: reader({ how: "hold", limit: 2 }),
    other: reader({ how: "take", limit: 2 }),
  }, {
    bounds: { preemptions: 2, deaths: 0, noise: 0 },
    short: { preemptions: 1 },
    check: accounted,
  }),
  scenario("vdds-lap", "the writer drops under the eyes of a reader that takes", {
    writer: writer(5, { policy: "dropOldest" }),
    reader: reader({ how: "take" }),
  }, {
    bounds: { preemptions: 3, deaths: 0, noise: 0 },
    short: { preemptions: 1 },
    check: accounted,
  }),
  scenario("vdds-latest", "a reader takes only the newest", {
    writer: writer(4, { policy: "dropNewest" }),
    reader: reader({ how: "latest", limit: 2 }),
  }, {
    bounds: { preemptions: 3, deaths: 0, noise: 0 },
    short: { preemptions: 2 },
    check: skipping,
  }),
  scenario("vdds-history", "late joiners ask for a sample that is unpinned at any step", {
    writer: writer(2, { policy: "dropOldest", history: 1 }),
    reader: reader({ how: "take", history: 1 }),
  }, {
    setup: prepared(2, 1),
    bounds: { preemptions: 3, deaths: 0, noise: 0 },
    short: { preemptions: 2 },
    check: accounted,
  }),
  scenario("vdds-history-dies", "a late joiner dies anywhere, also while it asks", {
    writer: { body: writer(2, { history: 1 }), immortal: true },
    reader: reader({ how: "take", history: 1, limit: 1 }),
  }, {
    setup: prepared(2, 1),
    bounds: { preemptions: 2, deaths: 1, noise: 0 },
    short: { preemptions: 1 },
    check: accounted,
  }),
  scenario("vdds-reader-dies", "a reader dies anywhere, with all that it holds", {
    reader: reader({ how: "hold", limit: 2 }),
    writer: { body: writer(3), immortal: true },
  }, {
    bounds: { preemptions: 2, deaths: 1, noise: 0 },
    short: { preemptions: 1 },
    check: lossless,
  }),
  scenario("vdds-writer-dies", "a writer dies anywhere; another completes what it began", {
    reader: { body: reader(), immortal: true },
    writer: writer(2, { how: "loan" }),
    successor: { body: writer(1), after: "writer", immortal: true },
  }, {
    bounds: { preemptions: 1, deaths: 1, noise: 0 },
    short: { preemptions: 0 },
    check: lossless,
  }),
  scenario("vdds-both-die", "a reader dies, and the writer that takes back what it had", {
    reader: reader({ how: "hold", limit: 2 }),
    writer: writer(3),
    successor: { body: writer(1, { policy: "dropOldest" }), after: "writer", immortal: true },
  }, {
    bounds: { preemptions: 0, deaths: 2, noise: 0 },
    short: { deaths: 1 },
    check: accounted,
  }),
  scenario("vdds-reclaim", "a writer takes back what a dead reader has; a joiner takes its row", {
    writer: writer(3),
    reader: reader({ how: "take" }),
  }, {
    setup: abandoned,
    bounds: { preemptions: 3, deaths: 0, noise: 0 },
    short: { preemptions: 2 },
    check: lossless,
  }),
  scenario("vdds-reclaim-dies", "a writer dies while it takes back, and a joiner takes the row", {
    writer: writer(1),
    reader: { body: reader({ how: "take" }), immortal: true },
    successor: { body: writer(2), after: "writer", immortal: true },
  }, {
    setup: abandoned,
    bounds: { preemptions: 1, deaths: 1, noise: 0 },
    short: { preemptions: 0 },
    check: lossless,
  }),
  scenario("vdds-row-again", "a reader takes the row of one that died anywhere", {
    reader: reader({ how: "hold", limit: 2 }),
    writer: { body: writer(4), immortal: true },
    next: { body: reader({ limit: 2 }), after: "reader", immortal: true },
  }, {
    bounds: { preemptions: 1, deaths: 1, noise: 0 },
    short: { preemptions: 0 },
    check: lossless,
  }),
];
