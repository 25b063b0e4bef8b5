/**
 * All ways to receive from topics, tried by chance.
 *
 * @module
 */

import { PeerLostError } from "../../../src/errors.ts";
import { nextTurn, sleep, sleepSync } from "../../../src/os/clock.ts";
import type { Sample, TopicMessage } from "../../../src/vdds/sample.ts";
import type { Subscriber } from "../../../src/vdds/subscriber.ts";
import type { Actor } from "../workload.ts";
import type { Random } from "../../random.ts";
import { inTime, tenure, WAIT } from "./patience.ts";
import {
  type Bytes,
  type CellName,
  ReceivingNotes,
  type Traffic,
  traffics,
} from "./vdds_traffic.ts";

/** The steps at which the death of a subscriber is most interesting. */
export const RECEIVING_STEPS: readonly string[] = [
  "row",
  "references",
  "available",
  "online",
  "pin",
  "copy out",
  "bell",
  "lock",
];

/** How a subscriber uses samples. */
export interface Hands {
  /** Returns the number of lost samples, given the number that the subscriber reports. */
  lost(told: number): number;
  /** Looks at a sample and gives it back. */
  look(sample: Sample, check: (bytes: Bytes) => void): void;
}

/** As subscribers are meant to be used. */
export const HANDS: Hands = {
  lost: (told) => told,
  look(sample, check) {
    check(sample.bytes);
    sample[Symbol.dispose]();
  },
};

/** A sample in place or by copy, or none. */
type Taken = Sample | TopicMessage | undefined;

/** Returns one way to the next sample. */
export function wayTo(random: Random, subscriber: Subscriber) {
  return random.pick<() => Taken | Promise<Taken>>([
    () => subscriber.tryTake(),
    () => subscriber.tryReceive(),
    () => subscriber.takeSync(WAIT),
    () => subscriber.take(WAIT),
    () => subscriber.receiveSync(WAIT),
    () => subscriber.receive(WAIT),
  ]);
}

/** The number of samples that a subscription holds at most, so that publishers find room. */
const MOST_HELD = 2;

/** The samples that a subscription has taken and holds for a while. */
export class InHand {
  readonly #random: Random;
  readonly #hands: Hands;
  readonly #held: { sample: Sample; notes: ReceivingNotes }[] = [];

  constructor(random: Random, hands: Hands) {
    this.#random = random;
    this.#hands = hands;
  }

  /** Looks at a sample, and may hold it. */
  take(sample: Sample | TopicMessage, notes: ReceivingNotes, isLatest = false): void {
    const random = this.#random;
    const about = { sequence: sample.sequence, lost: this.#hands.lost(sample.lost), isLatest };
    if (!("bytes" in sample)) return notes.sample(sample.value, about);
    if (this.#held.length < MOST_HELD && random.chance(0.03)) {
      notes.sample(sample.bytes, about);
      this.#held.push({ sample, notes });
      return;
    }
    this.#hands.look(sample, (bytes) => notes.sample(bytes, about));
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100));
  }

  /** Mostly gives back what it holds, in any order. */
  tidy(): void {
    if (this.#random.chance(0.2)) return;
    while (this.#held.length > 0) {
      const [{ sample, notes }] = this.#held.splice(this.#random.below(this.#held.length), 1) as [
        { sample: Sample; notes: ReceivingNotes },
      ];
      notes.held(sample.bytes, sample.sequence);
      sample[Symbol.dispose]();
    }
  }

  /** Looks once more at what it holds, before leaving it. */
  check(): void {
    for (const { sample, notes } of this.#held) notes.held(sample.bytes, sample.sequence);
  }
}

/** A subscription to a topic, while it lasts. */
class Subscription implements Disposable {
  readonly #actor: Actor<CellName>;
  readonly #traffic: Traffic;
  readonly #hands: Hands;
  readonly #subscriber: Subscriber;
  readonly #notes: ReceivingNotes;
  readonly #tenureIsOver: () => boolean;
  readonly #inHand: InHand;

  constructor(actor: Actor<CellName>, traffic: Traffic, hands: Hands) {
    const { random } = actor;
    this.#actor = actor;
    this.#traffic = traffic;
    this.#hands = hands;
    this.#inHand = new InHand(random, hands);
    const { definition, plan } = traffic;
    this.#subscriber = definition.subscriber({
      history: random.below(plan.history + 1),
      onPeerGone: random.chance(0.7) ? "wait" : "end",
    });
    this.#notes = new ReceivingNotes(traffic);
    this.#tenureIsOver = tenure(actor, 3000);
    traffic.count("subscribers");
  }

  get #isOver(): boolean {
    return this.#tenureIsOver() || this.#notes.flawed;
  }

  /** Receives for a moment, in some way; false when this subscription has to be closed. */
  async receive(): Promise<boolean> {
    const { random } = this.#actor;
    this.#inHand.tidy();
    try {
      if (random.chance(0.2)) this.#poll();
      else await this.#receiveSome();
      return !this.#subscriber.ended && !this.#isOver;
    } catch (error) {
      if (!(error instanceof PeerLostError)) throw error;
      this.#traffic.count("bereaved");
      return false;
    }
  }

  #poll(): void {
    const { due } = this.#notes;
    const limit = this.#actor.random.small(60);
    const count = this.#subscriber.poll(({ bytes, sequence, lost }) => {
      this.#notes.sample(bytes, { sequence, lost: this.#hands.lost(lost) });
    }, limit);
    if (count < limit) this.#notes.nothing(due);
  }

  /** Receives until nothing is left, or for a while. */
  async #receiveSome(): Promise<void> {
    const { random } = this.#actor;
    const isLatest = random.chance(0.2);
    const get = isLatest ? this.#wayToTheLatest() : wayTo(random, this.#subscriber);
    for (let left = random.small(60); left > 0 && !this.#isOver; left--) {
      const { due } = this.#notes;
      const sample = await inTime(get);
      if (sample === undefined) return this.#notes.nothing(due);
      this.#inHand.take(sample, this.#notes, isLatest);
    }
  }

  #wayToTheLatest() {
    const subscriber = this.#subscriber;
    return this.#actor.random.pick<() => Taken | Promise<Taken>>([
      () => subscriber.tryTakeLatest(),
      () => subscriber.takeLatestSync(WAIT),
      () => subscriber.takeLatest(WAIT),
    ]);
  }

  /** Leaves, perhaps with samples in hand. */
  [Symbol.dispose](): void {
    this.#inHand.check();
    this.#subscriber.close();
  }
}

/** Subscribes to all topics, and now and then leaves one and comes again. */
export async function subscribe(actor: Actor<CellName>, hands: Hands): Promise<void> {
  const { random } = actor;
  using stack = new DisposableStack();
  const all = traffics(actor);
  const subscriptions = all.map((traffic) => new Subscription(actor, traffic, hands));
  stack.defer(() => subscriptions.forEach((each) => each[Symbol.dispose]()));
  while (!actor.over) {
    const i = random.below(all.length);
    if (!await subscriptions[i]!.receive()) {
      subscriptions[i]![Symbol.dispose]();
      if (random.chance(0.5)) await sleep(random.skewed(1, 50));
      subscriptions[i] = new Subscription(actor, all[i]!, hands);
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
    else await nextTurn();
  }
}
