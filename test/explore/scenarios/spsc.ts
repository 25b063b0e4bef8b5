/**
 * The ring from one producer to one consumer: full, empty, round the end, and the death of either.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { byteRing, spsc } from "../../../src/spsc/definition.ts";
import { type Waitable, waitAnySync } from "../../../src/wait/any.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  isConsecutive,
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

// A page of 512 bytes holds two records of 208 bytes; the third must wait, and runs past the end.
const LENGTH = 200;
const OPTIONS = { capacity: 512, persist: true };

const ring = (name = "ring") => spsc(name, OPTIONS);
const bytes = () => byteRing("ring", OPTIONS);

interface Sent {
  readonly sent: number[];
}

interface Received {
  readonly received: number[];
  readonly again: number[];
  readonly end: string;
}

/** Sends messages `from` to `to`; waits for room. */
function producer(from: number, to: number, how: "copy" | "claim" = "copy"): ActorSpec {
  const open = () => openSoon(() => ring().producer({ onPeerGone: "wait" }));
  return arranged(open, (producer): Sent => {
    const sent: number[] = [];
    for (let message = from; message <= to; message++) {
      if (how === "copy") producer.sendSync(pattern(LENGTH, message), { spin: 0 });
      else {
        const claim = producer.claimSync(LENGTH, { spin: 0 });
        claim.bytes.set(pattern(LENGTH, message));
        claim.publish();
      }
      sent.push(message);
    }
    producer.close();
    return { sent };
  });
}

/** Receives until the producer has closed, or is lost; how many at most. */
function consumer(
  options: {
    how?: "copy" | "take" | "poll" | "block";
    limit?: number;
    onPeerGone?: "wait" | "end";
    timeout?: number;
  } = {},
): ActorSpec {
  const { how = "copy", limit = Infinity, onPeerGone = "end", timeout = Infinity } = options;
  const open = () => openSoon(() => ring().consumer({ onPeerGone }));
  return arranged(open, (consumer): Received => {
    const received: number[] = [];
    const again: number[] = [];
    const note = (bytes: Uint8Array, redelivered: boolean) => {
      const message = messageOf(bytes, 9) ?? 0;
      received.push(message);
      if (redelivered) again.push(message);
    };
    const show = ({ bytes, redelivered }: { bytes: Uint8Array; redelivered: boolean }) =>
      note(bytes, redelivered);
    const take = () => {
      using message = consumer.tryTake();
      if (message === undefined) return false;
      show(message);
      message.ack();
      return true;
    };
    const copy = () => {
      const message = how === "poll"
        ? consumer.tryReceive()
        : consumer.receiveSync({ spin: 0, timeout });
      if (message !== undefined) note(message.value, message.redelivered);
      return message !== undefined;
    };
    const [target, places] = [new Uint8Array(2 * (LENGTH + 8)), new Uint32Array(4)];
    const copyBlock = () => {
      const count = consumer.tryReceiveBatchInto(target, places);
      for (let i = 0; i < count; i++) {
        note(target.subarray(places[2 * i], places[2 * i + 1]), false);
      }
      return count > 0;
    };
    const end = untilEnd(() => {
      if (received.length >= limit) return "limit";
      if (how === "block") {
        if (copyBlock()) return;
      } else if (how === "poll" && consumer.poll(show, limit - received.length) > 0) return;
      else if (how === "take" ? take() : copy()) return;
      return consumer.waitSync({ spin: 0 }) ? undefined : "closed";
    });
    consumer.close();
    return { received, again, end };
  });
}

/** The notes of a consumer of batches. */
interface Noted {
  readonly seen: readonly { message: number; sequence: number; redelivered: boolean }[];
  /** The notes of the consumers before it. */
  readonly handledBefore: number;
  readonly ackedBefore: number;
}

/**
 * Takes batches of two, acknowledges the first message of the first batch and all of the others, and
 * notes what it handled, and then what it acknowledged.
 */
