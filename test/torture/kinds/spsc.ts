/**
 * Rings from one producer to one consumer, of messages and of bytes, in the smallest ring there is
 * and in a larger one. Both ends are contended for, and whoever has them is killed, stopped and
 * replaced, within every way to send and to receive. Everything arrives once and whole; what a
 * consumer had not released when it died comes again, flagged.
 *
 * @module
 */

import { CorruptRegionError, PeerLostError, RoleTakenError } from "../../../src/errors.ts";
import type { MessageSender } from "../../../src/lane/sender.ts";
import type { SpscByteConsumer, SpscByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { bytesFrom } from "../../memory/bytes.ts";
import { spring } from "../../trap/trap.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";
import {
  CELLS,
  endOf,
  messageAt,
  nameOf,
  ReceivingNotes,
  RINGS,
  SendingNotes,
  Traffic,
} from "../spsc_traffic.ts";

type Cell = keyof typeof CELLS;

/** A consumer of messages. */
export type Consumer = SpscConsumer<Uint8Array<ArrayBuffer>>;

/** Two ways to get at the next message, false if there is none; and what is said of it. */
export interface Hands {
  /** What is said of a message that may have been seen before, and of any other. */
  flag(redelivered: boolean): boolean;
  /** Copies it and releases it, and then calls `take`. */
  receive(consumer: Consumer, take: Take): boolean;
  /** Shows it in place, and releases it after `take` has returned. */
  show(consumer: Consumer, take: Take): boolean;
}

/** Looks at a message. */
export type Take = (message: Uint8Array<ArrayBuffer>, redelivered: boolean) => void;

/** As consumers are meant to be used. */
export const HANDS: Hands = {
  flag: (redelivered) => redelivered,
  receive(consumer, take) {
    const outcome = consumer.tryReceive();
    if (outcome.state === "ok") take(outcome.value, outcome.redelivered);
    return outcome.state === "ok";
  },
  show(consumer, take) {
    const outcome = consumer.tryTake();
    if (outcome.state !== "ok") return false;
    using sample = outcome.sample;
    take(sample.bytes, sample.redelivered);
    return true;
  },
};

/** How long anybody waits for the other end, which may be dead, stopped or elsewhere. */
export const WAIT = { timeout: 100 };

/** Has one end of a ring after the other, whenever it is free. */
async function attend<E extends Disposable>(
  stage: Stage<Cell>,
  role: "producer" | "consumer",
  open: (ring: number) => E,
  work: (end: E, traffic: Traffic) => Promise<void>,
): Promise<void> {
  using stack = new DisposableStack();
  const traffics = RINGS.map((_, ring) => stack.use(new Traffic(stage, ring)));
  const token = 1 + stage.seat + 100 * (stage.life + 1);
  for (let ring = stage.random.below(RINGS.length); !stage.over; ring = (ring + 1) % RINGS.length) {
    const resource = resourceOf(ring, role);
    try {
      using end = open(ring);
      stage.claim(resource, token);
      stage.cells[`${role}s`][0]!.add(1);
      await patiently(stage, () => work(end, traffics[ring]!));
      stage.release(resource, token);
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
    }
    await sleep(stage.random.between(1, 20));
  }
}

function resourceOf(ring: number, role: string): string {
  return `${role} of ${RINGS[ring]!.name}`;
}

/** Works until that is done or the other end is gone. */
async function patiently(stage: Stage<Cell>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PeerLostError)) throw error;
    stage.cells.bereaved[0]!.add(1);
  }
}

/** What decides how long and in which way. */
type Chance = Pick<Stage, "random" | "over">;

/** How long an end is had by who is not killed; others then find it closed. */
export function tenure(stage: Chance): () => boolean {
  const end = now() + stage.random.skewed(1, 2000) * 1e6;
  return () => stage.over || now() > end;
}

