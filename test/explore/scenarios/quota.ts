/**
 * The quota of a topic: a reader that keeps its sample for ever does not keep the writer waiting, nor
 * another reader from what is published, through the death of a writer at every step.
 *
 * @module
 */

import { topic } from "../../../src/vdds/definition.ts";
import { type ActorSpec, arranged, heir, immortal, messageOf, pattern } from "../scenario.ts";
import { openSoon, type Scenario, scenarios } from "../scenario.ts";

const LENGTH = 8;
const HIGHEST = 9;

/** One more than the samples that two readers can keep, and one that the writer prepares. */
const DEPTH = 4;

const define = () =>
  topic("topic", { depth: DEPTH, size: LENGTH, subscribers: 2, quota: 1, persist: true });

/** Publishes so many samples without waiting; each finds memory. */
function writer(count: number): ActorSpec {
  return arranged(() => openSoon(() => define().publisher()), (publisher): boolean[] => {
    const went: boolean[] = [];
    for (let i = 0; i < count; i++) {
      went.push(publisher.trySend(pattern(LENGTH, publisher.sequence + 1)));
    }
    publisher.close();
    return went;
  });
}

/** Takes all that it gets and keeps it, and looks at it again at the end: it gets one. */
function keeper(): ActorSpec {
  return arranged(() => define().subscriber(), (subscriber): number => {
    const kept = [];
    for (let i = 0; i < 3; i++) {
      const sample = subscriber.tryTake();
      if (sample !== undefined) kept.push(sample);
    }
    if (kept.length > 1) return -1;
    return kept.length === 0 ? 0 : messageOf(kept[0]!.bytes, HIGHEST) ?? -2;
  });
}

interface Seen {
  readonly received: readonly number[];
  readonly lost: number;
  readonly last: number;
}

/** Receives what is there, a few times. */
function reader(times: number): ActorSpec {
  return arranged(() => define().subscriber(), (subscriber): Seen => {
    const received: number[] = [];
    let last = 0;
    for (let i = 0; i < times; i++) {
      const message = subscriber.tryReceive();
      if (message === undefined) continue;
      received.push(messageOf(message.value, HIGHEST) ?? -2);
      last = message.sequence;
    }
    return { received, lost: subscriber.lost, last };
  });
}

function setup(): void {
  const definition = define();
  definition.publisher().close();
}

/** Returns what is wrong with what the reader has seen. */
function misread({ received, lost, last }: Seen): string | undefined {
  const inOrder = received.every((message, i) => i === 0 || message > received[i - 1]!);
  const first = received[0] ?? 0;
  const isWhole = received.length === 0 || received.length + lost === last - first + 1;
  return inOrder && isWhole ? undefined : `the reader received ${received} and lost ${lost}`;
}

/** All scenarios of the quota. */
export const QUOTA: readonly Scenario[] = scenarios([
  {
    name: "vdds-quota",
    about: "a reader keeps its quota, and the writer always finds memory",
    setup,
    actors: { keeper: keeper(), reader: reader(3), writer: writer(4) },
    bounds: "2/0/0",
    short: 1,
    check({ results }) {
      const went = results.writer as boolean[];
      if (went.includes(false)) return `a sample found no memory: ${went}`;
      const kept = results.keeper as number;
      if (kept < 0) return `the keeper got ${kept}`;
      return misread(results.reader as Seen);
    },
  },
  {
    name: "vdds-quota-dies",
    about: "a writer dies, and its successor finds memory while a reader keeps its quota",
    setup,
    actors: {
      keeper: immortal(keeper()),
      writer: writer(2),
      successor: heir("writer", writer(4)),
    },
    bounds: "1/1/0",
    short: 0,
    check({ results }) {
      const went = results.successor as boolean[];
      if (went.includes(false)) return `a sample found no memory: ${went}`;
      const kept = results.keeper as number;
      return kept < 0 ? `the keeper got ${kept}` : undefined;
    },
  },
]);
