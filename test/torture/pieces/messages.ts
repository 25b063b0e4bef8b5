/**
 * All ways to send and to receive the messages of a ring, tried by chance.
 *
 * @module
 */

import type { MessageBatch } from "../../../src/lane/message.ts";
import type * as types from "../../../src/message.ts";
import type { Claim } from "../../../src/claim.ts";
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

type Producer = MessageSender<types.Bytes>;

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
    const way = random.below(8);
    if (way === 0) await sendBatch(actor, producer, notes);
    else if (way < 3 || way === 7) {
      const trySend = way === 1 ? trySendInPlace : way === 7 ? tryFill : tryCopy;
      while (!isOver() && trySend(producer, notes));
      await nextTurn();
    } else if (way === 3) {
      if (await endsInTime(() => producer.sendSync(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 4) {
      if (await endsInTime(() => producer.send(message, WAIT))) notes.sentUpTo(end);
    } else if (way === 5) {
      using claim = await inTime(() => producer.claim(message.length, WAIT));
      if (claim !== undefined && random.chance(0.9)) publish(claim, message, notes);
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
  const message = messageAt(notes.position);
  using claim = producer.tryClaim(message.length);
  if (claim === undefined) return false;
  publish(claim, message, notes);
  return true;
}

/** Fills a claim, and publishes it. */
function publish(claim: Claim<types.Bytes>, message: Bytes, notes: SendingNotes): void {
  const end = endOf(notes.position);
  fill(claim.bytes, message);
  notes.beginUpTo(end);
  claim.publish();
  notes.sentUpTo(end);
}

/** Sends by a handler that fills the space. */
function tryFill(producer: Producer, notes: SendingNotes): boolean {
  const end = endOf(notes.position);
  const message = messageAt(notes.position);
  const sent = producer.tryFill(({ bytes }) => {
    fill(bytes, message);
    notes.beginUpTo(end);
    return message.length;
  }, message.length);
  if (sent) notes.sentUpTo(end);
  return sent;
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
export type Take<F> = (message: Bytes, about: Told & F) => void;

/** A consumer that says more about a message. */
export type Consumer<F> = MessageReceiver<types.Bytes, F>;

/** The ways to the next message that the broken workloads replace. */
export interface Hands<F> {
  /** Receives a copy, then calls `take`; returns false when the ring is empty. */
  receive(consumer: Consumer<F>, take: Take<F>): boolean;
  /** Shows a message in place, and acknowledges it after `take`; false when the ring is empty. */
  show(consumer: Consumer<F>, take: Take<F>): boolean;
  /** Handles the first messages of a batch, and acknowledges them. */
  acknowledge(batch: Pick<MessageBatch, "ack">, count: number, handle: () => void): void;
  /** Shows all messages in place, up to a limit. */
  poll(take: Take<F>, limit: number): void;
}

/** Receives as consumers are meant to be used. */
export function receive<F>(consumer: Consumer<F>, take: Take<F>): boolean {
  const message = consumer.tryReceive();
  if (message !== undefined) take(message.value, message);
  return message !== undefined;
}

/** Takes in place as consumers are meant to be used. */
export function show<F>(consumer: Consumer<F>, take: Take<F>): boolean {
  using message = consumer.tryTake();
  if (message === undefined) return false;
  take(message.bytes, message);
  message.ack();
  return true;
}

/** Acknowledges as consumers are meant to. */
export function acknowledge(
  batch: Pick<MessageBatch, "ack">,
  count: number,
  handle: () => void,
): void {
  handle();
  batch.ack(count);
}

/** The notes of a consumer of messages. */
export interface MessageNotes<F> {
  readonly flawed: boolean;
  receiving: boolean;
  message(bytes: Bytes, about: Told & F): void;
  /** Counts a batch. */
  count(): void;
  /** Returns the notes about the lane of a message. */
  of(about: Told & F): ReceivingNotes;
}

/** Receives for a while. */
export async function receiveMessages<F>(
  actor: Chance,
  consumer: Consumer<F>,
  { notes, hands }: { notes: MessageNotes<F>; hands: Hands<F> },
): Promise<void> {
  const { random } = actor;
  const take: Take<F> = (message, about) => {
    notes.message(message, about);
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100)); // holds it, if it is in place
  };
  let ended = false;
  const isOver = tenure(actor);
  const mayGoOn = () => !isOver() && !notes.flawed && !ended;
  while (mayGoOn()) {
    const way = random.below(8);
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
    else if (way === 3) await hold(actor, consumer, { take, notes });
    else if (way === 7) await loop(actor, consumer, { take, notes, mayGoOn });
    else {
      notes.receiving = true;
      if (way === 4) { while (mayGoOn() && hands.receive(consumer, take)) notes.receiving = true; }
      else {
        const message = await inEitherWay(
          actor,
          () => consumer.receiveSync(WAIT),
          () => consumer.receive(WAIT),
        );
        if (message !== undefined) take(message.value, message);
      }
      notes.receiving = false;
    }
    if (random.chance(0.02)) await sleep(random.between(1, 30));
    else await nextTurn();
  }
  if (random.chance(0.2)) consumer.tryTake(); // and leaves it to its successor
}

/** Takes a batch, and acknowledges a part of it; the rest comes again. */
async function handleBatch<F>(
  actor: Chance,
  consumer: Consumer<F>,
  { take, notes, hands }: {
    take: Take<F>;
    notes: MessageNotes<F>;
    hands: Pick<Hands<F>, "acknowledge">;
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

/** Keeps a message in place for a while, and acknowledges it or has it again. */
async function hold<F>(
  actor: Chance,
  consumer: Consumer<F>,
  { take, notes }: { take: Take<F>; notes: MessageNotes<F> },
): Promise<void> {
  const { random } = actor;
  using message = await inEitherWay(
    actor,
    () => consumer.takeSync(WAIT),
    () => consumer.take(WAIT),
  );
  if (message === undefined) return;
  take(message.bytes, message);
  if (random.chance(0.3)) await sleep(random.skewed(1, 100));
  const { length } = message.bytes;
  if (random.chance(0.7)) {
    message.ack();
    notes.of(message).acknowledged();
  } else notes.of(message).back(length);
}

/** Loops over messages in place, and leaves the last one, which comes again. */
async function loop<F>(
  { random }: Chance,
  consumer: Consumer<F>,
  { take, notes, mayGoOn }: {
    take: Take<F>;
    notes: MessageNotes<F>;
    mayGoOn: () => boolean;
  },
): Promise<void> {
  let before: ReceivingNotes | undefined;
  let left = random.small(100);
  await inTime(async () => {
    for await (const message of consumer.messages(WAIT)) {
      before?.acknowledged();
      before = notes.of(message);
      take(message.bytes, message);
      if (--left > 0 && mayGoOn()) continue;
      before.back(message.bytes.length);
      break;
    }
  });
}
