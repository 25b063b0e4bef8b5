/**
 * Observing topics without any right to write; cursor.ts reads the samples, and
 * region/observed.ts explains how an observer follows a name.
 *
 * An observer waits on a bell of its own (wait/observing.ts), and nobody can tell that it is there.
 *
 * @module
 */

import { checkHandler, checkLimit, checkWaits, inWords } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import { ClosedError, VringError } from "../errors.ts";
import { now } from "../os/clock.ts";
import { Observed, OBSERVER_SLICE_NS, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { type Arrived, arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { iterate, type Step } from "../wait/iterate.ts";
import { observing } from "../wait/observing.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { type ObservedSample, type RoomFor, TopicCursor } from "./cursor.ts";
import type { SampleFacts } from "./sample.ts";
import { listSources, topicOfSource } from "./sources.ts";
import { checkedTopic, observeOnce, typeOf } from "./topic.ts";

/** How to open a {@linkcode TopicObserver}. */
export interface TopicObserverOptions<T> {
  /** The codec of the samples; plain bytes by default. Must be that of the publisher. */
  codec?: Codec<T> | undefined;
  /**
   * The number of past samples to begin with, unless they are overwritten; 0 by default. A topic that
   * comes later is observed from its first sample.
   */
  history?: number | undefined;
  /**
   * Whether to observe all sources of the topic, and not the topic itself; false by default. A source
   * that cannot be observed, such as one of another type, causes one error.
   */
  sources?: boolean | undefined;
  /** Also observes a topic that belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** The outcome of observing. */
export type ObservedOutcome<T> =
  /** The value, and the facts about its sample. */
  | ({ state: "ok"; value: T } & SampleFacts)
  /** Nothing new has been published. */
  | { state: "empty" };

/** A topic under observation. */
interface Attachment extends Subject {
  readonly cursor: TopicCursor;
}

/** A topic to observe, whether it exists or not. */
interface Target {
  readonly source: string | undefined;
  readonly observed: Observed<Attachment>;
}

const EMPTY = { state: "empty" } as const;

/**
 * Observes a topic without any right to write to it. No publisher waits for it, and it takes the
 * place of no subscriber: it copies each sample, and counts those that were overwritten before. It
 * needs only the right to read the file. It may be opened before the topic exists, and follows the
 * name to the next topic once it has read the old one. A corrupt topic causes one CorruptRegionError,
 * and is read no more; other sources are. A sample that it waits for is late by up to a tenth of the
 * wait, at most 64 ms.
 *
 * @example See what the subscribers of a topic see
 * ```ts
 * import { codec, Publisher, TopicObserver } from "@vring/vring";
 *
 * using publisher = Publisher.open("/example/observed", { codec: codec.text, mode: 0o644 });
 * using observer = TopicObserver.open("/example/observed", { codec: codec.text }); // any user
 * publisher.trySend("near");
 * const { value, lost } = observer.receiveSync();
 * console.log(value, lost); // near 0
 * ```
 */
export class TopicObserver<T = Uint8Array> implements Disposable, Waitable {
  /** The topic. */
  readonly topic: string;
  readonly #options: TopicObserverOptions<T>;
  readonly #codec: Codec<T>;
  readonly #waiter: Waiter;
  readonly #targets: Target[] = [];
  readonly #refused = new Set<string>(); // identities of sources that cannot be observed
  readonly #untold: VringError[] = []; // why
  readonly #roomFor = (length: number) => this.#room(length);
  #views: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #nextTarget = 0;
  #nextList = 0; // when to list the sources again
  #opening = true;
  #closed = false;

  private constructor(topic: string, options: TopicObserverOptions<T>) {
    this.topic = topic;
    this.#options = options;
    this.#codec = options.codec ?? codec.bytes as unknown as Codec<T>;
    using stack = new DisposableStack();
    stack.use(this);
    if (options.sources !== true) this.#targets.push(this.#target(undefined));
    else this.#listEachSlice();
    this.#opening = false;
    stack.move();
    this.#waiter = {
      action: `observe topic "${topic}"`,
      conditions: () => [this.#condition()],
      checkOpen: () => this.#checkOpen(),
    };
  }

  /** Observes a topic of bytes, at once or once it exists. */
  static open(
    topic: string,
    options?: TopicObserverOptions<Uint8Array<ArrayBuffer>>,
  ): TopicObserver<Uint8Array<ArrayBuffer>>;
  /** Observes a topic of values, at once or once it exists. */
  static open<T>(
    topic: string,
    options: TopicObserverOptions<T> & { codec: Codec<T> },
  ): TopicObserver<T>;
  static open<T>(topic: string, options: TopicObserverOptions<T> = {}): TopicObserver<T> {
    return new TopicObserver(topic, checkedTopic(topic, options));
  }

  #target(source: string | undefined): Target {
    const topic = topicOfSource(this.topic, source);
    const { history = 0, anyOwner } = this.#options;
    const observed = new Observed<Attachment>(() => {
      const ring = observeOnce(topic, { anyOwner }, typeOf(this.#options));
      if (ring === undefined || ring instanceof Again) return ring;
      using stack = new DisposableStack();
      stack.use(ring.region);
      const cursor = new TopicCursor(ring, this.#opening ? history : undefined);
      stack.move();
      return { region: ring.region, cursor, hasMore: () => cursor.hasNews() };
    });
    return { source, observed };
  }

  /** Finds new sources, and forgets those that have gone. */
  #listEachSlice(): void {
    if (this.#options.sources !== true || now() < this.#nextList) return;
    this.#nextList = now() + OBSERVER_SLICE_NS;
    const present = listSources(this.topic);
    for (const [i, { source, observed }] of [...this.#targets.entries()].reverse()) {
      const { readable } = observed;
      if (present.some((found) => found.source === source) || readable?.hasMore?.()) continue;
      observed.close();
      this.#targets.splice(i, 1);
    }
    for (const identity of this.#refused) {
      if (!present.some((found) => found.identity === identity)) this.#refused.delete(identity);
    }
    for (const { source, identity } of present) {
      if (this.#refused.has(identity)) continue;
      if (this.#targets.some((target) => target.source === source)) continue;
      try {
        this.#targets.push(this.#target(source));
      } catch (error) {
        if (!(error instanceof VringError)) throw error;
        this.#refused.add(identity);
        this.#untold.push(error);
      }
    }
  }

  /** The number of living publishers. */
  get matched(): number {
    this.#checkOpen();
    return this.#targets.filter(({ observed }) => observed.current?.cursor.ring.hasWriter())
      .length;
  }

  /** The number of topics of this name, or of its sources, that are observed now. */
  get topics(): number {
    return this.#targets.filter(({ observed }) => observed.current !== undefined).length;
  }

  /** Receives a copy of the next sample as a value, or returns `empty`. Never waits. */
  tryReceive(): ObservedOutcome<T> {
    const found = this.#take(this.#codec.transient ? this.#roomFor : newRoom);
    if (found === undefined) return EMPTY;
    const { sample: { bytes, sequence, lost, time, origin }, source } = found;
    return { state: "ok", value: this.#codec.decode(bytes), sequence, lost, time, source, origin };
  }

  /** Blocks the thread until a sample arrives, and returns a copy as a value. */
  receiveSync(options?: SyncWaitOptions): Arrived<ObservedOutcome<T>> {
    if (options !== undefined) checkWaits(options);
    const outcome = this.tryReceive();
    return outcome.state !== "empty"
      ? outcome
      : untilSync(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /** Resolves with a copy of a sample as a value, once one arrives. */
  receive(options: WaitOptions = {}): Promise<Arrived<ObservedOutcome<T>>> {
    return until(() => arrived(this.tryReceive()), this.#waiter, options);
  }

  /**
   * Shows copies of up to `limit` samples, one after the other, and returns their number. The bytes
   * are the observer's: the next sample overwrites them.
   */
  poll(
    handler: (
      bytes: Uint8Array<ArrayBuffer>,
      sequence: number,
      lost: number,
      time: number,
    ) => void,
    limit = Infinity,
  ): number {
    const what = `topic "${this.topic}"`;
    this.#checkOpen();
    checkHandler(handler, "poll", what);
    checkLimit(limit, 0, "poll", what);
    let count = 0;
    while (count < limit && !this.#closed) {
      const found = this.#take(this.#roomFor);
      if (found === undefined) break;
      const { bytes, sequence, lost, time } = found.sample;
      count++;
      handler(bytes, sequence, lost, time);
    }
    return count;
  }

  /** Iterates over the values of all samples from here on. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return iterate({ attempt: () => this.#next(), waiter: this.#waiter });
  }

  #next(): Step<T> | undefined {
    const outcome = this.tryReceive();
    return outcome.state === "ok" ? { done: false, value: outcome.value } : undefined;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    return [this.#condition()];
  }

  #condition(): Condition {
    const [first, ...others] = this.#targets;
    return observing({
      watch: others.length === 0 ? first?.observed.readable?.cursor.ring.latest : undefined,
      ready: () => {
        this.#checkOpen();
        return this.#untold.length > 0 ||
          this.#targets.some(({ observed }) => observed.readable?.cursor.hasNews());
      },
      look: () => {
        this.#listEachSlice();
        return this.#untold.length > 0 ||
          this.#targets.some(({ observed }) => observed.look() !== undefined);
      },
    });
  }

  /** Takes a sample of the next target in turn that has one. */
  #take(roomFor: RoomFor): Taken | undefined {
    this.#checkOpen();
    this.#listEachSlice();
    const refusal = this.#untold.shift();
    if (refusal !== undefined) throw refusal;
    const targets = this.#targets;
    for (let step = 0; step < targets.length; step++) {
      const index = (this.#nextTarget + step) % targets.length;
      const { source, observed } = targets[index]!;
      const sample = takeFrom(observed.readable, observed, roomFor) ??
        takeFrom(observed.lookEachSlice(), observed, roomFor);
      if (sample === undefined) continue;
      this.#nextTarget = index + 1;
      return { sample, source };
    }
    return undefined;
  }

  /** Returns this observer's own array, of a length. */
  #room(length: number): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#views;
    if (this.#views.length === length) return this.#views;
    const large = buffer.byteLength >= length ? buffer : new ArrayBuffer(2 * length);
    return this.#views = new Uint8Array(large, 0, length);
  }

  /** Stops observing. */
  close(): void {
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, also if one of them throws
    for (const { observed } of this.#targets) stack.use(observed);
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new ClosedError(`Cannot use the observer of topic ${inWords(this.topic)}: it is closed`);
  }
}

/** A sample, and the source it came from. */
interface Taken {
  readonly sample: ObservedSample;
  readonly source: string | undefined;
}

/** Takes a sample of a topic; reads no more from it if its words are corrupt. */
function takeFrom(
  attachment: Attachment | undefined,
  observed: Observed<Attachment>,
  roomFor: RoomFor,
): ObservedSample | undefined {
  try {
    return attachment?.cursor.take(roomFor);
  } catch (error) {
    if (attachment?.cursor.isBroken) observed.abandon();
    throw error;
  }
}

function newRoom(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}
