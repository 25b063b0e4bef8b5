/**
 * A subscriber of all sources of a topic; sources.ts explains how it finds them.
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { ClosedError, VringError } from "../errors.ts";
import type { Codec } from "../codec.ts";
import { Again } from "../region/poll.ts";
import { now } from "../os/clock.ts";
import { valueStream } from "../streams.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { type Arrived, arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { iterate, type Step } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Sample, SampleFacts } from "./sample.ts";
import { checkedTopic } from "./topic.ts";
import { Sources, topicOfSource } from "./sources.ts";
import { partsOf, subscribeOnce, type Subscriber } from "./subscriber.ts";
import type { SubscriberConnectOptions } from "./topic_options.ts";

/** How long another process may be in the way of a source until the source is looked for again. */
const RETRY_NS = 100e6;

/** How to subscribe to all sources of a topic. */
export interface MergedSubscriberOptions<T>
  extends Pick<SubscriberConnectOptions<T>, "codec" | "history" | "anyOwner"> {
  /**
   * The permission bits of the region that announces sources, if created; 0o600 by default,
   * 0o640 with a group.
   */
  mode?: number | undefined;
  /** The name or number of its group, whose members can observe it. */
  group?: string | number | undefined;
}

/** What taking a sample of any source gives. */
export type MergedSampleOutcome<T> =
  /** The sample and its source. */
  | { state: "ok"; sample: Sample<T>; source: string }
  /** Nothing is there now. */
  | { state: "empty" };

/** What receiving a value of any source gives. */
export type MergedValueOutcome<T> =
  /** The value, its source, and the facts about its sample there. */
  | ({ state: "ok"; value: T; source: string } & SampleFacts)
  /** Nothing is there now. */
  | { state: "empty" };

/**
 * A subscriber of all publishers that publish to a topic at once, each as a source of it. The samples
 * of each source arrive in order, and sources with samples take turns. A source may close and
 * return under its name. The subscriber misses samples that a source publishes before it is found:
 * the publisher can wait until its `matches()` counts a subscriber. Every topic below this one is a
 * source. A source that cannot be joined, such as one with another type, causes one error, and is
 * ignored until its topic is removed.
 *
 * The memory of a source that has gone is kept until this is closed or the topic of the source is
 * unlinked: name sources after what they are, such as "left", and not after processes.
 *
 * @example Two sources of one topic
 * ```ts
 * import { codec, MergedSubscriber, Publisher } from "@vring/vring";
 *
 * using subscriber = MergedSubscriber.open("/example/lidar", { codec: codec.text });
 * using left = Publisher.open("/example/lidar", { source: "left", codec: codec.text });
 * using right = Publisher.open("/example/lidar", { source: "right", codec: codec.text });
 * subscriber.tryReceive(); // nothing yet, but now it knows them
 * left.trySend("near");
 * right.trySend("far");
 * for (let i = 0; i < 2; i++) {
 *   const { source, value } = subscriber.receiveSync();
 *   console.log(source, value); // left near, right far
 * }
 * ```
 */
export class MergedSubscriber<T = Uint8Array> implements Disposable, Waitable {
  /** The topic. */
  readonly topic: string;
  readonly #sources: Sources;
  readonly #options: MergedSubscriberOptions<T>;
  readonly #waiter: Waiter;
  // By the identity of the region: a topic that was unlinked and made again is another one.
  readonly #joined = new Map<string, Joined<T>>();
  readonly #refused = new Set<string>(); // identities of those that cannot be joined
  readonly #untold: VringError[] = []; // why
  #order: readonly Joined<T>[] = [];
  #next = 0; // whose turn it is
  #seen = -1; // the count of changes at the last look at the sources
  #retryAt = Infinity; // when to look for sources again that another process was in the way of
  #closed = false;

