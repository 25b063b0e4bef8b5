/**
 * Who acts in the scenarios of publish and subscribe, and what every run must come to.
 *
 * A sample's bytes say its number. At the end of each run an auditor, alone with what the others
 * left, publishes as many samples as there are descriptors to a subscriber that holds them all: all
 * go if no descriptor has leaked, and no more go if none was free twice.
 *
 * @module
 */

import { PeerLostError } from "../../../src/errors.ts";
import { copyOut } from "../../../src/memory/word.ts";
import { topic, type TopicDefinition } from "../../../src/vdds/definition.ts";
import type { Loan } from "../../../src/vdds/publisher.ts";
import type { Publisher } from "../../../src/vdds/publisher.ts";
import type { Sample } from "../../../src/vdds/sample.ts";
import type { Policy } from "../../../src/vdds/topic_options.ts";
import { Kept, type VRing } from "../../../src/vdds/vring.ts";
import { stampOfSequence, State, wordOf } from "../../../src/vdds/vring_layout.ts";
import {
  type ActorSpec,
  arranged,
  type End,
  messageOf,
  openSoon,
  pattern,
  type Scenario,
} from "../scenario.ts";

const DEPTH = 2;
const LENGTH = 8;
const HIGHEST = 14;
const OPTIONS = { depth: DEPTH, size: LENGTH, subscribers: 2, persist: true };
const ASLEEP = { spin: 0 };

/** How an actor is there: from the beginning and to the end, unless it is said otherwise. */
interface Presence {
  /** Whether it opens its end amid the others, and not before all begins. */
  readonly comes?: boolean;
  /** Whether it closes its end, and is not just gone when all is over. */
  readonly leaves?: boolean;
}

function actor<T>({ comes }: Presence, open: () => T, act: (opened: T) => unknown): ActorSpec {
  return comes ? { body: () => act(open()) } : arranged(open, act);
}

/** What a topic is like, besides what all have in common. */
interface Plan {
  readonly policy?: Policy;
  readonly history?: number;
  readonly depth?: number;
}

/** The topic of a scenario. */
interface Setting {
  /** Makes the definition, amid the actors. */
  readonly definition: () => TopicDefinition;
  /** Whether its publishers wait, and drop nothing. */
  readonly waits: boolean;
}

// ---- writers ----

interface Sent {
  readonly sent: number[];
  /** The number of the last sample that it knew of, from any publisher. */
  readonly last: number;
}

/** What the bytes of a successor's sample say besides its number, where that matters. */
const SUCCESSOR = 7;

function writer(
  { definition, waits }: Setting,
  count: number,
  options: Presence & {
    how?: "copy" | "loan" | "loans";
    before?: number;
    /** Whether its bytes tell its samples from those of a writer before it. */
    differs?: boolean;
  } = {},
): ActorSpec {
  const { how = "copy", before = 0, leaves, differs } = options;
  const sendOne = (publisher: Publisher, sent: number[]) => {
    const number = publisher.sequence + 1;
    const bytes = pattern(LENGTH, differs ? number + SUCCESSOR : number);
    if (how === "loan") {
      const options = { length: LENGTH, ...ASLEEP };
      const loan = waits ? publisher.loanSync(options) : publisher.tryLoan(options)!;
      loan.bytes.set(bytes);
      loan.publish();
    } else if (waits) publisher.sendSync(bytes, ASLEEP);
    else if (!publisher.trySend(bytes)) return;
    sent.push(number);
  };
  /** Publishes the second of two loans, gives a third one back, and publishes the first. */
  const sendLoans = (publisher: Publisher, sent: number[]) => {
    const loan = () => publisher.loanSync({ length: LENGTH, ...ASLEEP });
    const publish = (filled: Loan) => {
      const number = publisher.sequence + 1;
      filled.bytes.set(pattern(LENGTH, number));
      filled.publish();
      sent.push(number);
    };
    const [first, second] = [loan(), loan()];
    publish(second);
    loan()[Symbol.dispose]();
    publish(first);
  };
  const open = () => {
    const publisher = openSoon(() => definition().publisher());
    const sent: number[] = [];
    for (let i = 0; i < before; i++) sendOne(publisher, sent);
    return { publisher, sent };
  };
  return actor(options, open, ({ publisher, sent }): Sent => {
    if (how === "loans") sendLoans(publisher, sent);
    else for (let i = 0; i < count; i++) sendOne(publisher, sent);
    if (leaves) publisher.close();
    return { sent, last: publisher.sequence };
  });
}

