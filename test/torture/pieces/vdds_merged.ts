/**
 * The topics with several sources, and subscriptions to all sources of one.
 *
 * @module
 */

import { nextTurn, now, sleep } from "../../../src/os/clock.ts";
import { waitAny, waitAnySync } from "../../../src/wait/any.ts";
import type { TopicDefinition } from "../../../src/vdds/definition.ts";
import type { Subscriber } from "../../../src/vdds/subscriber.ts";
import type { Actor, Scene } from "../workload.ts";
import { inEitherWay, inTime, tenure, WAIT } from "./patience.ts";
import { HANDS, type Hands, InHand, wayTo } from "./vdds_subscription.ts";
import {
  type CellName,
  define,
  ReceivingNotes,
  type TopicPlan,
  type Traffic,
  traffics,
} from "./vdds_traffic.ts";
import { isGone } from "../../os/process_state.ts";

/** All who listen, witnesses of publishers, and the dead whose rows nobody has cleared yet. */
const MOST = { subscribers: 16 };

const LASTING = { ...MOST, depth: 8, size: 1000, history: 1, reserve: true, passing: false };
const PASSING = { ...MOST, depth: 4, size: 9000, history: 2, reserve: false, passing: true };

/** The topics by name: their sources, and how these publish. */
const TOPICS: Record<string, { sources: readonly string[] } & Omit<TopicPlan, "name" | "salt">> = {
  "block": { sources: ["left", "right"], policy: "block", ...LASTING },
  "drop/oldest": { sources: ["left", "right"], policy: "dropOldest", ...LASTING },
  "passing": { sources: ["a", "b", "c", "d"], policy: "dropNewest", ...PASSING },
};

/** A topic with one source, that nobody receives from, and to which few come. */
export const QUIET: TopicPlan = { name: "quiet/host", policy: "dropOldest", ...LASTING };

/** The source of the quiet topic. */
export const HOST = "host";

/** The topics of all sources. What they send differs, so that it shows if they are mixed up. */
export const PLANS: readonly TopicPlan[] = [
  ...Object.entries(TOPICS).flatMap(([name, { sources, ...plan }]) =>
    sources.map((source) => ({ ...plan, name: `${name}/${source}` }))
  ),
  QUIET,
].map((plan, index) => ({ ...plan, salt: 1009 * index }));

/** A topic, and what goes through each of its sources. */
export interface MergedTopic {
  readonly name: string;
  readonly definition: TopicDefinition;
  readonly sources: ReadonlyMap<string, Traffic>;
}

function mergedTopic(scene: Scene<CellName>, name: string, from: readonly string[]): MergedTopic {
  const all = traffics(scene, PLANS);
  const sources = new Map(from.map((source) => {
    return [source, all.find(({ plan }) => plan.name === `${name}/${source}`)!];
  }));
  const { plan } = sources.get(from[0]!)!;
  return { name, definition: define(scene.name(name), plan, "many"), sources };
}

/** The topics that are received from. */
export function mergedTopics(scene: Scene<CellName>): MergedTopic[] {
  return Object.entries(TOPICS).map(([name, { sources }]) => mergedTopic(scene, name, sources));
}

/** The quiet topic. */
export function quietTopic(scene: Scene<CellName>): MergedTopic {
  return mergedTopic(scene, "quiet", [HOST]);
}

let openings = 0;

/** Notes that this process is the publisher of a topic, until the note is disposed. */
export function appear({ present }: Traffic): Disposable {
  present.store(Deno.pid * 1000 + ++openings % 1000); // another value each time
  return { [Symbol.dispose]: () => present.store(0) };
}

function pidOf(presence: number): number {
  return Math.floor(presence / 1000);
}

/** Returns whether the noted process has been the publisher up to now. */
function isStillThere({ present }: Traffic, presence: number): boolean {
  if (presence === 0) return false;
  const lives = hasItsFiles(pidOf(presence));
  return lives && present.load() === presence;
}

const EXITING = 0x4; // PF_EXITING: from then on the kernel takes its files, and with them its roles

function hasItsFiles(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] !== "Z" && (Number(fields[6]) & EXITING) === 0;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** How a subscriber of all sources uses samples. */
export interface MergedHands extends Hands {
  /** Returns the source of a sample, given the one that the subscriber reports. */
  source(told: string, sources: readonly string[]): string;
}

/** As subscribers are meant to be used. */
export const MERGED_HANDS: MergedHands = { ...HANDS, source: (told) => told };