  private constructor(topic: string, sources: Sources, options: MergedSubscriberOptions<T>) {
    this.topic = topic;
    this.#sources = sources;
    this.#options = options;
    this.#waiter = {
      action: `receive from topic "${topic}"`,
      conditions: () => this[CONDITIONS](),
      checkOpen: () => this.#checkOpen(),
    };
  }

  /** Subscribes to whatever sources of bytes a topic has, and will have. */
  static open(
    topic: string,
    options?: MergedSubscriberOptions<Uint8Array<ArrayBuffer>>,
  ): MergedSubscriber<Uint8Array<ArrayBuffer>>;
  /** Subscribes to whatever sources of values a topic has, and will have. */
  static open<T>(
    topic: string,
    options: MergedSubscriberOptions<T> & { codec: Codec<T> },
  ): MergedSubscriber<T>;
  static open<T>(topic: string, options: MergedSubscriberOptions<T> = {}): MergedSubscriber<T> {
    options = checkedTopic(topic, options);
    using stack = new DisposableStack();
    const sources = stack.use(Sources.open(topic, options));
    const subscriber = stack.use(new MergedSubscriber(topic, sources, options));
    subscriber.#lookAround();
    stack.move();
    return subscriber;
  }

  /** The sources that have a living publisher. */
  get sources(): string[] {
    this.#checkOpen();
    this.#lookAround();
    const present = this.#order.filter(({ subscriber }) => subscriber.matched > 0);
    return [...new Set(present.map(({ source }) => source))];
  }

  /** Takes the oldest sample of the next source that has one; it stays until it is disposed. */
  tryTake(): MergedSampleOutcome<T> {
    return this.#fromAny((subscriber, source) => {
      const outcome = subscriber.tryTake();
      return outcome.state === "ok" ? { ...outcome, source } : undefined;
    });
  }

  /** Blocks the thread until a sample of any source arrives, and takes it in place. */
  takeSync(options: SyncWaitOptions = {}): Arrived<MergedSampleOutcome<T>> {
    checkWaits(options);
    return arrived(this.tryTake()) ??
      untilSync(() => arrived(this.tryTake()), this.#waiter, options);
  }

  /** Takes a sample of any source in place once one arrives. */
  take(options: WaitOptions = {}): Promise<Arrived<MergedSampleOutcome<T>>> {
    return until(() => arrived(this.tryTake()), this.#waiter, options);
  }

  /** Receives a copy of the oldest sample of the next source that has one, as a value. */
  tryReceive(): MergedValueOutcome<T> {
    return this.#fromAny((subscriber, source) => {
      const outcome = subscriber.tryReceive();
      return outcome.state === "ok" ? { ...outcome, source } : undefined;
    });
  }

  /** Blocks the thread until a sample of any source arrives, and returns a copy as a value. */
  receiveSync(options: SyncWaitOptions = {}): Arrived<MergedValueOutcome<T>> {
    checkWaits(options);
    return arrived(this.tryReceive()) ??
      untilSync(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /** Resolves with a copy of a sample of any source as a value, once one arrives. */
  receive(options: WaitOptions = {}): Promise<Arrived<MergedValueOutcome<T>>> {
    return until(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /** Every value of every source from here on. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return iterate({ attempt: () => this.#nextStep(), waiter: this.#waiter });
  }

  #nextStep(): Step<T> | undefined {
    const outcome = this.tryReceive();
    return outcome.state === "ok" ? { done: false, value: outcome.value } : undefined;
  }

  /** A stream of the values of all sources; cancelling it closes this end. */
  toReadableStream(options: WaitOptions = {}): ReadableStream<T> {
    return valueStream<T>(this, options);
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    // A source that comes, one that was refused, or one that another process was in the way of.
    const change = this.#sources.changesFrom(() => this.#untold.length > 0 ? NaN : this.#seen);
    const again = {
      watchTellsAll: false,
      beforeSleep: () => now() >= this.#retryAt ? "ready" as const : undefined,
    };
    const found = [this.#retryAt === Infinity ? change : { ...change, ...again }];
    for (const { subscriber } of this.#joined.values()) found.push(...subscriber[CONDITIONS]());
    return found;
  }

  /** Leaves all sources. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, also if one of them throws
    stack.use(this.#sources);
    for (const { subscriber } of this.#joined.values()) stack.use(subscriber);
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Subscribes to new sources, and closes drained ones whose topic is unlinked. */
  #lookAround(): void {
    const changes = this.#sources.changes; // before the look: the next look finds later sources
    const isDue = this.#retryAt < Infinity && now() >= this.#retryAt;
    if (changes === this.#seen && !isDue) return;
    this.#retryAt = Infinity;
    const present = new Map(this.#sources.list().map((found) => [found.identity, found.source]));
    for (const identity of this.#refused) {
      if (!present.has(identity)) this.#refused.delete(identity);
    }
    for (const [identity, source] of present) {
      if (!this.#joined.has(identity) && !this.#refused.has(identity)) this.#join(source, identity);
    }
    for (const [identity, { subscriber }] of this.#joined) {
      if (present.has(identity) || !isDone(subscriber)) continue;
      subscriber.close();
      this.#joined.delete(identity);
    }
    this.#order = [...this.#joined.values()];
    this.#seen = changes;
  }

  /** Subscribes to a source. The next call reports a refusal, once; the other sources keep working. */
  #join(source: string, listed: string): void {
    try {
      const subscriber = subscribeOnce(topicOfSource(this.topic, source), this.#options, source);
      if (subscriber instanceof Again) this.#retryAt = now() + RETRY_NS;
      else if (subscriber !== undefined) {
        using stack = new DisposableStack();
        stack.use(subscriber);
        const { identity } = partsOf(subscriber).ring.region; // not as listed if just made again
        if (this.#joined.has(identity)) return;
        this.#joined.set(identity, { source, subscriber });
        stack.move();
      }
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      this.#refused.add(listed);
      this.#untold.push(error);
    }
  }

  /** What the next source in turn gives that gives anything. */
  #fromAny<O>(attempt: (subscriber: Subscriber<T>, source: string) => O | undefined) {
    this.#checkOpen();
    this.#lookAround();
    const refusal = this.#untold.shift();
    if (refusal !== undefined) throw refusal;
    const order = this.#order;
    for (let step = 0; step < order.length; step++) {
      const index = (this.#next + step) % order.length;
      const { subscriber, source } = order[index]!;
      const outcome = attempt(subscriber, source);
      if (outcome === undefined) continue;
      this.#next = index + 1;
      return outcome;
    }
    return { state: "empty" } as const;
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new ClosedError(`Cannot use topic "${this.topic}": it is closed`);
  }
}

/** A topic that was joined as a source. */
interface Joined<T> {
  readonly source: string;
  readonly subscriber: Subscriber<T>;
}

/** Whether nothing more can come from a topic that has lost its name, and nothing of it is held. */
function isDone<T>(subscriber: Subscriber<T>): boolean {
  const { ring, reader } = partsOf(subscriber);
  return !ring.hasWriter() && reader.isDone();
}