// ---- readers ----

interface Seen {
  readonly seen: number[];
  readonly lost: number;
  readonly torn: boolean;
  readonly end: string;
}

function reader(
  { definition }: Setting,
  options: Presence & {
    how?: "copy" | "poll" | "take" | "hold" | "latest";
    limit?: number;
    last?: number;
    history?: number;
  } = {},
): ActorSpec {
  const { how = "copy", limit = Infinity, last = Infinity, history = 0, leaves } = options;
  const open = () => {
    const ring = how === "hold" ? definition().openRing() : undefined;
    const subscriber = openSoon(() => definition().subscriber({ history, onPeerGone: "end" }));
    return { subscriber, ring };
  };
  return actor(options, open, ({ subscriber, ring }): Seen => {
    const seen: number[] = [];
    const held: Sample[] = [];
    let lost = 0;
    let torn = false;
    const note = (bytes: Uint8Array, told: { sequence: number; lost: number }) => {
      if (messageOf(bytes, HIGHEST) !== told.sequence) torn = true;
      seen.push(told.sequence);
      lost += told.lost;
    };
    const done = (end: string) => {
      for (const sample of held) {
        if (!isInPlace(ring!, sample)) torn = true;
        if (leaves) sample[Symbol.dispose](); // which checks that it still is held
      }
      if (leaves) subscriber.close();
      return { seen, lost, torn, end };
    };
    while (seen.length < limit && (seen.at(-1) ?? 0) < last) {
      try {
        if (how === "poll") {
          subscriber.poll((sample) => note(sample.bytes, sample));
          if (seen.at(-1) === last) break;
        }
        if (how === "copy" || how === "poll") {
          const message = subscriber.receiveSync(ASLEEP);
          if (message === undefined) return done("closed");
          note(message.value, message);
          continue;
        }
        const sample = how === "latest"
          ? subscriber.takeLatestSync(ASLEEP)
          : subscriber.takeSync(ASLEEP);
        if (sample === undefined) return done("closed");
        note(sample.bytes, sample);
        if (how === "hold") held.push(sample);
        else sample[Symbol.dispose]();
      } catch (error) {
        if (error instanceof PeerLostError) return done("lost");
        throw error;
      }
    }
    return done("limit");
  });
}

/** Whether a sample that is held is what it was. What the sample shows is a copy of the moment. */
function isInPlace(ring: VRing, { sequence }: Sample): boolean {
  for (let d = 0; d < ring.plan.depth; d++) {
    if (ring.descriptors.load(d, "sequence") !== sequence) continue;
    const bytes = new Uint8Array(LENGTH);
    copyOut(ring.region.mapping, ring.descriptors.sampleAt(d), bytes);
    return messageOf(bytes, HIGHEST) === sequence;
  }
  return false;
}

// ---- observers ----

interface Watched {
  readonly watched: number[];
  /** Those of them that a writer with the option `differs` sent. */
  readonly differing: number[];
  readonly lost: number;
  readonly torn: boolean;
}

function observer(
  { definition }: Setting,
  options: Presence & { times?: number; upTo?: number; history?: number },
): ActorSpec {
  const { times, upTo, history = 0 } = options;
  const open = () => definition().observer({ history });
  return actor(options, open, (observer): Watched => {
    const watched: number[] = [];
    const differing: number[] = [];
    let lost = 0;
    let torn = false;
    const isOver = (count: number) =>
      times !== undefined ? count === times : watched.at(-1) === upTo;
    for (let count = 0; !isOver(count); count++) {
      const found = times !== undefined ? observer.tryReceive() : observer.receiveSync(ASLEEP);
      if (found === undefined) continue;
      const { sequence, value } = found;
      const message = messageOf(value, HIGHEST);
      if (message === sequence + SUCCESSOR) differing.push(sequence);
      else if (message !== sequence) torn = true;
      watched.push(sequence);
      lost += found.lost;
    }
    observer.close();
    return { watched, differing, lost, torn };
  });
}