/** A subscription to all sources of a topic, while it lasts. */
class MergedSubscription implements Disposable {
  readonly subscriber: Subscriber;
  readonly #actor: Actor<CellName>;
  readonly #merged: MergedTopic;
  readonly #hands: MergedHands;
  readonly #notes = new Map<string, ReceivingNotes>();
  readonly #inHand: InHand;
  readonly #tenureIsOver: () => boolean;

  constructor(actor: Actor<CellName>, merged: MergedTopic, hands: MergedHands) {
    const { random } = actor;
    this.#actor = actor;
    this.#merged = merged;
    this.#hands = hands;
    this.#inHand = new InHand(random, hands);
    this.subscriber = merged.definition.subscriber({ history: random.below(2) });
    let isPassing = false;
    for (const [source, { plan }] of merged.sources) {
      if (plan.passing) isPassing = true;
      else this.#notesOf(source); // it was there, and so it was found
    }
    this.#tenureIsOver = tenure(actor, isPassing ? 1000 : 3000);
  }

  get isOver(): boolean {
    return this.#tenureIsOver() || [...this.#notes.values()].some(({ flawed }) => flawed);
  }

  #notesOf(source: string): ReceivingNotes | undefined {
    const traffic = this.#merged.sources.get(source);
    if (traffic === undefined) {
      this.#actor.complain(`topic ${this.#merged.name} has no source "${source}"`);
      return undefined;
    }
    const known = this.#notes.get(source);
    if (known !== undefined) return known;
    traffic.count("subscribers");
    const notes = new ReceivingNotes(traffic);
    this.#notes.set(source, notes);
    return notes;
  }

  /** Receives for a moment, in some way. */
  async receive(): Promise<void> {
    const { random } = this.#actor;
    this.#inHand.tidy();
    const get = wayTo(random, this.subscriber);
    let more = true;
    for (let left = random.small(60); left > 0 && more && !this.isOver; left--) {
      const expected = [...this.#notes.values()].map((notes) => ({ notes, due: notes.due }));
      const sample = await inTime(get);
      more = sample !== undefined;
      if (sample === undefined) { for (const { notes, due } of expected) notes.nothing(due); }
      else {
        const source = this.#hands.source(sample.source!, [...this.#merged.sources.keys()]);
        const notes = this.#notesOf(source);
        if (notes !== undefined) this.#inHand.take(sample, notes);
      }
    }
    if (random.chance(0.3)) this.#lookAround();
  }

  /** Checks that it lists all sources. */
  #lookAround(): void {
    const { sources } = this.#merged;
    const before = [...sources.values()].map(({ present }) => present.load());
    const told = this.subscriber.sources;
    for (const source of told) this.#notesOf(source);
    [...sources].forEach(([source, traffic], i) => {
      const presence = before[i]!;
      if (told.includes(source) || !isStillThere(traffic, presence)) return;
      traffic.complain(`process ${pidOf(presence)} is this source, and it is not listed`);
    });
  }

  /** Leaves, perhaps with samples in hand. */
  [Symbol.dispose](): void {
    this.#inHand.check();
    this.subscriber.close();
  }
}

/** Subscribes to all sources of all topics, and now and then leaves one and comes again. */
export async function listen(actor: Actor<CellName>, hands: MergedHands): Promise<void> {
  const { random } = actor;
  using stack = new DisposableStack();
  const subscriptions = new Map<MergedTopic, MergedSubscription>();
  stack.defer(() => subscriptions.forEach((each) => each[Symbol.dispose]()));
  const topics = mergedTopics(actor);
  const awayUntil = topics.map(() => 0);
  while (!actor.over) {
    const i = random.below(topics.length);
    const topic = topics[i]!;
    const subscription = subscriptions.get(topic);
    if (subscription === undefined) {
      if (now() > awayUntil[i]!) {
        subscriptions.set(topic, new MergedSubscription(actor, topic, hands));
      }
    } else if (subscription.isOver) {
      subscriptions.delete(topic);
      subscription[Symbol.dispose]();
      awayUntil[i] = now() + random.skewed(1, topic.name === "passing" ? 1500 : 50) * 1e6;
    } else if (random.chance(0.1)) {
      const all = [...subscriptions.values()].map(({ subscriber }) => subscriber);
      await inEitherWay<unknown>(actor, () => waitAnySync(all, WAIT), () => waitAny(all, WAIT));
    } else await subscription.receive();
    if (random.chance(0.1)) await sleep(random.skewed(1, 30));
    else await nextTurn();
  }
}