/** Whether the wait, by whatever way it waits, ended with what it was for. */
export async function inTime(wait: () => unknown): Promise<boolean> {
  try {
    await wait();
    return true;
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return false;
    throw error;
  }
}

// ---- producers ----

/** Sends messages by all ways to send. */
export async function sendMessages(
  stage: Chance,
  producer: MessageSender<Uint8Array>,
  notes: SendingNotes,
): Promise<void> {
  const { random } = stage;
  for (const isOver = tenure(stage); !isOver();) {
    const end = endOf(notes.position);
    const message = messageAt(notes.position);
    notes.beginUpTo(end);
    const way = random.below(7);
    if (way === 0) await sendBatch(stage, producer, notes);
    else if (way === 1) {
      while (!isOver() && trySendInPlace(producer, notes));
      await nextTurn();
    } else if (way === 2) {
      while (!isOver() && trySend(producer, notes));
      await nextTurn();
    } else if (way === 3) {
      if (await inTime(() => producer.sendSync(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 4) {
      if (await inTime(() => producer.send(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 5) {
      if (await inTime(() => producer.claim(message.length, WAIT))) trySendInPlace(producer, notes);
    } else if (await inTime(() => producer.flush(WAIT))) notes.flushed();
    if (random.chance(0.02)) await sleep(random.between(1, 30));
  }
}

function trySend(producer: MessageSender<Uint8Array>, notes: SendingNotes): boolean {
  const end = endOf(notes.position);
  notes.beginUpTo(end);
  if (!producer.trySend(messageAt(notes.position))) return false;
  notes.sentUpTo(end);
  return true;
}

function trySendInPlace(producer: MessageSender<Uint8Array>, notes: SendingNotes): boolean {
  const end = endOf(notes.position);
  const message = messageAt(notes.position);
  const space = producer.tryClaim(message.length);
  if (space === undefined) return false;
  fill(space, message);
  notes.beginUpTo(end);
  producer.publish();
  notes.sentUpTo(end);
  return true;
}

function fill(space: Uint8Array, bytes: Uint8Array): void {
  const middle = bytes.length >> 1;
  space.set(bytes.subarray(0, middle));
  spring("claimed and half filled");
  space.set(bytes.subarray(middle), middle);
}

async function sendBatch(
  { random }: Chance,
  producer: MessageSender<Uint8Array>,
  notes: SendingNotes,
): Promise<void> {
  const ends = [notes.position];
  for (let count = random.small(40); count > 0; count--) ends.push(endOf(ends.at(-1)!));
  const end = ends.pop()!;
  const batch = ends.map(messageAt);
  notes.beginUpTo(end);
  const way = random.below(3);
  if (way === 0) producer.trySendBatch(batch);
  else {await inTime(() =>
      way === 1 ? producer.sendBatchSync(batch, WAIT) : producer.sendBatch(batch, WAIT)
    );}
  notes.resume(); // as not all may have been sent
}

async function sendBytes(
  stage: Stage<Cell>,
  producer: SpscByteProducer,
  notes: SendingNotes,
): Promise<void> {
  const { random } = stage;
  for (const isOver = tenure(stage); !isOver();) {
    const length = random.small(producer.capacity);
    const free = random.chance(0.5)
      ? await inTime(() => producer.waitSync(length, WAIT))
      : await inTime(() => producer.wait(length, WAIT));
    if (!free) continue;
    const published = 1 + random.below(length);
    fill(producer.claimSync(length), bytesFrom(notes.position, published));
    notes.beginUpTo(notes.position + published);
    producer.publish(published);
    notes.sentUpTo(notes.position + published);
    if (random.chance(0.002)) await sleep(random.between(1, 30));
  }
}

function produce(stage: Stage<Cell>): Promise<void> {
  const open = (ring: number) => {
    const keepOpen = stage.random.chance(0.5);
    return RINGS[ring]!.level === "messages"
      ? SpscProducer.open(nameOf(stage, ring), { keepOpen })
      : SpscProducer.open(nameOf(stage, ring), { keepOpen, level: "bytes" });
  };
  return attend<SpscProducer | SpscByteProducer>(stage, "producer", open, (producer, traffic) => {
    const notes = new SendingNotes(traffic);
    return producer instanceof SpscProducer
      ? sendMessages(stage, producer, notes)
      : sendBytes(stage, producer, notes);
  });
}

// ---- consumers ----

async function receiveMessages(
  stage: Stage<Cell>,
  consumer: Consumer,
  { notes, hands }: { notes: ReceivingNotes; hands: Hands },
): Promise<void> {
  const { random } = stage;
  const take: Take = (message, redelivered) => {
    notes.message(message, hands.flag(redelivered));
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100)); // with it in hand, if it is shown
  };
  const taken = (outcome: Awaited<ReturnType<Consumer["receive"]>>) => {
    if (outcome.state === "ok") take(outcome.value, outcome.redelivered);
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
    } else if (way === 1) { while (mayGoOn() && hands.show(consumer, take)); }
    else if (way === 2) consumer.poll(take, random.small(60));
    else if (way === 3) await hold(stage, consumer, take);
    else {
      notes.receiving = true;
      if (way === 4) { while (mayGoOn() && hands.receive(consumer, take)) notes.receiving = true; }
      else if (way === 5) await inTime(() => taken(consumer.receiveSync(WAIT)));
      else await inTime(async () => taken(await consumer.receive(WAIT)));
      notes.receiving = false;
    }
    if (random.chance(0.02)) await sleep(random.between(1, 30));
  }
  if (random.chance(0.2)) consumer.tryTake(); // and leaves it to the next one
}

/** Has a message in its hands for a while. */
async function hold(stage: Stage<Cell>, consumer: Consumer, take: Take): Promise<void> {
  const { random } = stage;
  await inTime(async () => {
    const outcome = random.chance(0.5) ? consumer.takeSync(WAIT) : await consumer.take(WAIT);
    if (outcome.state === "closed") return;
    using sample = outcome.sample;
    take(sample.bytes, sample.redelivered);
    if (random.chance(0.5)) await sleep(random.skewed(1, 100));
  });
}

async function receiveBytes(
  stage: Stage<Cell>,
  consumer: SpscByteConsumer,
  notes: ReceivingNotes,
): Promise<void> {
  const { random } = stage;
  for (const isOver = tenure(stage); !isOver() && !notes.flawed;) {
    const options = { ...WAIT, bytes: random.chance(0.8) ? 1 : random.small(consumer.capacity) };
    const inSync = random.chance(0.5);
    await inTime(() => inSync ? consumer.waitSync(options) : consumer.wait(options));
    look(consumer, notes, (shown) => {
      if (random.chance(0.001)) sleepSync(random.skewed(1, 100));
      return random.chance(0.5) ? shown : random.below(shown + 1);
    });
    if (consumer.ended) return;
    if (random.chance(0.002)) await sleep(random.between(1, 30));
  }
}

/** Looks at all that is there, and releases as much as is wanted. */
function look(
  consumer: SpscByteConsumer,
  notes: ReceivingNotes,
  wanted: (shown: number) => number,
): void {
  const { redelivered } = consumer;
  const bytes = consumer.peek();
  notes.bytes(bytes, redelivered);
  const released = wanted(bytes.length);
  consumer.release(released);
  notes.position += released;
}

function consume(stage: Stage<Cell>, hands: Hands): Promise<void> {
  const open = (ring: number) => openConsumer(stage, ring, stage.random.chance(0.5));
  return attend(stage, "consumer", open, (consumer, traffic) => {
    const notes = new ReceivingNotes(traffic);
    return consumer instanceof SpscConsumer
      ? receiveMessages(stage, consumer, { notes, hands })
      : receiveBytes(stage, consumer, notes);
  });
}

function openConsumer(scene: Scene<Cell>, ring: number, keepOpen: boolean) {
  return RINGS[ring]!.level === "messages"
    ? SpscConsumer.open(nameOf(scene, ring), { keepOpen })
    : SpscConsumer.open(nameOf(scene, ring), { keepOpen, level: "bytes" });
}

// ---- the kind ----

/** Looks at a ring that nobody uses. */
function settle(traffic: Traffic, ring: number): void {
  try {
    drain(traffic, ring);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    traffic.complain(error.message);
  }
}

/** Takes what is left, up to the head. */
function drain(traffic: Traffic, ring: number): void {
  using consumer = openConsumerSoon(traffic.scene, ring);
  const notes = new ReceivingNotes(traffic);
  if (consumer instanceof SpscConsumer) {
    while (consumer.poll((message, redelivered) => notes.message(message, redelivered)) > 0);
  } else look(consumer, notes, (shown) => shown);
  notes.end();
  new SendingNotes(traffic);
}

/** How long the kernel may take to drop the locks of those who were killed. */
const DROPPED_WITHIN_NS = 30e9;

function openConsumerSoon(scene: Scene<Cell>, ring: number) {
  const deadline = now() + DROPPED_WITHIN_NS;
  for (;;) {
    try {
      return openConsumer(scene, ring, true);
    } catch (error) {
      if (!(error instanceof RoleTakenError) || now() > deadline) throw error;
      sleepSync(1);
    }
  }
}

/** Makes the rings. */
function beginTraffic(scene: Scene<Cell>): { traffics: Traffic[]; stack: DisposableStack } {
  using stack = new DisposableStack();
  const traffics = RINGS.map(({ capacity, level }, ring) => {
    const name = nameOf(scene, ring);
    using _maker = level === "messages"
      ? SpscProducer.create(name, { capacity })
      : SpscProducer.create(name, { capacity, level });
    return stack.use(new Traffic(scene, ring));
  });
  for (const traffic of traffics) traffic.begin();
  return { traffics, stack: stack.move() };
}

/** The kind, with the hands of its consumers. */
export function spscKind(hands: Hands): Kind<Cell> {
  const roles = RINGS.flatMap((_, ring) =>
    ["producer", "consumer"].map((role) => resourceOf(ring, role))
  );
  return defineKind({
    about: "both ends of rings die within every way to send and receive; all arrives, once",
    cells: CELLS,
    wanted: { resources: roles, withinMs: 20_000 },
    parts: {
      producer: {
        seats: 4,
        harm: {
          steps: ["head store", "copy in", "claimed", "length in", "bell", "tail load", "lock"],
          lifeMs: [10, 2000],
          stopMs: [2, 500],
        },
        run: produce,
      },
      consumer: {
        seats: 4,
        harm: {
          steps: ["tail store", "taken store", "copy out", "peek view", "bell", "lock"],
          lifeMs: [10, 2000],
          stopMs: [2, 500],
        },
        run: (stage) => consume(stage, hands),
      },
    },
    begin(scene) {
      const { traffics, stack } = beginTraffic(scene);
      const cell = (name: Cell) => scene.cells[name][0]!.load();
      const bytes = traffics.findIndex(({ plan }) => plan.level === "bytes");
      return {
        counts: () => ({
          sent: cell("messages"),
          received: cell("received") + cell("toTheDead"),
          lost: cell("lost"),
          duplicated: cell("duplicated"),
          corrupt: cell("corrupt"),
          facts: {
            "released to the dead": cell("toTheDead"),
            "redelivered, and flagged": cell("again"),
            "bytes through the ring of bytes": traffics[bytes]!.through,
            "producers": cell("producers"),
            "consumers": cell("consumers"),
            "told that the other end is gone": cell("bereaved"),
          },
        }),
        alone() {
          if (!stack.disposed) traffics.forEach(settle);
        },
        [Symbol.dispose]() {
          using _rings = stack;
          traffics.forEach(settle);
        },
      };
    },
  });
}

export default spscKind(HANDS);
