/**
 * A ring with many producers. Processes contend for some of its lanes, and others for the consumer's
 * role; the holders are killed, stopped and replaced within every way to send and to receive.
 * Everything arrives once, whole and in its producer's order; lanes of the dead are drained before
 * another producer takes them, and no message is taken for one of a successor.
 *
 * @module
 */

import type { FromProducer, MpscConsumer } from "../../../src/mpsc/consumer.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import type { MpscProducer } from "../../../src/mpsc/producer.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import {
  ASKED_FOR,
  type CellName,
  CELLS,
  ConsumerNotes,
  LANES,
  Lanes,
  nameOf,
} from "../pieces/lanes.ts";
import { acknowledge, receive, receiveMessages, sendMessages, show } from "../pieces/messages.ts";
import { attend, openSoon, untilBereaved, WAIT } from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import { countsOfWays, FACTS_OF_WAYS, SendingNotes } from "../pieces/way.ts";

/** Returns the origin that a consumer gives for a message. */
export type Naming = (origin: FromProducer) => FromProducer;

const CAPACITY = 4096;
const CONSUMER = "the consumer";

/** Returns the definition of the ring. */
function ringOf(scene: Scene<CellName>) {
  return mpsc(nameOf(scene), { producers: LANES, capacity: CAPACITY });
}

async function openProducer(actor: Actor<CellName>): Promise<MpscProducer> {
  const { random } = actor;
  const id = random.chance(0.6) ? { id: random.pick(ASKED_FOR) } : {};
  const onPeerGone = random.chance(0.5) ? "wait" : "end";
  const options = { ...id, onPeerGone } as const;
  if (random.chance(0.5)) return await ringOf(actor).nextProducer({ ...options, ...WAIT });
  try {
    return ringOf(actor).producer(options);
  } catch (error) {
    if ((error as Error).message.includes("read")) actor.count("undrained");
    throw error;
  }
}

async function produce(actor: Actor<CellName>): Promise<void> {
  using lanes = new Lanes(actor);
  await attend(actor, () => ({
    open: () => openProducer(actor),
    resource: ({ id }) => `lane ${id}`,
    work(producer) {
      const lane = lanes.lanes[producer.id]!;
      lane.count("producers");
      const notes = new SendingNotes(lane);
      lane.beginGeneration(producer.generation);
      return untilBereaved(actor, () => sendMessages(actor, producer, notes));
    },
  }));
}

async function consume(actor: Actor<CellName>, naming: Naming): Promise<void> {
  using lanes = new Lanes(actor);
  await attend(actor, () => ({
    open: () => ringOf(actor).consumer({ onPeerGone: actor.random.chance(0.5) ? "wait" : "end" }),
    resource: () => CONSUMER,
    work(consumer) {
      actor.count("consumers");
      const notes = new ConsumerNotes(actor, lanes);
      return untilBereaved(actor, () =>
        receiveMessages<FromProducer>(actor, consumer, {
          hands: {
            receive,
            show,
            acknowledge,
            poll: (take, limit) => {
              consumer.poll((message) => take(message.bytes, message), limit);
            },
          },
          notes: {
            get flawed() {
              return notes.flawed;
            },
            set receiving(is: boolean) {
              notes.receiving = is;
            },
            message: (bytes, about) => notes.message(bytes, naming(about), about),
            of: (about) => notes.of(about),
            count: () => actor.count("batches"),
          },
        }));
    },
  }));
}

// ---- the workload ----

/** Whether there is a message, also one without a hint: a consumer finds it before it sleeps. */
function finds(consumer: MpscConsumer): boolean {
  try {
    return consumer.waitSync({ timeout: 0 });
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return false;
    throw error;
  }
}

/** Takes what is left in all lanes of a ring that nobody uses. */
function drain(scene: Scene<CellName>, lanes: Lanes): void {
  using consumer = openSoon(() => ringOf(scene).consumer({ onPeerGone: "wait" }));
  const notes = new ConsumerNotes(scene, lanes);
  while (finds(consumer)) {
    consumer.poll((message) => notes.message(message.bytes, message, message));
  }
  notes.end();
  for (const lane of lanes.lanes) new SendingNotes(lane);
}

/** Returns the workload, with the origins that its consumers give for messages. */
export function mpscWorkload(naming: Naming): Workload<CellName> {
  return defineWorkload({
    about: "producers and consumers of a ring with many lanes die; all arrives, once",
    cells: CELLS,
    facts: { ...FACTS_OF_WAYS, "lanes that were not drained": "undrained" },
    wanted: { resources: [CONSUMER], withinMs: 20_000 },
    parts: {
      producer: {
        seats: 6,
        harm: {
          steps: ["head store", "hint", "generation", "copy in", "claimed", "bell", "lock"],
        },
        run: produce,
      },
      consumer: {
        seats: 3,
        harm: {
          steps: ["tail store", "taken store", "hint exchange", "copy out", "peek view", "bell"],
        },
        run: (actor) => consume(actor, naming),
      },
    },
    begin(scene) {
      using _maker = ringOf(scene).consumer({ open: "create" });
      const lanes = new Lanes(scene);
      lanes.begin();
      return {
        counts: () => ({
          ...countsOfWays(scene),
          corrupt: scene.total("corrupt") + scene.total("misnamed"),
        }),
        alone: () => settle(scene, () => drain(scene, lanes)),
        [Symbol.dispose]: () => lanes[Symbol.dispose](),
      };
    },
  });
}

export default mpscWorkload((origin) => origin);
