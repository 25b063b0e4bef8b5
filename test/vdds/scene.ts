/**
 * What the tests of topics share: a topic of their own, and its inside, to be looked at and changed.
 *
 * @module
 */

import type { Message } from "../../src/message.ts";
import { topic, type TopicDefinition } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { Subscriber } from "../../src/vdds/subscriber.ts";
import type { SubscriberOptions, TopicOptions } from "../../src/vdds/topic_options.ts";
import { Kept, type VRing } from "../../src/vdds/vring.ts";
import { Name } from "../shared/scene.ts";

/** A member of a topic that is neither publisher nor subscriber. While it is open the topic lives. */
export class Inside implements Disposable {
  readonly ring: VRing;

  /** Joins the topic, or makes it. */
  constructor(definition: TopicDefinition) {
    this.ring = definition.openRing();
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

/** The usual sizes of a {@linkcode Scene}. */
export const SHAPE = { depth: 4, size: 256 };

/** A topic with a publisher and any number of subscribers, that nobody else uses. */
export class Scene implements Disposable {
  readonly name = new Name();
  readonly definition: TopicDefinition;
  readonly publisher: Publisher;
  readonly #subscribers: Subscriber[] = [];

  constructor(options: TopicOptions = {}) {
    this.definition = topic(this.name.name, { ...SHAPE, ...options });
    this.publisher = this.definition.publisher();
  }

  get topic(): string {
    return this.name.name;
  }

  /** One more subscriber. */
  subscribe(options?: SubscriberOptions): Subscriber {
    const subscriber = this.definition.subscriber(options);
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  [Symbol.dispose](): void {
    this.publisher.close();
    for (const subscriber of this.#subscribers) subscriber.close();
    this.name[Symbol.dispose]();
  }
}

/** Returns a message that has to be there. */
export function present<T>(message: T | undefined): T {
  if (message === undefined) throw new Error("There is no message");
  return message;
}

/** Returns the value of a message that has to be there. */
export function valueOf<T>(message: { readonly value: T } | undefined): T {
  return present(message).value;
}

/** Returns a message without its time and origin. */
export function plain(
  message: Pick<Message, "value" | "sequence" | "lost"> | undefined,
): Pick<Message, "value" | "sequence" | "lost"> | undefined {
  if (message === undefined) return undefined;
  const { value, sequence, lost } = message;
  return { value, sequence, lost };
}
