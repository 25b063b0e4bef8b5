/**
 * A ring with many producers. They contend for some of its lanes, and others for the consumer's
 * role; whoever has one is killed, stopped and replaced, within every way to send and to receive.
 * Everything arrives once, whole and in its producer's order; lanes of the dead are drained before
 * they are another's, and no message is taken for that of a successor.
 *
 * @module
 */

import { CorruptRegionError, PeerLostError, RoleTakenError } from "../../../src/errors.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { MpscConsumer, type MpscValue, type Origin } from "../../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../../src/mpsc/producer.ts";
import type { Nothing } from "../../../src/lane/receiver.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";
import {
  ASKED_FOR,
  type CellName,
  CELLS,
  ConsumerNotes,
  LANES,
  nameOf,
  Tracks,
} from "../mpsc_traffic.ts";
import { SendingNotes } from "../spsc_traffic.ts";
import { inTime, sendMessages, tenure, WAIT } from "./spsc.ts";

type Consumer = MpscConsumer<Uint8Array<ArrayBuffer>>;

/** Who is said to have sent a message. */
export type Naming = (origin: Origin) => Origin;

const CAPACITY = 4096;
const CONSUMER = "the consumer";

/** Works until that is done, or until the other end is gone or has closed. */
async function patiently(stage: Stage<CellName>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PeerLostError)) throw error;
    stage.cells.bereaved[0]!.add(1);
  }
}

/** Has one end after the other, whenever one is free. */
async function attend<E extends Disposable>(
  stage: Stage<CellName>,
  open: () => E | Promise<E>,
  { resource, work }: {
    resource: (end: E) => string;
    work: (end: E, tracks: Tracks) => Promise<void>;
  },
): Promise<void> {
  using tracks = new Tracks(stage);
  const token = 1 + stage.seat + 100 * (stage.life + 1);
  while (!stage.over) {
    try {
      using end = await open();
      stage.claim(resource(end), token);
      await patiently(stage, () => work(end, tracks));
      stage.release(resource(end), token);
    } catch (error) {
      if (!(error instanceof RoleTakenError) && (error as Error).name !== "TimeoutError") {
        throw error;
      }
    }
    await sleep(stage.random.between(1, 20));
  }
}

// ---- producers ----

async function openProducer(stage: Stage<CellName>): Promise<MpscProducer> {
  const { random } = stage;
  const id = random.chance(0.6) ? { id: random.pick(ASKED_FOR) } : {};
  const options = { ...id, keepOpen: random.chance(0.5) };
  if (random.chance(0.5)) return await MpscProducer.connect(nameOf(stage), { ...options, ...WAIT });
  try {
    return MpscProducer.open(nameOf(stage), options);
  } catch (error) {
    if ((error as Error).message.includes("read")) stage.cells.undrained[0]!.add(1);
    throw error;
  }
}

function produce(stage: Stage<CellName>): Promise<void> {
  return attend(stage, () => openProducer(stage), {
    resource: (producer) => `lane ${producer.id}`,
    work: (producer, { lanes }) => {
      const lane = lanes[producer.id]!;
      lane.count("producers");
      const notes = new SendingNotes(lane);
      lane.beginGeneration(producer.generation);
      return sendMessages(stage, producer, notes);
    },
  });
}

// ---- consumers ----

async function receiveMessages(
  stage: Stage<CellName>,
  consumer: Consumer,
  { notes, naming }: { notes: ConsumerNotes; naming: Naming },
): Promise<void> {
  const { random } = stage;
  const take = (bytes: Uint8Array<ArrayBuffer>, origin: Origin, redelivered: boolean) => {
    notes.message(bytes, naming(origin), redelivered);
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100)); // with it in hand, if it is shown
  };
  const taken = (outcome: MpscValue<Uint8Array<ArrayBuffer>> | Nothing) => {
    if (outcome.state === "ok") take(outcome.value, outcome, outcome.redelivered);
    return outcome.state === "ok";
  };
  let ended = false;
  const isOver = tenure(stage);
  const mayGoOn = () => !isOver() && !notes.flawed && !ended;
  while (mayGoOn()) {
    const way = random.below(7);
    if (way === 0) {
      const inSync = random.chance(0.5);
      await inTime(async () => {
        ended = !(inSync ? consumer.waitSync(WAIT) : await consumer.wait(WAIT));
      });
    } else if (way === 1) await hold(stage, consumer, take);
    else if (way === 2) consumer.poll(take, random.small(200));
    else if (way === 3) { while (mayGoOn() && show(consumer, take)); }
    else {
      notes.receiving = true;
      if (way === 4) { while (mayGoOn() && taken(consumer.tryReceive())) notes.receiving = true; }
      else if (way === 5) await inTime(() => taken(consumer.receiveSync(WAIT)));
      else await inTime(async () => taken(await consumer.receive(WAIT)));
      notes.receiving = false;
    }
    if (random.chance(0.02)) await sleep(random.between(1, 30));
    else await nextTurn();
  }
  if (random.chance(0.2)) consumer.tryTake(); // and leaves it to the next one
}

