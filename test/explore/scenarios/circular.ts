/**
 * The overwriting buffer: a writer that laps its readers at every step, and dies at every step.
 *
 * @module
 */

import { circular } from "../../../src/circular/definition.ts";
import { PeerLostError } from "../../../src/errors.ts";
import type { CircularBufferReader } from "../../../src/circular/reader.ts";
import type { CircularReceiver } from "../../../src/circular/receiver.ts";
import type { Message } from "../../../src/message.ts";
import {
  type Actors,
  type ActorSpec,
  arranged,
  heir,
  immortal,
  last,
  messageOf,
  openSoon,
  pattern,
  type Row,
  type Scenario,
  scenarios,
} from "../scenario.ts";

// A page of 512 bytes holds two records of 200 bytes: the third overwrites the first.
const LENGTH = 200;
const RING = circular("ring", { capacity: 512, persist: true });

/** Opens the buffer in `setup` and leaves it there, with some messages. */
export function prepared(messages: number): () => void {
  return () => {
    const writer = RING.writer();
    for (let i = 1; i <= messages; i++) writer.trySend(pattern(LENGTH, i));
    writer.close();
  };
}

/** Writes messages numbered on from those that are there, in place or by copy; closes, or stays. */
export function writer(upTo: number, { inPlace = false, stays = false } = {}): () => number {
  return () => {
    const writer = openSoon(() => RING.writer());
    while (writer.sequence < upTo) {
      const message = pattern(LENGTH, writer.sequence + 1);
      if (inPlace) {
        const claim = writer.tryClaim(LENGTH);
        claim.bytes.set(message);
        claim.publish();
      } else writer.trySend(message);
    }
    if (!stays) writer.close();
    return writer.sequence;
  };
}

interface Seen {
  /** The messages in the order in which they were read, 0 for other bytes. */
  readonly messages: number[];
  readonly lost: number;
  readonly lostBytes: number;
  readonly sequence: number;
}

/** Reads messages in some way, and returns the account of them. */
function account(
  reader: CircularReceiver,
  read: (messages: number[]) => void,
): Seen {
  const first = reader.sequence;
  const messages: number[] = [];
  read(messages);
  const { lost, lostBytes, sequence } = reader;
  return { messages, lost, lostBytes, sequence: sequence - first };
}

const numberOf = (bytes: Uint8Array) => messageOf(bytes, 9) ?? 0;

/** Receives up to `times` messages without waiting, each of which tells the loss before it. */
function receiveAll(receiver: CircularReceiver, times: number): (messages: number[]) => void {
  return (messages) => {
    let lost = 0;
    for (let i = 0; i < times; i++) {
      const message = receiver.tryReceive();
      if (message === undefined) continue;
      messages.push(numberOf(message.value));
      lost += message.lost;
      if (lost !== receiver.lost) {
        throw new Error(`messages reported ${lost} of ${receiver.lost} losses`);
      }
    }
  };
}

/** Reads `times` times without waiting. */
function reader(times: number, start: "oldest" | "newest" | "now" = "oldest"): () => Seen {
  return () => {
    const reader = RING.reader({ start });
    return account(reader, receiveAll(reader, times));
  };
}

/** Reads messages in place. */
function poller(times: number): () => Seen {
  return () => {
    const reader = RING.reader();
    return account(reader, (messages) => {
      for (let i = 0; i < times; i++) {
        const shown: number[] = [];
        const handled = reader.poll(({ bytes }) => shown.push(numberOf(bytes)), 1);
        messages.push(...shown.slice(0, handled));
      }
    });
  };
}

/** Observes `times` times without waiting. */
function observer(times: number): () => Seen {
  return () => {
    const observer = RING.observer();
    const seen = account(observer, receiveAll(observer, times));
    observer.close();
    return seen;
  };
}

/** Waits for message after message until it has seen the last one, which may be in a new buffer. */
function follower(last: number): ActorSpec {
  return arranged(() => RING.observer(), (observer): number[] => {
    const messages: number[] = [];
    while (messages.at(-1) !== last) {
      messages.push(numberOf(observer.receiveSync({ spin: 0 })!.value));
    }
    return messages;
  });
}

/** Writes a message, then another one to a new buffer of the name. */
export function replacer(): void {
  const first = RING.writer();
  first.trySend(pattern(LENGTH, 1));
  RING.unlink();
  first.close();
  RING.writer().trySend(pattern(LENGTH, 2));
}

/** Waits for message after message, until the writer closes or a wait reports its death. */
function drainer(): Seen & { readonly orphanedAt: number | undefined } {
  const reader = RING.reader();
  let orphanedAt: number | undefined;
  const seen = follow(reader, () => {
    try {
      return reader.receiveSync({ spin: 0 });
    } catch (error) {
      if (!(error instanceof PeerLostError)) throw error;
      orphanedAt = reader.sequence;
      return undefined;
    }
  });
  return { ...seen, orphanedAt };
}

