/**
 * Rings from one producer to one consumer, of messages and of bytes, in the smallest ring there is
 * and in a larger one. Processes contend for both ends, and their holders are killed, stopped and
 * replaced within every way to send and to receive. Everything arrives once and whole; messages that
 * a dead consumer had not released come again, flagged.
 *
 * @module
 */

import type { ByteConsumer, ByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { byteRing, spsc } from "../../../src/spsc/definition.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
import { sleep, sleepSync } from "../../../src/os/clock.ts";
import { bytesFrom } from "../../memory/bytes.ts";
import { Inside } from "../../spsc/scene.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import {
  acknowledge,
  fill,
  type Hands,
  receive,
  receiveMessages,
  sendMessages,
  show,
} from "../pieces/messages.ts";
import {
  attend,
  endsInTime,
  inEitherWay,
  openSoon,
  tenure,
  untilBereaved,
  WAIT,
} from "../pieces/patience.ts";
import { settle } from "../pieces/settling.ts";
import {
  cellsOfWays,
  countsOfWays,
  FACTS_OF_WAYS,
  ReceivingNotes,
  SendingNotes,
  START,
  Way,
} from "../pieces/way.ts";

/** The rings: messages through the smallest and through a larger one, and bytes. */
const RINGS = [
  { name: "page", capacity: 4096, level: "messages" },
  { name: "large", capacity: 65_536, level: "messages" },
  { name: "bytes", capacity: 4096, level: "bytes" },
] as const;

const CELLS = cellsOfWays(RINGS.length);

type Cell = keyof typeof CELLS;

/** Returns the definition of a ring. */
function definitionOf(scene: Scene<Cell>, index: number) {
  const { name, capacity, level } = RINGS[index]!;
  const define = level === "messages" ? spsc : byteRing;
  return define(scene.name(name), { capacity });
}

/** A ring, and the notes about it. */
class Ring extends Way implements Disposable {
  readonly definition: ReturnType<typeof definitionOf>;
  readonly #inside: Inside;

  constructor(scene: Scene<Cell>, index: number) {
    const { name, level } = RINGS[index]!;
    const inside = new Inside(scene.name(name));
    super(scene, { title: `ring ${name}`, index, level, start: START, words: inside });
    this.definition = definitionOf(scene, index);
    this.#inside = inside;
  }

  override begin(): void {
    this.#inside.startAt(START);
    super.begin();
  }

  [Symbol.dispose](): void {
    this.#inside[Symbol.dispose]();
  }
}

/** How consumers of messages receive, and what they say of redelivery; how producers leave. */
export interface SpscHands extends Pick<Hands<unknown>, "receive" | "show" | "acknowledge"> {
  /** Leaves a ring of bytes, complete or not. */
  leave(producer: ByteProducer, isComplete: boolean): void;
  /** Returns whether a message may have been seen before. */
  flag(redelivered: boolean): boolean;
}

/** As consumers are meant to be used. */
export const HANDS: SpscHands = {
  flag: (redelivered) => redelivered,
  leave: (producer, isComplete) => isComplete ? producer.end() : producer.abort(),
  receive,
  show,
  acknowledge,
};

/** Holds one end of a ring after another, whenever it is free. */
async function attendRings<E extends Disposable>(
  actor: Actor<Cell>,
  role: "producer" | "consumer",
  { open, work }: {
    open(ring: Ring): E;
    /** May return how the end is left: after the statement, because it gives up the role. */
    work(end: E, ring: Ring): Promise<void | (() => void)>;
  },
): Promise<void> {
  using stack = new DisposableStack();
  const rings = RINGS.map((_, index) => stack.use(new Ring(actor, index)));
  let index = actor.random.below(RINGS.length);
  await attend(actor, () => {
    index = (index + 1) % RINGS.length;
    const ring = rings[index]!;
    const resource = resourceOf(index, role);
    let leave: void | (() => void);
    return {
      open: () => open(ring),
      resource: () => resource,
      work: (end) => {
        actor.count(`${role}s`);
        return untilBereaved(actor, async () => {
          leave = await work(end, ring);
        });
      },
      leave: () => Promise.resolve(leave?.()),
    };
  });
}

function resourceOf(index: number, role: string): string {
  return `${role} of ${RINGS[index]!.name}`;
}

// ---- producers ----

async function sendBytes(
  actor: Actor<Cell>,
  producer: ByteProducer,
  { notes, hands }: { notes: SendingNotes; hands: SpscHands },
): Promise<() => void> {
  const { random } = actor;
  for (const isOver = tenure(actor, 300); !isOver();) {
    const length = random.small(producer.capacity);
    const inSync = random.chance(0.5);
    const isFree = await endsInTime(() =>
      inSync ? producer.waitSync(length, WAIT) : producer.wait(length, WAIT)
    );
    if (!isFree) continue;
    const published = 1 + random.below(length);
    using claim = producer.claimSync(length);
    fill(claim.bytes, bytesFrom(notes.position, published));
    notes.beginUpTo(notes.position + published);
    claim.publish(published);
    notes.sentUpTo(notes.position + published);
    if (random.chance(0.002)) await sleep(random.between(1, 30));
  }
  const isComplete = random.chance(0.5);
  if (isComplete) notes.ending();
  return () => hands.leave(producer, isComplete);
}