type Take = (bytes: Uint8Array<ArrayBuffer>, origin: Origin, redelivered: boolean) => void;

function show(consumer: Consumer, take: Take): boolean {
  const outcome = consumer.tryTake();
  if (outcome.state !== "ok") return false;
  using sample = outcome.sample;
  take(sample.bytes, sample, sample.redelivered);
  return true;
}

/** Has a message in its hands for a while. */
async function hold(stage: Stage<CellName>, consumer: Consumer, take: Take): Promise<void> {
  const { random } = stage;
  await inTime(async () => {
    const outcome = random.chance(0.5) ? consumer.takeSync(WAIT) : await consumer.take(WAIT);
    if (outcome.state === "closed") return;
    using sample = outcome.sample;
    take(sample.bytes, sample, sample.redelivered);
    if (random.chance(0.2)) await sleep(random.skewed(1, 100));
  });
}

function consume(stage: Stage<CellName>, naming: Naming): Promise<void> {
  const open = () => MpscConsumer.open(nameOf(stage), { keepOpen: stage.random.chance(0.5) });
  return attend(stage, open, {
    resource: () => CONSUMER,
    work: (consumer, tracks) => {
      stage.cells.consumers[0]!.add(1);
      return receiveMessages(stage, consumer, { notes: new ConsumerNotes(stage, tracks), naming });
    },
  });
}

// ---- the kind ----

/** How long the kernel may take to drop the locks of those who were killed. */
const DROPPED_WITHIN_NS = 30e9;

function openConsumerSoon(scene: Scene<CellName>): Consumer {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    try {
      return MpscConsumer.open(nameOf(scene), { keepOpen: true });
    } catch (error) {
      if (!(error instanceof RoleTakenError) || now() > deadline) throw error;
      sleepSync(1);
    }
  }
}

/** Whether there is a message, also one that no hint tells of: who is about to sleep finds it. */
function finds(consumer: Consumer): boolean {
  try {
    return consumer.waitSync({ timeout: 0 });
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return false;
    throw error;
  }
}

/** Looks at a ring that nobody uses, and takes what is left in all lanes. */
function settle(scene: Scene<CellName>, tracks: Tracks): void {
  try {
    using consumer = openConsumerSoon(scene);
    const notes = new ConsumerNotes(scene, tracks);
    while (finds(consumer)) {
      consumer.poll((bytes, origin, redelivered) => notes.message(bytes, origin, redelivered));
    }
    notes.end();
    for (const lane of tracks.lanes) new SendingNotes(lane);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    scene.complain(error.message);
  }
}

function countsOf(scene: Scene<CellName>) {
  const cell = (name: CellName) => scene.cells[name][0]!.load();
  return {
    sent: cell("messages"),
    received: cell("received") + cell("toTheDead"),
    lost: cell("lost"),
    duplicated: cell("duplicated"),
    corrupt: cell("corrupt") + cell("misnamed"),
    facts: {
      "released to the dead": cell("toTheDead"),
      "redelivered, and flagged": cell("again"),
      "producers": cell("producers"),
      "lanes that were not drained": cell("undrained"),
      "consumers": cell("consumers"),
      "told that the other end is gone": cell("bereaved"),
    },
  };
}

/** The kind, with what its consumers say of who has sent a message. */
export function mpscKind(naming: Naming): Kind<CellName> {
  return defineKind({
    about: "producers and consumers of a ring with many lanes die; all arrives, once",
    cells: CELLS,
    wanted: { resources: [CONSUMER], withinMs: 20_000 },
    parts: {
      producer: {
        seats: 6,
        harm: {
          steps: ["head store", "hint", "generation", "copy in", "claimed", "bell", "lock"],
          lifeMs: [10, 2000],
          stopMs: [2, 500],
        },
        run: produce,
      },
      consumer: {
        seats: 3,
        harm: {
          steps: ["tail store", "taken store", "hint exchange", "copy out", "peek view", "bell"],
          lifeMs: [10, 2000],
          stopMs: [2, 500],
        },
        run: (stage) => consume(stage, naming),
      },
    },
    begin(scene) {
      using stack = new DisposableStack();
      const options = { producers: LANES, capacity: CAPACITY };
      using _maker = MpscConsumer.create(nameOf(scene), options);
      const tracks = stack.use(new Tracks(scene));
      tracks.begin();
      const held = stack.move();
      return {
        counts: () => countsOf(scene),
        alone() {
          if (!held.disposed) settle(scene, tracks);
        },
        [Symbol.dispose]() {
          using _ring = held;
          settle(scene, tracks);
        },
      };
    },
  });
}

export default mpscKind((origin) => origin);