/** An observer saw no sample of a dead writer where its successor published another. */
export function succeeded({ results }: End): string | undefined {
  const { watched, differing } = results.observer as Watched;
  const { sent } = results.successor as Sent;
  const wrong = watched.filter((n) => sent.includes(n) !== differing.includes(n));
  return wrong.length > 0 ? `the observer saw ${wrong}, which was not published` : sound(results);
}

/** Everything is as `check` says without the observer, which saw whole samples in order. */
export function observed(check: Scenario["check"]): Scenario["check"] {
  return (end) => {
    const { observer } = end.results as { observer: Watched | undefined };
    if (observer !== undefined) {
      const { watched, lost, torn } = observer;
      if (torn) return "the observer accepted torn bytes";
      const gaps = watched.map((number, i) => i === 0 ? 0 : number - watched[i - 1]! - 1);
      if (gaps.some((gap) => gap < 0)) return `the observer saw ${watched}`;
      const missed = gaps.reduce((sum, gap) => sum + gap, 0);
      if (lost < missed) return `the observer saw ${watched} and counted ${lost} lost`;
    }
    return check(end);
  };
}

// ---- what is left ----

interface Audit {
  readonly depth: number;
  readonly fits: boolean[];
  readonly received: number[];
  readonly inFlight: number;
}

function audit(definition: TopicDefinition): Audit {
  const publisher = openSoon(() => definition.publisher());
  const subscriber = openSoon(() => definition.subscriber({ history: 0 }));
  const fits: boolean[] = [];
  const held: (Sample | undefined)[] = [];
  for (let i = 0; i <= publisher.depth; i++) {
    fits.push(publisher.trySend(pattern(LENGTH, HIGHEST)));
    held.push(subscriber.tryTake());
  }
  const { inFlight } = publisher.counters;
  const received = held.flatMap((sample) => sample ? [messageOf(sample.bytes, HIGHEST) ?? 0] : []);
  return { depth: publisher.depth, fits, received, inFlight };
}

// ---- what must hold ----

type Results = Readonly<Record<string, unknown>>;

function seenIn(results: Results): [name: string, seen: Seen][] {
  return (Object.entries(results) as [string, Seen | Sent | undefined][]).filter((
    entry,
  ): entry is [string, Seen] => entry[1] !== undefined && "seen" in entry[1]);
}

/** The invariant of every run. */
export function sound(results: Results): string | undefined {
  for (const [name, { seen, lost, torn }] of seenIn(results)) {
    if (torn) return `${name} was given torn bytes, or what it held was written to`;
    if (seen.some((number, i) => i > 0 && number <= seen[i - 1]!)) return `${name} got ${seen}`;
    if (lost < 0) return `${name} lost ${lost}`;
  }
  const { depth, fits, received, inFlight } = results.auditor as Audit;
  if (fits.indexOf(false) !== depth) return `at the end it could publish ${fits}`;
  if (received.join() !== Array(depth).fill(HIGHEST).join()) {
    return `at the end ${received} was received`;
  }
  return inFlight === depth ? undefined : `at the end ${inFlight} were in flight`;
}

/** Nothing is missing between the first sample that a reader got and the last there is for it. */
export const lossless: Scenario["check"] = (end) => missing(end, 0) ?? sound(end.results);

/**
 * Nothing is missing from the second sample on: a reader that takes a row can get a sample meant for
 * the last reader of the row, and then counts samples from before it came as lost.
 */
export const regained: Scenario["check"] = (end) => missing(end, 1) ?? accounted(end);

/** Nothing is missing, and a sample that a dead writer began arrives once another has closed. */
export const completed: Scenario["check"] = (end) => {
  const { seen, end: how } = end.results.reader as Seen;
  const { last } = end.results.successor as Sent;
  if (how === "closed" && (seen.at(-1) ?? 0) !== last) {
    return `reader got ${seen}, and the last is ${last}`;
  }
  return lossless(end);
};

