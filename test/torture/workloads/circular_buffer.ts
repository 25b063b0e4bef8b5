/**
 * A circular buffer under full load: writers that are killed and replaced, also between claim and
 * publish, and readers and observers of all speeds that are killed, stopped and restarted. They get
 * whole messages in order, and their count of lost messages is exact.
 *
 * @module
 */

import { circular } from "../../../src/circular/definition.ts";
import type { CircularReceiver } from "../../../src/circular/receiver.ts";
import type { Message } from "../../../src/message.ts";
import type { CircularBufferWriter } from "../../../src/circular/writer.ts";
import { nextTurn, sleep } from "../../../src/os/clock.ts";
import { isPayload, lengthOf, payload } from "../../circular/scene.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import { attend } from "../pieces/patience.ts";

const OPTIONS = { capacity: 16_384 };
const LONGEST = 1500;

const CELLS = {
  received: 1, // messages that readers got whole
  observed: 1, // and that observers got whole
  told: 1, // messages that readers and observers counted as lost
  corrupt: 1, // messages with the bytes of none, or of another
  lost: 1, // outcomes after which received and lost do not add up
  takeovers: 1, // times that the buffer got a writer
};

type Cell = keyof typeof CELLS;

function nameOf(scene: Scene<Cell>): string {
  return scene.name("buffer");
}

/** Becomes the writer whenever the role is free, and writes at full speed. */
function write(actor: Actor<Cell>): Promise<void> {
  const { random } = actor;
  return attend(actor, () => ({
    open: () => circular(nameOf(actor), OPTIONS).writer(),
    resource: () => "writing",
    async work(writer) {
      actor.count("takeovers");
      for (let turns = random.between(20, 400); turns > 0 && !actor.over; turns--) {
        for (let i = 0; i < 100; i++) writeOne(writer, random.chance(0.5));
        await nextTurn();
      }
    },
  }));
}

function writeOne(writer: CircularBufferWriter, inPlace: boolean): void {
  const { sequence } = writer;
  const message = payload(sequence, lengthOf(sequence, LONGEST));
  if (inPlace) {
    const claim = writer.tryClaim(message.length);
    claim.bytes.set(message);
    claim.publish();
  } else writer.trySend(message);
}

type Start = "oldest" | "newest" | "now";

function read(actor: Actor<Cell>): Promise<void> {
  return follow(
    actor,
    (start) => circular(nameOf(actor), OPTIONS).reader({ start }),
    "received",
  );
}

function observe(actor: Actor<Cell>): Promise<void> {
  return follow(
    actor,
    (start) => circular(nameOf(actor), OPTIONS).observer({ start }),
    "observed",
  );
}

/** Reads at a speed of its own, and checks every byte and every count. */
async function follow(
  actor: Actor<Cell>,
  open: (start: Start) => CircularReceiver,
  counted: "received" | "observed",
): Promise<void> {
  const { random } = actor;
  using reader = open(random.pick(["oldest", "newest", "now"] as const));
  const pauses = random.chance(0.5) ? 0 : random.between(0, 30);
  const first = reader.sequence;
  let [received, told] = [0, 0];
  while (!actor.over) {
    const message = nextOf(actor, reader);
    if (message !== undefined) {
      received++;
      told += message.lost;
      const { value } = message;
      const number = message.sequence - 1;
      const isWhole = value.length === lengthOf(number, LONGEST) && isPayload(value, number);
      actor.count(isWhole ? counted : "corrupt");
      if (message.lost > 0) actor.count("told", message.lost);
    } else await sleep(random.between(1, 5));
    const { lost, sequence } = reader;
    if (received + lost !== sequence - first || message !== undefined && told !== lost) {
      const text = `read ${received}, lost ${lost}, was told of ${told}, came from ${first}`;
      return actor.find("lost", text);
    }
    if (received % 64 === 0) await (pauses > 0 ? sleep(pauses) : nextTurn());
  }
}

/** Returns what comes within a slice; the writer may be dead for a while. */
function nextOf(actor: Actor<Cell>, reader: CircularReceiver): Message | undefined {
  if (actor.random.chance(0.9)) return reader.tryReceive();
  try {
    return reader.receiveSync({ timeout: 250 });
  } catch (error) {
    const { name } = error as Error;
    if (name === "TimeoutError" || name === "PeerLostError") return undefined;
    throw error;
  }
}

const circularBuffer: Workload<Cell> = defineWorkload({
  about: "one writer at a time at full speed, readers of all speeds, every message accounted for",
  cells: CELLS,
  facts: { "reported as lost": "told", "observed": "observed", "writers": "takeovers" },
  wanted: { resources: ["writing"], withinMs: 5000 },
  parts: {
    writer: {
      seats: 2,
      harm: {
        steps: ["oldest", "published", "copy in", "number", "state", "lock"],
        lifeMs: [5, 1500],
      },
      run: write,
    },
    reader: {
      seats: 4,
      harm: {
        steps: ["oldest", "published", "copy out", "number", "bell", "lock"],
        lifeMs: [20, 2000],
        stopMs: [2, 900],
      },
      run: read,
    },
    observer: {
      seats: 2,
      harm: {
        steps: ["oldest", "published", "copy out", "number", "map", "statPath"],
        lifeMs: [20, 2000],
        stopMs: [2, 900],
      },
      run: observe,
    },
  },
  begin(scene) {
    const own = circular(nameOf(scene), OPTIONS).reader(); // keeps the buffer alive
    const first = own.sequence;
    return {
      counts() {
        using now = circular(nameOf(scene), OPTIONS).reader({ start: "now" });
        return { sent: now.sequence - first };
      },
      [Symbol.dispose]: () => own.close(),
    };
  },
});

export default circularBuffer;
