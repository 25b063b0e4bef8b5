/**
 * The ring from many producers to one consumer: the bell and the hints, lanes that are used again,
 * and the death of anyone.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  makeMemory,
  mapMemory,
  messageOf,
  openSoon,
  pattern,
  type Row,
  type Scenario,
  scenarios,
  unarranged,
  untilEnd,
} from "../scenario.ts";

// A lane of 512 bytes holds two records of 208 bytes.
const LENGTH = 200;

interface Message {
  readonly message: number;
  readonly lane: number;
  readonly generation: number;
}

interface Received {
  readonly received: readonly Message[];
  readonly end: string;
}

const OPTIONS = { capacity: 512, persist: true };

const ring = (producers: number) => mpsc("ring", { ...OPTIONS, producers });

/** Sends these messages, one after the other, and waits for room. */
function producer(lanes: number, messages: readonly number[]): ActorSpec {
  const open = () => openSoon(() => ring(lanes).producer({ onPeerGone: "wait" }));
  return arranged(open, (producer) => {
    for (const message of messages) producer.sendSync(pattern(LENGTH, message), { spin: 0 });
    producer.close();
    return { sent: messages };
  });
}

/** Receives until all producers have closed, or are lost, or the limit. */
function consumer(
  lanes: number,
  options: { limit?: number; onPeerGone?: "wait" | "end"; how?: "copy" | "poll" } = {},
): ActorSpec {
  const { limit = Infinity, onPeerGone = "end", how = "copy" } = options;
  const open = () => openSoon(() => ring(lanes).consumer({ onPeerGone }));
  return arranged(open, (consumer): Received => {
    const received: Message[] = [];
    const note = (bytes: Uint8Array, from: { producer: number; generation: number }) => {
      const { producer: lane, generation } = from;
      received.push({ message: messageOf(bytes, 9) ?? 0, lane, generation });
    };
    const poll = () =>
      consumer.poll((message) => note(message.bytes, message), limit - received.length);
    const end = untilEnd(() => {
      if (received.length >= limit) return "limit";
      if (how === "poll" && poll() > 0) return;
      const message = consumer.receiveSync({ spin: 0, timeout: 1000 });
      if (message === undefined) return "closed";
      note(message.value, message);
    });
    consumer.close();
    return { received, end };
  });
}

/** The messages of a consumer of batches, and the lanes that earlier consumers had handled. */
interface Handled {
  readonly received: readonly (Message & { sequence: number; redelivered: boolean })[];
  readonly before: number;
}

/** Takes one batch of both lanes, acknowledges it, and notes the lanes it handled. */
function batchConsumer(limit: number): ActorSpec {
  const open = () => openSoon(() => ring(2).consumer({ onPeerGone: "wait" }));
  return arranged(open, (consumer): Handled => {
    const handled = new Word32(mapMemory("notes"), { path: "handled", offset: 0 });
    const before = handled.load();
    const received = [];
    while (received.length < limit) {
      using batch = consumer.tryTakeBatch();
      if (batch === undefined) break;
      for (const { bytes, producer: lane, generation, sequence, redelivered } of batch) {
        received.push({
          message: messageOf(bytes, 9) ?? 0,
          lane,
          generation,
          sequence,
          redelivered,
        });
        handled.or(1 << lane);
      }
      batch.ack();
    }
    consumer.close();
    return { received, before };
  });
}

/** Finds a fault in the order of messages, over all consumers. */
function wrongOrder(received: readonly Message[]): string | undefined {
  const last = new Map<string, number>();
  for (const { message, lane, generation } of received) {
    if (message === 0) return "torn bytes were received";
    const who = `${lane}/${generation}`;
    if (message <= (last.get(who) ?? 0)) return `${message} came after ${last.get(who)} in ${who}`;
    last.set(who, message);
  }
  return undefined;
}

/** All that the living have sent has arrived, in order. */
const arrived: Scenario["check"] = ({ results, dead }) => {
  const all = Object.values(results).flatMap((result) =>
    (result as Received | undefined)?.received ?? []
  );
  const wrong = wrongOrder(all);
  if (wrong !== undefined) return wrong;
  const messages = new Set(all.map(({ message }) => message));
  if (messages.size < all.length) return "a message came twice";
  for (const [name, result] of Object.entries(results)) {
    const sent = (result as { sent?: readonly number[] } | undefined)?.sent ?? [];
    const lost = sent.filter((message) => !messages.has(message));
    if (lost.length > 0 && !dead.has("consumer")) return `${lost} of ${name} did not arrive`;
  }
  return undefined;
};

function scenario(
  name: string,
  about: string,
  lanes: number,
  actors: Actors,
  bounds: Row["bounds"],
  check: Scenario["check"],
  short?: number,
): Row {
  const setup = () => {
    ring(lanes).consumer().close();
  };
  return { name, about, setup, actors, bounds, check, ...short !== undefined && { short } };
}