function missing({ results, dead }: End, first: number): string | undefined {
  const ends = (Object.values(results) as (Seen | Sent | undefined)[]).flatMap((result) =>
    result !== undefined && "last" in result ? [result.last] : []
  );
  for (const [name, { seen, lost, end }] of seenIn(results)) {
    const gap = seen.findIndex((number, i) => i > first && number !== seen[i - 1]! + 1);
    if (gap > 0 || first === 0 && lost > 0) return `${name} got ${seen} and lost ${lost}`;
    const last = seen[Math.max(first, seen.length - 1)];
    if (dead.size === 0 && end === "closed" && last !== undefined && !ends.includes(last)) {
      return `${name} got ${seen}, and the last were ${ends}`;
    }
  }
}

/** Everything has arrived. */
export const complete: Scenario["check"] = ({ results }) => {
  const { sent } = results.writer as Sent;
  const { seen, lost, torn } = results.reader as Seen;
  const arrived = seen.length === 0 || seen.join() === sent.slice(-seen.length).join();
  return arrived && lost === 0 && !torn ? undefined : `of ${sent} it got ${seen} and lost ${lost}`;
};

/** Every lost sample is counted. */
export const accounted: Scenario["check"] = ({ results }) => {
  for (const [name, { seen, lost }] of seenIn(results)) {
    if (seen.length === 0) continue;
    const between = seen.at(-1)! - seen[0]! + 1 - seen.length;
    if (lost < between) return `${name} got ${seen} and counted ${lost} lost`;
  }
  return sound(results);
};

/** The count of the lost does not exceed the samples that were passed over. */
export const skipping: Scenario["check"] = ({ results }) => {
  const { seen, lost } = results.reader as Seen;
  const between = seen.length === 0 ? 0 : seen.at(-1)! - seen.length;
  return lost > between ? `reader got ${seen} and counted ${lost} lost` : sound(results);
};

// ---- what is there before ----

/** A topic; as if so many samples had been published. */
function prepare(definition: TopicDefinition, samples: number): void {
  if (samples === 0) return definition.openRing().region.close(); // readers wait for a publisher
  using publisher = definition.publisher();
  for (let number = 1; number <= samples; number++) publisher.trySend(pattern(LENGTH, number));
}

/** As if a reader had died while it held all descriptors, and nobody had noticed. */
function abandon(definition: TopicDefinition): void {
  const ring = definition.openRing();
  const { online, row } = ring.reader(0);
  ring.rows.store(1);
  online.store(1);
  ring.members.add(1);
  for (let d = 0; d < DEPTH; d++) {
    ring.descriptors.store(d, "sequence", d + 1);
    ring.descriptors.store(d, "length", LENGTH);
    ring.descriptors.references[d]!.store(1);
    row[d]!.store(wordOf(stampOfSequence(d + 1), State.held));
  }
  ring.keep(Kept.sequence, DEPTH);
  ring.available.add(DEPTH); // and the writer has taken them out
  ring.region.close();
}

// ---- the actors at a topic ----

/** The actors at a topic, all with its definition. */
export class Cast {
  readonly #setting: Setting;

  constructor(plan: Plan = {}) {
    const { policy = "block" } = plan;
    const definition = () => topic("topic", { ...OPTIONS, ...plan });
    this.#setting = { definition, waits: policy === "block" };
  }

  /** Publishes so many samples, and `before` others when it opens. */
  writer(count: number, options: Parameters<typeof writer>[2] = {}): ActorSpec {
    return writer(this.#setting, count, options);
  }

  /** Receives until the publisher has closed or is dead, or so many samples, or the last one. */
  reader(options: Parameters<typeof reader>[1] = {}): ActorSpec {
    return reader(this.#setting, options);
  }

  /** Observes so many outcomes without waiting; or waits for the sample `upTo`. */
  observer(options: Parameters<typeof observer>[1]): ActorSpec {
    return observer(this.#setting, options);
  }

  /** Looks at what is left. */
  auditor(): ActorSpec {
    return { body: () => audit(this.#setting.definition()), last: true, immortal: true };
  }

  /** Makes the topic; as if so many samples had been published. */
  prepared(samples = 0): () => void {
    return () => prepare(this.#setting.definition(), samples);
  }

  /** Makes the topic; as if a reader had died while it held all, and nobody had noticed. */
  abandoned(): () => void {
    return () => abandon(this.#setting.definition());
  }
}
