/**
 * The samples that go through the topics of the workloads about vdds, and their account.
 *
 * The number of a sample determines all its bytes. The ledger shows for each topic whether the
 * numbers are right:
 *
 * - `begun` and `numbered`, by publishers: the number that the next sample may get, and the last
 *   number known to be given, to a sample or to one that found no room. A successor must find the
 *   topic at one of the two.
 * - `sent`: the last number known to be that of a sample.
 *
 * A subscriber was certainly open before any number above the `begun` that it reads after opening.
 * So from that one on each sample has to arrive, or to be counted as lost.
 *
 * @module
 */

import { topic, type TopicDefinition } from "../../../src/vdds/definition.ts";
import type { Publisher } from "../../../src/vdds/publisher.ts";
import type { Policy } from "../../../src/vdds/topic_options.ts";
import { isPayload, lengthOf, payload } from "../../circular/scene.ts";
import { type Flaw, Track } from "./track.ts";
import type { Scene } from "../workload.ts";

/** A topic, and how it is used. */
export interface TopicPlan {
  readonly name: string;
  readonly policy: Policy;
  readonly depth: number;
  readonly size: number;
  readonly subscribers: number;
  readonly history: number;
  readonly reserve: boolean;
  /** It exists only while somebody uses it, and then its numbers begin again. */
  readonly passing?: boolean;
  /** Makes its samples differ from those of other topics. */
  readonly salt?: number;
}

/** The subscribers of a run. */
export const SUBSCRIBERS = 6;

/** One subscriber more than there are, and one whose row a stopped publisher is clearing. */
const MOST = { subscribers: SUBSCRIBERS + 2 };

/** One for each policy. The large samples take pages that come when they are needed first. */
export const TOPICS: readonly TopicPlan[] = [
  { name: "block", policy: "block", depth: 16, size: 1000, history: 2, reserve: true },
  { name: "drop/newest", policy: "dropNewest", depth: 8, size: 20_000, history: 0, reserve: false },
  { name: "drop/oldest", policy: "dropOldest", depth: 6, size: 1000, history: 1, reserve: true },
].map((plan) => ({ ...plan, ...MOST } as TopicPlan));

/** Returns the definition of a topic of the run, which has one publisher or many. */
export function define(
  name: string,
  { policy, depth, size, subscribers, history, reserve }: Omit<TopicPlan, "name">,
  publishers: "one" | "many" = "one",
): TopicDefinition {
  return topic(name, { policy, depth, size, subscribers, history, reserve, publishers });
}

/** The cells for so many topics. */
export function cellsFor(topics: number) {
  return {
    begun: topics,
    numbered: topics,
    sent: topics,
    published: topics, // samples that a publisher knows to be published
    received: topics, // samples that subscribers had, once for each
    told: topics, // samples that subscribers counted as lost, once for each
    present: topics, // its publisher, also when that was killed; 0 without one
    passedOver: 1, // samples that a subscriber of the latest passed over
    lost: 1, // losses that must not be, or that were not counted
    duplicated: 1, // samples that came again, or out of order
    corrupt: 1, // samples with other content than was sent, or changed while held
    leaked: 1, // samples without room while nobody holds any
    publishers: 1, // times that a topic got a publisher
    subscribers: 1,
    renewed: 1, // times that a topic was made again
    observed: 1, // samples that observers copied
    bereaved: 1, // times that a subscriber learnt that its publisher died
  };
}

export type CellName = keyof ReturnType<typeof cellsFor>;
export type Bytes = Uint8Array<ArrayBuffer>;

/** Where numbers begin: what words have room for of them begins again soon. */
export const START = 2 ** 30 - 2000;

/** A topic of the run, and the notes about it. */
export class Traffic extends Track<CellName> {
  readonly plan: TopicPlan;
  readonly definition: TopicDefinition;
  readonly begun = this.at("begun");
  readonly numbered = this.at("numbered");
  readonly sent = this.at("sent");
  readonly published = this.at("published");
  readonly received = this.at("received");
  readonly told = this.at("told");
  readonly present = this.at("present");

  constructor(scene: Scene<CellName>, plan: TopicPlan, index: number) {
    super(scene, `topic ${plan.name}`, index);
    this.plan = plan;
    this.definition = define(scene.name(plan.name), plan);
  }

  /** Returns the sample of a number. */
  sampleOf(sequence: number): Bytes {
    const { size, salt = 0 } = this.plan;
    return payload(sequence + salt, lengthOf(sequence, size));
  }