/** How many messages were written in all. */
function auditor(): number {
  return RING.reader({ start: "now" }).sequence;
}

/** Waits for message after message until it has the last one, through every close. */
function keeper(last: number): () => Seen {
  return () => {
    const reader = RING.reader({ onPeerGone: "wait" });
    return follow(reader, () => {
      if (reader.sequence === last) return undefined;
      const message = reader.receiveSync({ spin: 0 });
      if (message === undefined) throw new Error('saw a close in spite of onPeerGone: "wait"');
      return message;
    });
  };
}

function follow(reader: CircularBufferReader, next: () => Message | undefined): Seen {
  return account(reader, (messages) => {
    for (let message; (message = next()) !== undefined;) messages.push(numberOf(message.value));
  });
}

/** Whole messages, in order, none twice, and the account of the lost exact. */
const check: Scenario["check"] = ({ results }) => {
  for (const [name, seen] of Object.entries(results) as [string, Seen | number | undefined][]) {
    if (typeof seen !== "object") continue;
    const { messages, lost, lostBytes, sequence } = seen;
    if (messages.includes(0)) return `${name} was given torn bytes`;
    if (messages.some((message, i) => i > 0 && message <= messages[i - 1]!)) {
      return `${name} read ${messages}`;
    }
    if (messages.length + lost !== sequence) return `${name} read ${messages} and lost ${lost}`;
    if (lostBytes !== lost * LENGTH) return `${name} lost ${lost} messages of ${lostBytes} bytes`;
  }
  return undefined;
};

function scenario(
  name: string,
  about: string,
  written: number,
  actors: Actors,
  bounds: Row["bounds"],
  short?: number,
): Row {
  const row: Row = { name, about, setup: prepared(written), actors, bounds, check };
  return short === undefined ? row : { ...row, short };
}

/** All scenarios of the overwriting buffer. */
export const CIRCULAR: readonly Scenario[] = scenarios([
  scenario("circular-lap", "the writer laps a reader at every step of its copy", 2, {
    writer: writer(5),
    reader: reader(3),
  }, "3/0/0"),
  scenario("circular-poll", "the writer laps a reader that looks in place", 2, {
    writer: writer(4),
    reader: poller(3),
  }, "3/0/0"),
  scenario("circular-join", "a reader comes at every step, to the newest message", 1, {
    writer: writer(4, { inPlace: true }),
    reader: reader(2, "newest"),
  }, "3/0/0"),
  scenario("circular-now", "a reader comes at every step, for what is written from then on", 1, {
    writer: writer(4),
    reader: reader(2, "now"),
  }, "3/0/0"),
  scenario("circular-death", "a writer dies anywhere, also in a claim; the next takes over", 2, {
    writer: writer(4, { inPlace: true }),
    successor: last(writer(6)),
    reader: immortal(reader(3)),
  }, "2/1/0"),
  scenario("circular-wait", "a reader waits for the last message of a writer that stays", 1, {
    writer: writer(3, { stays: true }),
    reader: keeper(3),
  }, "3/0/1"),
  scenario("circular-close", "a reader waits for messages until the writer closes", 1, {
    writer: writer(2),
    reader: drainer,
  }, "3/0/1"),
  scenario("circular-next", "a reader waits through a close, for what the next writer writes", 0, {
    writer: writer(1),
    successor: heir("writer", writer(2, { stays: true })),
    reader: keeper(2),
  }, "1/1/0"),
  scenario("circular-succession", "a reader waits, the writer dies, its successor closes", 0, {
    writer: writer(2),
    successor: heir("writer", writer(3)),
    reader: immortal(drainer),
  }, "1/1/0"),
  scenario(
    "circular-observer",
    "an observer looks at every step of writer and reader",
    2,
    {
      writer: writer(3, { inPlace: true }),
      reader: reader(1),
      observer: observer(2),
    },
    "2/1/0",
    1,
  ),
  scenario(
    "circular-observed",
    "an observer looks while a reader waits until the writer closes",
    1,
    {
      writer: writer(2),
      reader: drainer,
      observer: observer(2),
    },
    "2/0/1",
  ),
  {
    ...scenario(
      "circular-replaced",
      "an observer reads a buffer to its end when another one takes the name",
      0,
      { writer: replacer, observer: follower(2) },
      "3/0/0",
    ),
    check: ({ results }) => `${results.observer}` === "1,2" ? undefined : `saw ${results.observer}`,
  },
  {
    ...scenario(
      "circular-orphan",
      "a reader drains the buffer of a writer that dies or closes",
      1,
      { writer: writer(3), reader: immortal(drainer), auditor: last(auditor) },
      "2/1/0",
    ),
    check: (end) => {
      const { reader, auditor } = end.results;
      const { orphanedAt = auditor } = reader as ReturnType<typeof drainer>;
      return orphanedAt === auditor ? check(end) : `saw a death at ${orphanedAt} of ${auditor}`;
    },
  },
]);