function produce(actor: Actor<Cell>, hands: SpscHands): Promise<void> {
  return attendRings<SpscProducer | ByteProducer>(actor, "producer", {
    open: ({ definition }) => definition.producer({ onPeerGone: afterLoss(actor, 0.5) }),
    work: (producer, ring) =>
      producer instanceof SpscProducer
        ? sendMessages(actor, producer, new SendingNotes(ring))
        : sendBytes(actor, producer, { notes: new SendingNotes(ring), hands }),
  });
}

// ---- consumers ----

async function receiveBytes(
  actor: Actor<Cell>,
  consumer: ByteConsumer,
  notes: ReceivingNotes,
): Promise<void> {
  const { random } = actor;
  for (const isOver = tenure(actor); !isOver() && !notes.flawed;) {
    const wanted = random.chance(0.8) ? 1 : random.small(consumer.capacity);
    const more = await inEitherWay(
      actor,
      () => consumer.waitSync(wanted, WAIT),
      () => consumer.wait(wanted, WAIT),
    );
    look(consumer, notes, (shown) => {
      if (random.chance(0.001)) sleepSync(random.skewed(1, 100));
      return more === false || random.chance(0.5) ? shown : random.below(shown + 1);
    });
    if (consumer.ended) return notes.ended();
    if (random.chance(0.002)) await sleep(random.between(1, 30));
  }
}

/** Looks at all bytes that are there, and releases as many as `wanted` returns. */
function look(
  consumer: ByteConsumer,
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

function consume(actor: Actor<Cell>, hands: SpscHands): Promise<void> {
  return attendRings<SpscConsumer | ByteConsumer>(actor, "consumer", {
    open: ({ definition, level }) =>
      definition.consumer({ onPeerGone: afterLoss(actor, level === "bytes" ? 0.1 : 0.5) }),
    work(consumer, ring) {
      const notes = new ReceivingNotes(ring);
      if (!(consumer instanceof SpscConsumer)) return receiveBytes(actor, consumer, notes);
      return receiveMessages<unknown>(actor, consumer, {
        hands: {
          ...hands,
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
          message: (bytes, { redelivered, sequence }) =>
            notes.message(bytes, { redelivered: hands.flag(redelivered), sequence }),
          of: () => notes,
          count: () => actor.count("batches"),
        },
      });
    },
  });
}

/** Chooses whether an end waits for another peer when its own is gone. */
function afterLoss({ random }: Actor<Cell>, waits: number): "wait" | "end" {
  return random.chance(waits) ? "wait" : "end";
}

// ---- the workload ----

/** Takes what is left in a ring that nobody uses, up to the head. */
function drain(ring: Ring): void {
  using consumer = openSoon(() => ring.definition.consumer({ onPeerGone: "wait" }));
  const notes = new ReceivingNotes(ring);
  if (consumer instanceof SpscConsumer) {
    while (consumer.poll((message) => notes.message(message.bytes, message)) > 0);
  } else look(consumer, notes, (shown) => shown);
  notes.end();
  new SendingNotes(ring);
}

/** Makes a ring. */
function makeRing(scene: Scene<Cell>, index: number): Ring {
  using _maker = definitionOf(scene, index).producer({ open: "create" });
  const ring = new Ring(scene, index);
  ring.begin();
  return ring;
}

/** Returns the workload, with the hands of its consumers. */
export function spscWorkload(hands: SpscHands): Workload<Cell> {
  const roles = RINGS.flatMap((_, index) =>
    ["producer", "consumer"].map((role) => resourceOf(index, role))
  );
  return defineWorkload({
    about: "both ends of rings die within every way to send and receive; all arrives, once",
    cells: CELLS,
    facts: FACTS_OF_WAYS,
    wanted: { resources: roles, withinMs: 20_000 },
    parts: {
      producer: {
        seats: 4,
        harm: {
          steps: ["head store", "copy in", "claimed", "length in", "bell", "tail load", "lock"],
        },
        run: (actor) => produce(actor, hands),
      },
      consumer: {
        seats: 4,
        harm: {
          steps: ["tail store", "taken store", "copy out", "peek view", "bell", "lock"],
        },
        run: (actor) => consume(actor, hands),
      },
    },
    begin(scene) {
      using stack = new DisposableStack();
      const rings = RINGS.map((_, index) => stack.use(makeRing(scene, index)));
      const held = stack.move();
      const bytes = rings.find(({ level }) => level === "bytes")!;
      return {
        counts: () => ({
          ...countsOfWays(scene),
          facts: { "bytes through the ring of bytes": bytes.through },
        }),
        alone: () => rings.forEach((ring) => settle(ring, () => drain(ring))),
        [Symbol.dispose]: () => held.dispose(),
      };
    },
  });
}

export default spscWorkload(HANDS);