function batchConsumer(): ActorSpec {
  const open = () => openSoon(() => ring().consumer());
  return arranged(open, (consumer): Noted => {
    const memory = mapMemory("notes");
    const handled = new Word32(memory, { path: "handled", offset: 0 });
    const acked = new Word32(memory, { path: "acked", offset: 4 });
    const [handledBefore, ackedBefore] = [handled.load(), acked.load()];
    const seen = [];
    for (let round = 0;; round++) {
      using batch = consumer.takeBatchSync({ spin: 0, limit: 2 });
      if (batch === undefined) break;
      const messages = round === 0 ? [...batch].slice(0, 1) : [...batch];
      for (const { bytes, sequence, redelivered } of messages) {
        seen.push({ message: messageOf(bytes, 9) ?? 0, sequence, redelivered });
        if (sequence > handled.load()) handled.store(sequence);
      }
      batch.ack(messages.length);
      acked.store(messages.at(-1)!.sequence);
    }
    consumer.close();
    return { seen, handledBefore, ackedBefore };
  });
}

/** Sends messages `from` to `to` as bytes, in pieces that the consumer has to put together. */
function byteProducer(from: number, to: number): () => Sent {
  return () => {
    const producer = openSoon(() => bytes().producer({ onPeerGone: "wait" }));
    const sent: number[] = [];
    for (let message = from; message <= to; message++) {
      const whole = pattern(LENGTH, message);
      for (const part of [whole.subarray(0, 120), whole.subarray(120)]) {
        const claim = producer.claimSync(part.length + 8, { spin: 0 });
        claim.bytes.set(part);
        claim.publish(part.length);
      }
      sent.push(message);
    }
    producer.end();
    producer.close();
    return { sent };
  };
}

function byteConsumer(): Received {
  const consumer = openSoon(() => bytes().consumer());
  const received: number[] = [];
  const again: number[] = [];
  const end = untilEnd(() => {
    if (!consumer.waitSync(LENGTH, { spin: 0, timeout: 1000 })) return "closed";
    const message = messageOf(consumer.peek().subarray(0, LENGTH), 9) ?? 0;
    received.push(message);
    if (consumer.redelivered > 0) again.push(message);
    consumer.release(LENGTH);
  });
  consumer.close();
  return { received, again, end };
}

const setup = () => {
  ring().consumer().close(); // a producer has never been
};

/** Sends one message through a ring of its own. */
function senderTo(name: string, message: number): () => Sent {
  return () => {
    const producer = ring(name).producer({ onPeerGone: "wait" });
    producer.sendSync(pattern(LENGTH, message), { spin: 0 });
    return { sent: [message] };
  };
}

/** Receives from whichever of two rings has something first, until both had. */
function listener(): Received {
  const rings = ["ring", "other"].map((name) => ring(name).consumer({ onPeerGone: "wait" }));
  const received: number[] = [];
  while (received.length < 2) {
    const message = waitAnySync(rings, { spin: 0 }).tryReceive();
    if (message !== undefined) received.push(messageOf(message.value, 9) ?? 0);
  }
  return { received: received.sort(), again: [], end: "limit" };
}

/** Opens a producer that sends one message and closes. */
function senderAndCloses(name: string): ActorSpec {
  return arranged(() => ring(name).producer(), (producer) => {
    producer.sendSync(pattern(LENGTH, 1), { spin: 0 });
    producer.close();
  });
}

/**
 * Waits for two rings at once until the producer of the first has closed or is lost; the second is
 * alive, and sends nothing. `guise` is what the wait sees of each.
 */
export function survivors(
  guise: (consumer: Waitable) => Waitable = (consumer) => consumer,
): Pick<Row, "setup" | "actors" | "bounds" | "check"> {
  const open = () => ["ring", "other"].map((name) => ring(name).consumer({ onPeerGone: "end" }));
  return {
    setup: () => {
      ring().consumer().close();
      ring("other").consumer().close();
    },
    actors: {
      mortal: senderAndCloses("ring"),
      silent: immortal(arranged(() => ring("other").producer(), () => {})),
      listener: immortal(arranged(open, (consumers): string => {
        const all = consumers.map(guise);
        return untilEnd(() => {
          const ready = consumers[all.indexOf(waitAnySync(all, { spin: 0 }))]!;
          return ready.receiveSync({ spin: 0 }) === undefined ? "closed" : undefined;
        });
      })),
    },
    bounds: "2/1/0",
    check: ({ results, dead }) =>
      results.listener === "closed" || dead.has("mortal") && results.listener === "lost"
        ? undefined
        : `the listener ended with ${results.listener}`,
  };
}