/** All scenarios of the ring from many producers to one consumer. */
export const MPSC: readonly Scenario[] = scenarios([
  scenario(
    "mpsc-flow",
    "two producers, one of them through a full lane; the consumer sleeps on one bell",
    2,
    {
      first: producer(2, [1, 2, 3]),
      second: producer(2, [4]),
      consumer: consumer(2, { limit: 4, onPeerGone: "wait" }),
    },
    "2/0/0",
    arrived,
    1,
  ),
  scenario(
    "mpsc-hints",
    "one who polls and then sleeps: no hint that is taken hides a message",
    2,
    {
      first: producer(2, [1]),
      second: producer(2, [2]),
      consumer: consumer(2, { how: "poll", limit: 2, onPeerGone: "wait" }),
    },
    "3/0/0",
    arrived,
    1,
  ),
  scenario(
    "mpsc-producer-dies",
    "a producer dies anywhere; what it published is drained, and the other is served",
    2,
    {
      mortal: unarranged(producer(2, [1, 2])),
      other: immortal(producer(2, [3])),
      consumer: immortal(consumer(2)),
      auditor: last(consumer(2)),
    },
    "1/1/0",
    ({ results }) => {
      const [first, second] = [results.consumer, results.auditor] as Received[];
      const all = [...first!.received, ...second!.received];
      const wrong = wrongOrder(all);
      if (wrong !== undefined) return wrong;
      if (!all.some(({ message }) => message === 3)) return "3 did not arrive";
      // The other may come later, but what the dead one sent was there before it was called dead.
      const late = second!.received.find(({ message }) => message < 3);
      return first!.end === "lost" && late ? `${late.message} was left` : undefined;
    },
    0,
  ),
  scenario(
    "mpsc-lane-again",
    "a producer dies anywhere; another takes the lane once it is drained",
    1,
    {
      mortal: unarranged(producer(1, [1])),
      successor: heir("mortal", producer(1, [2])),
      consumer: immortal(consumer(1, { limit: 1, onPeerGone: "wait" })),
      auditor: last(consumer(1)),
    },
    "2/1/0",
    ({ results }) => {
      const all = ["consumer", "auditor"].flatMap((name) => (results[name] as Received).received);
      const wrong = wrongOrder(all);
      if (wrong !== undefined) return wrong;
      const [first, second] = all;
      if (all.length === 1) return first!.message === 2 ? undefined : "2 did not arrive";
      const ordered = all.length === 2 && first!.message === 1 && second!.message === 2;
      if (!ordered) return `received ${all.map(({ message }) => message)}`;
      return first!.generation < second!.generation ? undefined : "both are of one generation";
    },
    1,
  ),
  scenario(
    "mpsc-consumer-dies",
    "a consumer dies anywhere, even after taking hints; its successor loses nothing",
    2,
    {
      first: immortal(producer(2, [1, 2])),
      second: immortal(producer(2, [3])),
      consumer: unarranged(consumer(2, { limit: 2, onPeerGone: "wait" })),
      successor: heir("consumer", consumer(2, { limit: 3 })),
      auditor: last(consumer(2)),
    },
    "1/1/0",
    ({ results }) => {
      const of = (name: string) => (results[name] as Received | undefined)?.received ?? [];
      const later = [...of("successor"), ...of("auditor")];
      const wrong = wrongOrder(later) ?? wrongOrder(of("consumer"));
      if (wrong !== undefined) return wrong;
      const all = new Set([...of("consumer"), ...later].map(({ message }) => message));
      const died = results.consumer === undefined;
      // What the dead one had received, nobody can tell: at most what it released.
      const lost = [1, 2, 3].filter((message) => !all.has(message));
      return lost.length > (died ? 2 : 0) ? `${lost} did not arrive` : undefined;
    },
    0,
  ),
  {
    ...scenario(
      "mpsc-batch-dies",
      "a consumer dies anywhere in a batch of two lanes; each lane comes again, or was handled",
      2,
      { consumer: unarranged(batchConsumer(2)), successor: heir("consumer", batchConsumer(2)) },
      "0/1/0",
      ({ results }) => {
        const { received, before } = results.successor as Handled;
        for (const { message, lane, sequence, redelivered } of received) {
          if (message !== lane + 1 || sequence !== 1) return `${message} has number ${sequence}`;
          const isHandled = (before & 1 << lane) !== 0;
          if (isHandled && !redelivered) return `${message} came again without a flag`;
        }
        const lanes = received.reduce((bits, { lane }) => bits | 1 << lane, before);
        return lanes === 3 ? undefined : "a message was released, and nobody handled it";
      },
      0,
    ),
    setup: () => {
      ring(2).consumer().close();
      makeMemory("notes", 64);
      for (const id of [0, 1]) {
        const producer = ring(2).producer({ id });
        producer.trySend(pattern(LENGTH, id + 1));
        producer.close();
      }
    },
  },
]);
