/**
 * How the subscribers of the vdds kind receive.
 *
 * @module
 */

import { PeerLostError } from "../../src/errors.ts";
import { nextTurn, sleep, sleepSync } from "../../src/os/clock.ts";
import type { Sample, SampleOutcome, ValueOutcome } from "../../src/vdds/sample.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import type { Stage } from "./kind.ts";
import { inTime, tenure, WAIT } from "./patience.ts";
import type { Random } from "./random.ts";
import {
  type Bytes,
  type CellName,
  ReceivingNotes,
  type Traffic,
  traffics,
} from "./vdds_traffic.ts";

/** Where it is most interesting that subscribers die. */
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

/** What a subscriber does with what it gets. */
export interface Hands {
  /** How many samples were lost, as the subscriber tells it. */
  lost(told: number): number;
  /** Looks at a sample and gives it back. */
  look(sample: Sample<Bytes>, check: (bytes: Bytes) => void): void;
}

/** As subscribers are meant to be used. */
export const HANDS: Hands = {
  lost: (told) => told,
  look(sample, check) {
    check(sample.bytes);
    sample[Symbol.dispose]();
  },
};

/** What a subscription keeps in hand at most, so that publishers find room now and then. */
const MOST_HELD = 2;

/** What a subscription has taken and keeps for a while. */
export class InHand {
  readonly #random: Random;
  readonly #hands: Hands;
  readonly #held: { sample: Sample<Bytes>; notes: ReceivingNotes }[] = [];

  constructor(random: Random, hands: Hands) {
    this.#random = random;
    this.#hands = hands;
  }

  /** Looks at a sample, and may keep it. */
  look(sample: Sample<Bytes>, notes: ReceivingNotes, isLatest = false): void {
    const random = this.#random;
    const { sequence } = sample;
    const lost = this.#hands.lost(sample.lost);
    if (this.#held.length < MOST_HELD && random.chance(0.03)) {
      notes.sample(sample.bytes, { sequence, lost, isLatest });
      this.#held.push({ sample, notes });
      return;
    }
    this.#hands.look(sample, (bytes) => notes.sample(bytes, { sequence, lost, isLatest }));
    if (random.chance(0.001)) sleepSync(random.skewed(1, 100));
  }

  /** Gives back what was kept, in any order. */
  giveBack(): void {
    while (this.#held.length > 0) {
      const [{ sample, notes }] = this.#held.splice(this.#random.below(this.#held.length), 1) as [
        { sample: Sample<Bytes>; notes: ReceivingNotes },
      ];
      notes.held(sample.bytes, sample.sequence);
      sample[Symbol.dispose]();
    }
  }

  /** Looks at what is kept once more, before it is left. */
  check(): void {
    for (const { sample, notes } of this.#held) notes.held(sample.bytes, sample.sequence);
  }
}

type Taken = SampleOutcome<Bytes>;
type Received = ValueOutcome<Bytes>;

/** A subscription to a topic, while it lasts. */
class Subscription implements Disposable {
  readonly #stage: Stage<CellName>;
  readonly #traffic: Traffic;
  readonly #hands: Hands;
  readonly #subscriber: Subscriber<Bytes>;
  readonly #notes: ReceivingNotes;
  readonly #tenureIsOver: () => boolean;
  readonly #inHand: InHand;

  constructor(stage: Stage<CellName>, traffic: Traffic, hands: Hands) {
    const { random } = stage;
    this.#stage = stage;
    this.#traffic = traffic;
    this.#hands = hands;
    this.#inHand = new InHand(random, hands);
    this.#subscriber = Subscriber.open(traffic.topic, {
      history: random.below(4),
      keepOpen: random.chance(0.7),
    });
    this.#notes = new ReceivingNotes(traffic);
    this.#tenureIsOver = tenure(stage, 3000);
    traffic.count("subscribers");
  }

  get #isOver(): boolean {
    return this.#tenureIsOver() || this.#notes.flawed;
  }

  /** Receives for a moment, in some way; false if this subscription is to be closed. */
  async receive(): Promise<boolean> {
    const { random } = this.#stage;
    if (random.chance(0.8)) this.#inHand.giveBack();
    try {
      const state = random.chance(0.2) ? this.#poll() : await this.#receiveSome();
      return state !== "closed" && !this.#isOver;
    } catch (error) {
      if (!(error instanceof PeerLostError)) throw error;
      this.#traffic.count("bereaved");
      return false;
    }
  }

  #poll(): string {
    const { due } = this.#notes;
    const limit = this.#stage.random.small(60);
    const count = this.#subscriber.poll((bytes, sequence, lost) => {
      this.#notes.sample(bytes, { sequence, lost: this.#hands.lost(lost) });
    }, limit);
    if (count < limit) this.#notes.nothing(due);
    return "ok";
  }

  /** Until there is nothing more, or for a while. */
  async #receiveSome(): Promise<string> {
    const { random } = this.#stage;
    const isLatest = random.chance(0.2);
    const get = isLatest ? this.#wayToTheLatest() : this.#way();
    let state = "ok";
    for (let left = random.small(60); left > 0 && state === "ok" && !this.#isOver; left--) {
      const { due } = this.#notes;
      const outcome = await inTime(get) ?? { state: "empty" };
      state = outcome.state;
      if (outcome.state !== "ok") this.#notes.nothing(due);
      else if ("sample" in outcome) this.#inHand.look(outcome.sample, this.#notes, isLatest);
      else {
        const { value, sequence, lost } = outcome;
        this.#notes.sample(value, { sequence, lost: this.#hands.lost(lost) });
      }
    }
    return state;
  }

  #way(): () => Taken | Received | Promise<Taken | Received> {
    const subscriber = this.#subscriber;
    return this.#stage.random.pick([
      () => subscriber.tryTake(),
      () => subscriber.tryReceive(),
      () => subscriber.takeSync(WAIT),
      () => subscriber.take(WAIT),
      () => subscriber.receiveSync(WAIT),
      () => subscriber.receive(WAIT),
    ]);
  }

  #wayToTheLatest(): () => Taken | Promise<Taken> {
    const subscriber = this.#subscriber;
    return this.#stage.random.pick([
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
export async function subscribe(stage: Stage<CellName>, hands: Hands): Promise<void> {
  const { random } = stage;
  using stack = new DisposableStack();
  const all = traffics(stage);
  const subscriptions = all.map((traffic) => new Subscription(stage, traffic, hands));
  stack.defer(() => subscriptions.forEach((each) => each[Symbol.dispose]()));
  while (!stage.over) {
    const i = random.below(all.length);
    if (!await subscriptions[i]!.receive()) {
      subscriptions[i]![Symbol.dispose]();
      if (random.chance(0.5)) await sleep(random.skewed(1, 50));
      subscriptions[i] = new Subscription(stage, all[i]!, hands);
    }
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
    else await nextTurn();
  }
}