/** Each message once and in order, over all consumers; again only what was taken by the dead. */
function inOrder(total: number): Scenario["check"] {
  return ({ results, dead }) => {
    const all = Object.values(results).filter((result): result is Received =>
      typeof result === "object" && result !== null && "received" in result
    );
    for (const { received, again } of all) {
      if (received.includes(0)) return "torn bytes were received";
      if (!isConsecutive(received)) return `received ${received}`;
      if (again.length > 0 && dead.size === 0) return `${again} came again though nobody died`;
    }
    const last = Math.max(0, ...all.flatMap(({ received }) => received));
    const lost = Object.keys(results).some((name) => dead.has(name));
    return last === total || lost ? undefined : `only ${last} of ${total} arrived`;
  };
}

function scenario(
  name: string,
  about: string,
  actors: Actors,
  bounds: Row["bounds"],
  check: Scenario["check"],
): Row {
  const mayDie = bounds.split("/")[1] !== "0";
  return { name, about, setup, actors, bounds, check, ...mayDie && { short: 1 } };
}

/**
 * What a dead producer has sent was received whole, and one that ended was not taken for dead. The
 * consumer finds an end only if everything has arrived.
 */
function drained(total: number): Scenario["check"] {
  return ({ results, dead }) => {
    const { received, end } = results.consumer as Received;
    const { sent } = (results.producer ?? { sent: [] }) as Sent;
    if (received.some((message, i) => message !== i + 1)) return `received ${received}`;
    if (received.length < sent.length) return `received ${received} of ${sent}`;
    if (end === "closed" && received.length < total) return `${received} seems complete`;
    return end === "closed" || dead.has("producer") ? undefined : `it ended with ${end}`;
  };
}

/** Two files: messages 1 and 2, then message 3. Half of the first one never looks complete. */
const complete: Scenario["check"] = ({ results, dead }) => {
  const { received, end } = results.consumer as Received;
  const files = received.join();
  if (end === "closed") {
    return ["1,2", "1,2,3", "3"].includes(files) ? undefined : `complete: ${files}`;
  }
  return dead.has("producer") ? undefined : `nobody was lost, and it ended with ${end}`;
};