  /** Returns whether these bytes are the sample of a number. */
  isSample(bytes: Uint8Array, sequence: number): boolean {
    const { size, salt = 0 } = this.plan;
    return bytes.length === lengthOf(sequence, size) && isPayload(bytes, sequence + salt);
  }

  /** Notes that the topic was made again. */
  beginAgain(): void {
    // A subscriber that sees a part of these stores expects no sample from before.
    for (const cell of [this.sent, this.numbered, this.begun]) cell.store(0);
    this.count("renewed");
  }
}

/** The notes of a publisher. Made once it has its role. */
export class PublishingNotes {
  readonly #traffic: Traffic;
  readonly #publisher: Publisher;

  constructor(traffic: Traffic, publisher: Publisher) {
    this.#traffic = traffic;
    this.#publisher = publisher;
    const { sequence } = publisher;
    if (traffic.plan.passing && sequence === 0) traffic.beginAgain();
    const [known, most] = [traffic.numbered.load(), traffic.begun.load()];
    traffic.numbered.store(sequence);
    if (sequence >= known && sequence <= most) return;
    const text = `its last sample is ${sequence}, when ${known} was sent, and ${most} begun`;
    traffic.find(sequence < known ? "lost" : "duplicated", text);
  }

  /** Returns the next sample; its number is about to be given. */
  begin(): Bytes {
    const next = this.#publisher.sequence + 1;
    this.#traffic.begun.store(next);
    return this.#traffic.sampleOf(next);
  }

  /** Notes whether the sample was published, or found no room. */
  end(published: boolean): void {
    const { sequence } = this.#publisher;
    this.#traffic.numbered.store(sequence);
    if (!published) return;
    this.#traffic.sent.store(sequence);
    this.#traffic.published.add(1);
  }
}

/** The notes of a subscriber. Made once it is open. */
export class ReceivingNotes {
  readonly #traffic: Traffic;
  readonly #from: number; // samples after this one have to arrive, or to be counted as lost
  #last = 0;
  #flawed = false;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#from = traffic.begun.load();
  }

  /** Whether something was wrong, so that further notes mean nothing. */
  get flawed(): boolean {
    return this.#flawed;
  }

  /** The latest number that has to be there already when the subscriber finds nothing. */
  get due(): number {
    const { plan, sent } = this.#traffic;
    if (plan.policy === "dropOldest") return 0; // the latest may be gone for one that never came
    const due = sent.load();
    return due > this.#from ? due : 0;
  }

  /** Notes a sample; the latest may have passed over others. */
  sample(
    bytes: Uint8Array,
    { sequence, lost, isLatest = false }: { sequence: number; lost: number; isLatest?: boolean },
  ): void {
    this.#checkBytes(bytes, sequence);
    if (this.#flawed) return;
    if (sequence <= this.#last) {
      return this.#find("duplicated", `sample ${sequence} came after ${this.#last}`);
    }
    const before = this.#last > 0 ? this.#last : Math.min(this.#from, sequence - 1);
    const missing = sequence - lost - 1 - before;
    if (missing > 0 && !isLatest || missing < 0 && this.#last > 0) {
      const text = `sample ${sequence} came after ${before}, and ${lost} are said to be lost`;
      return this.#find("lost", text);
    }
    if (lost > 0 && this.#traffic.plan.policy === "block") {
      return this.#find("lost", `${lost} samples before ${sequence} are said to be lost`);
    }
    if (isLatest) this.#traffic.count("passedOver", Math.max(missing, 0));
    this.#last = sequence;
    this.#traffic.received.add(1);
    this.#traffic.told.add(lost);
  }

  /** Checks a sample that was held for a while. */
  held(bytes: Uint8Array, sequence: number): void {
    this.#checkBytes(bytes, sequence);
  }

  /** Checks that nothing was there when this number was due. */
  nothing(due: number): void {
    if (this.#last >= due) return;
    this.#find("lost", `nothing comes after ${this.#last}, and ${due} was sent`);
  }

  #checkBytes(bytes: Uint8Array, sequence: number): void {
    if (this.#traffic.isSample(bytes, sequence)) return;
    this.#find("corrupt", `sample ${sequence} is not what was sent`);
  }

  #find(flaw: Flaw, text: string): void {
    this.#flawed = true;
    this.#traffic.find(flaw, text);
  }
}

/** The topics of the run. */
export function traffics(
  scene: Scene<CellName>,
  plans: readonly TopicPlan[] = TOPICS,
): Traffic[] {
  return plans.map((plan, index) => new Traffic(scene, plan, index));
}
