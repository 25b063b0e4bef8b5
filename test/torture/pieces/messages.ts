/**
 * All ways to send and to receive the messages of a ring, tried by chance.
 *
 * @module
 */

import type {
  BatchMessage,
  MessageBatch,
  ReceivedValue,
  TakenMessage,
} from "../../../src/lane/message.ts";
import type { MessageReceiver } from "../../../src/lane/receiver.ts";
import type { MessageSender } from "../../../src/lane/sender.ts";
import { nextTurn, sleep, sleepSync } from "../../../src/os/clock.ts";
import { spring } from "../../trap/trap.ts";
import type { Actor } from "../workload.ts";
import { endsInTime, inEitherWay, inTime, tenure, WAIT } from "./patience.ts";
import { endOf, messageAt, type ReceivingNotes, type SendingNotes, type Told } from "./way.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Decides how long and in which way. */
type Chance = Pick<Actor, "random" | "over">;

type Producer = MessageSender<Uint8Array>;

/** Fills claimed space, with a step in the middle. */
export function fill(space: Uint8Array, bytes: Uint8Array): void {
  const middle = bytes.length >> 1;
  space.set(bytes.subarray(0, middle));
  spring("claimed and half filled");
  space.set(bytes.subarray(middle), middle);
}

/** Sends for a while. */
export async function sendMessages(actor: Chance, producer: Producer, notes: SendingNotes) {
  const { random } = actor;
  for (const isOver = tenure(actor); !isOver();) {
    const end = endOf(notes.position);
    const message = messageAt(notes.position);
    notes.beginUpTo(end);
    const way = random.below(7);
    if (way === 0) await sendBatch(actor, producer, notes);
    else if (way < 3) {
      const trySend = way === 1 ? trySendInPlace : tryCopy;
      while (!isOver() && trySend(producer, notes));
      await nextTurn();
    } else if (way === 3) {
      if (await endsInTime(() => producer.sendSync(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 4) {
      if (await endsInTime(() => producer.send(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 5) {
      if (await inTime(() => producer.claim(message.length, WAIT))) trySendInPlace(producer, notes);
    } else if (await endsInTime(() => producer.flush(WAIT))) notes.flushed();
    if (random.chance(0.02)) await sleep(random.between(1, 30));
  }
}

function tryCopy(producer: Producer, notes: SendingNotes): boolean {
  const end = endOf(notes.position);
  notes.beginUpTo(end);
  if (!producer.trySend(messageAt(notes.position))) return false;
  notes.sentUpTo(end);
  return true;
}

function trySendInPlace(producer: Producer, notes: SendingNotes): boolean {
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

async function sendBatch(actor: Chance, producer: Producer, notes: SendingNotes): Promise<void> {
  const { random } = actor;
  const ends = [notes.position];
  for (let count = random.small(40); count > 0; count--) ends.push(endOf(ends.at(-1)!));
  const end = ends.pop()!;
  const batch = ends.map(messageAt);
  notes.beginUpTo(end);
  if (random.chance(1 / 3)) producer.trySendBatch(batch);
  else {
    await inEitherWay(
      actor,
      () => producer.sendBatchSync(batch, WAIT),
      () => producer.sendBatch(batch, WAIT),
    );
  }
  notes.resume(); // some may not have been sent
}

/** Looks at a message. */
export type Take<About> = (message: Bytes, about: About) => void;

/** A consumer that says more about a value and about a message in place. */
export type Consumer<About extends Told> = MessageReceiver<
  Bytes,
  ReceivedValue<Bytes> & About,
  TakenMessage & About,
  BatchMessage<Bytes> & About
>;

/** The ways to the next message that the broken workloads replace. */
export interface Hands<About extends Told> {
  /** Copies a message and releases it, then calls `take`; returns false when the ring is empty. */
  receive(consumer: Consumer<About>, take: Take<About>): boolean;
  /** Shows a message in place and releases it after `take` has returned; false when the ring is empty. */
  show(consumer: Consumer<About>, take: Take<About>): boolean;
  /** Handles the first messages of a batch, and acknowledges them. */
  acknowledge(batch: MessageBatch<unknown>, count: number, handle: () => void): void;
  /** Shows all messages in place, up to a limit. */
  poll(take: Take<About>, limit: number): void;
}

/** Receives as consumers are meant to be used. */
export function receive<About extends Told>(consumer: Consumer<About>, take: Take<About>): boolean {
  const outcome = consumer.tryReceive();
  if (outcome.state === "ok") take(outcome.value, outcome);
  return outcome.state === "ok";
}

/** Takes in place as consumers are meant to be used. */
export function show<About extends Told>(consumer: Consumer<About>, take: Take<About>): boolean {
  const outcome = consumer.tryTake();
  if (outcome.state !== "ok") return false;
  using sample = outcome.sample;
  take(sample.bytes, sample);
  return true;
}

/** Acknowledges as consumers are meant to. */
export function acknowledge(batch: MessageBatch<unknown>, count: number, handle: () => void): void {
  handle();
  batch.ack(count);
}

/** The notes of a consumer of messages. */
export interface MessageNotes<About> {
  readonly flawed: boolean;
  receiving: boolean;
  message(bytes: Bytes, about: About): void;
  /** Counts a batch. */
  count(): void;
  /** Returns the notes about the lane of a message. */
  of(about: About): ReceivingNotes;
}

/** Receives for a while. */
export async function receiveMessages<About extends Told>(
  actor: Chance,
  consumer: Consumer<About>,
  { notes, hands }: { notes: MessageNotes<About>; hands: Hands<About> },
): Promise<void> {
  const { random } = actor;
  const take: Take<About> = (message, about) => {
    notes.message(message, about);
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100)); // holds it, if it is in place
  };
  let ended = false;
  const isOver = tenure(actor);
  const mayGoOn = () => !isOver() && !notes.flawed && !ended;
  while (mayGoOn()) {
    const way = random.below(7);
    if (way === 6) await handleBatch(actor, consumer, { take, notes, hands });
    else if (way === 0) {
      const more = await inEitherWay(
        actor,
        () => consumer.waitSync(WAIT),
        () => consumer.wait(WAIT),
      );
      ended = more === false;
    } else if (way === 1) { while (mayGoOn() && hands.show(consumer, take)); }
    else if (way === 2) hands.poll(take, random.small(100));
    else if (way === 3) await hold(actor, consumer, take);
    else {
      notes.receiving = true;
      if (way === 4) { while (mayGoOn() && hands.receive(consumer, take)) notes.receiving = true; }
      else {
        const outcome = await inEitherWay(
          actor,
          () => consumer.receiveSync(WAIT),
          () => consumer.receive(WAIT),
        );
        if (outcome?.state === "ok") take(outcome.value, outcome);
      }
      notes.receiving = false;
    }
    if (random.chance(0.02)) await sleep(random.between(1, 30));
    else await nextTurn();
  }
  if (random.chance(0.2)) consumer.tryTake(); // and leaves it to its successor
}

/** Takes a batch, and acknowledges a part of it; the rest comes again. */
async function handleBatch<About extends Told>(
  actor: Chance,
  consumer: Consumer<About>,
  { take, notes, hands }: {
    take: Take<About>;
    notes: MessageNotes<About>;
    hands: Pick<Hands<About>, "acknowledge">;
  },
): Promise<void> {
  const { random } = actor;
  const options = { ...WAIT, limit: random.small(100) };
  using batch = await inEitherWay(
    actor,
    () => consumer.takeBatchSync(options),
    () => consumer.takeBatch(options),
  );
  if (batch === undefined) return;
  const messages = [...batch].map((message) => ({ message, bytes: message.bytes }));
  const acked = random.chance(0.5) ? messages.length : random.below(messages.length + 1);
  const parts = random.chance(0.5) ? [acked] : [acked >> 1, acked - (acked >> 1)];
  let handled = 0;
  for (const count of parts) {
    const part = messages.slice(handled, handled += count);
    hands.acknowledge(batch, count, () => {
      for (const { message, bytes } of part) take(bytes, message);
    });
    for (const { message } of part) notes.of(message).acknowledged();
  }
  const rest = messages.slice(acked);
  for (const { message, bytes } of rest) take(bytes, message); // and fails to handle them
  for (const { message, bytes } of rest) notes.of(message).back(bytes.length);
  notes.count();
}

/** Keeps a message in place for a while. */
async function hold<About extends Told>(
  actor: Chance,
  consumer: Consumer<About>,
  take: Take<About>,
): Promise<void> {
  const { random } = actor;
  const outcome = await inEitherWay(
    actor,
    () => consumer.takeSync(WAIT),
    () => consumer.take(WAIT),
  );
  if (outcome?.state !== "ok") return;
  using sample = outcome.sample;
  take(sample.bytes, sample);
  if (random.chance(0.3)) await sleep(random.skewed(1, 100));
}