/** All scenarios of the ring from one producer to one consumer. */
export const SPSC: readonly Scenario[] = scenarios([
  scenario(
    "spsc-flow",
    "four messages through room for two: full, empty, round the end",
    { producer: producer(1, 4), consumer: consumer({ limit: 4, onPeerGone: "wait" }) },
    "4/0/0",
    inOrder(4),
  ),
  scenario(
    "spsc-in-place",
    "the same, claimed and taken in place",
    {
      producer: producer(1, 3, "claim"),
      consumer: consumer({ how: "take", limit: 3, onPeerGone: "wait" }),
    },
    "4/0/0",
    inOrder(3),
  ),
  scenario(
    "spsc-poll",
    "the same, shown in batches",
    { producer: producer(1, 4), consumer: consumer({ how: "poll", limit: 4, onPeerGone: "wait" }) },
    "4/0/0",
    inOrder(4),
  ),
  scenario(
    "spsc-block",
    "the same, copied in batches, by a consumer that may die, and its heir",
    {
      producer: immortal(producer(1, 3)),
      consumer: consumer({ how: "block", limit: 3, onPeerGone: "wait" }),
      heir: heir("consumer", consumer({ how: "block", limit: 1, timeout: 1000 })),
    },
    "2/1/0",
    inOrder(3),
  ),
  {
    ...scenario(
      "wait-any",
      "an actor that sleeps on two rings at once is woken by a message in either",
      { first: senderTo("ring", 1), second: senderTo("other", 2), listener },
      "3/0/0",
      inOrder(2),
    ),
    setup: () => {
      ring().consumer().close();
      ring("other").consumer().close();
    },
    short: 1,
  },
  {
    name: "wait-any-dies",
    about: "an actor that sleeps on two rings learns that the producer of one is dead",
    ...survivors(),
    short: 1,
  },
  scenario(
    "spsc-producer-dies",
    "the consumer drains what the dead producer published",
    {
      producer: unarranged(producer(1, 3, "claim")),
      consumer: immortal(consumer({ timeout: 1000 })),
    },
    "2/1/0",
    drained(3),
  ),
  scenario(
    "spsc-closes",
    "a consumer that looks while the producer closes learns that it closed",
    { producer: producer(1, 1), consumer: consumer() },
    "4/0/0",
    drained(1),
  ),
  {
    ...scenario(
      "spsc-bytes",
      "bytes without messages: the consumer waits for whole ones, and drains a dead producer",
      { producer: byteProducer(1, 3), consumer: immortal(byteConsumer) },
      "2/1/0",
      drained(3),
    ),
    setup: () => bytes().consumer().close(),
  },
  {
    ...scenario(
      "spsc-cut",
      "a producer dies anywhere and another one continues: a message cut off never looks complete",
      {
        producer: byteProducer(1, 2),
        successor: heir("producer", byteProducer(3, 3)),
        consumer: immortal(byteConsumer),
      },
      "1/1/0",
      complete,
    ),
    short: 0,
    setup: () => bytes().consumer().close(),
  },
  scenario(
    "spsc-poll-dies",
    "a consumer dies anywhere in a poll that leaves a message; its successor loses nothing",
    {
      producer: immortal(producer(1, 2)),
      consumer: unarranged(consumer({ how: "poll", limit: 1, onPeerGone: "wait" })),
      successor: heir("consumer", consumer()),
    },
    "2/1/0",
    ({ results, dead }) => {
      const first = (results.consumer as Received | undefined)?.received ?? [];
      const { received, again } = results.successor as Received;
      if (!dead.has("consumer")) {
        const all = [...first, ...received];
        return all.join() === "1,2" && again.length === 0 ? undefined : `${all}, again ${again}`;
      }
      return ["1,2", "2"].includes(received.join()) ? undefined : `received ${received}`;
    },
  ),
  {
    ...scenario(
      "spsc-batch-dies",
      "a consumer of batches dies anywhere; its successor gets what it had not acknowledged",
      {
        producer: immortal(producer(1, 3)),
        consumer: unarranged(batchConsumer()),
        successor: heir("consumer", batchConsumer()),
      },
      "1/1/0",
      ({ results, dead }) => {
        const first = results.consumer as Noted | undefined;
        const { seen, handledBefore, ackedBefore } = results.successor as Noted;
        for (const { message, sequence } of [...first?.seen ?? [], ...seen]) {
          if (message !== sequence) return `message ${message} has number ${sequence}`;
        }
        if (first !== undefined && !dead.has("consumer")) {
          return seen.length === 0 ? undefined : `${seen[0]!.message} came again`;
        }
        const next = seen[0]?.sequence ?? 4;
        if (seen.length > 0 && seen.at(-1)!.sequence !== 3) return "3 did not arrive";
        if (next <= ackedBefore) return `${next} came again, and was acknowledged`;
        if (next > handledBefore + 1) return `${next} came, and ${handledBefore} was the last`;
        const unflagged = seen.find((one) => one.sequence <= handledBefore && !one.redelivered);
        return unflagged && `${unflagged.sequence} came again without a flag`;
      },
    ),
    short: 0,
    setup: () => {
      setup();
      makeMemory("notes", 64);
    },
  },
  scenario(
    "spsc-consumer-dies",
    "a consumer dies anywhere; its successor loses nothing",
    {
      producer: immortal(producer(1, 3)),
      consumer: unarranged(consumer({ how: "take", limit: 2, onPeerGone: "wait" })),
      successor: heir("consumer", consumer()),
    },
    "2/1/0",
    ({ results, dead }) => {
      const first = (results.consumer as Received | undefined)?.received ?? [];
      const { received, again } = results.successor as Received;
      const all = [...first, ...received];
      if (!isConsecutive(received) || received.at(-1) !== 3) return `received ${received}`;
      if (!dead.has("consumer")) {
        return all.join() === "1,2,3" && again.length === 0 ? undefined : `received ${all}`;
      }
      return again.length <= 1 ? undefined : `${again} came again`;
    },
  ),
]);
