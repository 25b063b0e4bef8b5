/**
 * What the tests of topics share: a topic of their own, and its inside, to be looked at and changed.
 *
 * @module
 */

import { codec } from "../../src/codec.ts";
import { openTopic } from "../../src/vdds/topic.ts";
import { Publisher } from "../../src/vdds/publisher.ts";
import type { PublisherOptions } from "../../src/vdds/topic_options.ts";
import type { Sample, SampleOutcome, ValueOutcome } from "../../src/vdds/sample.ts";
import { Subscriber } from "../../src/vdds/subscriber.ts";
import { Kept, type VRing } from "../../src/vdds/vring.ts";
import { Name } from "../shared/scene.ts";

/** A member of a topic that is neither publisher nor subscriber. While it is open the topic lives. */
export class Inside implements Disposable {
  readonly ring: VRing;

  /** Joins the topic, or makes it. */
  constructor(
    topic: string,
    options: { depth?: number; size?: number; maxSubscribers?: number } = {},
  ) {
    this.ring = openTopic(topic, options, codec.bytes.type);
  }

  /** As if so many samples had been published and read by all. */
  startAt(sequence: number): this {
    this.ring.keep(Kept.sequence, sequence);
    return this;
  }

  [Symbol.dispose](): void {
    this.ring.region.close();
  }
}

/** A topic with a publisher and any number of subscribers, that nobody else uses. */
export class Scene implements Disposable {
  readonly name = new Name();
  readonly publisher: Publisher;
  readonly #subscribers: Subscriber<Uint8Array<ArrayBuffer>>[] = [];

  constructor(options: PublisherOptions<Uint8Array> = {}) {
    this.publisher = Publisher.open(this.topic, { depth: 4, size: 256, ...options });
  }

  get topic(): string {
    return this.name.name;
  }

  /** One more subscriber. */
  subscribe(options: { history?: number; keepOpen?: boolean } = {}) {
    const subscriber = Subscriber.open(this.topic, options);
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  [Symbol.dispose](): void {
    this.publisher.close();
    for (const subscriber of this.#subscribers) subscriber.close();
    this.name[Symbol.dispose]();
  }
}

/** The value that was received. */
export function valueOf<T>(outcome: ValueOutcome<T>): T {
  if (outcome.state === "ok") return outcome.value;
  throw new Error(`Cannot take a value: ${outcome.state}`);
}

/** The received sample, without its time and origin. */
export function plain<T>(outcome: ValueOutcome<T>): unknown {
  if (outcome.state !== "ok") return outcome;
  const { state, value, sequence, lost } = outcome;
  return { state, value, sequence, lost };
}

/** The sample that was taken. */
export function sampleOf<T>(outcome: SampleOutcome<T>): Sample<T> {
  if (outcome.state === "ok") return outcome.sample;
  throw new Error(`Cannot take a sample: ${outcome.state}`);
}
