/**
 * The definitions of topics.
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { Definition, nextHandle, type OpenMode } from "../definition.ts";
import { LayoutMismatchError } from "../errors.ts";
import { type Bytes, type Type, typeIn } from "../message.ts";
import { regionAt } from "../region/list.ts";
import { checkTopic, directoryOf, topicPath, usualDirectory } from "../region/names.ts";
import type { Opened } from "../region/open.ts";
import { Again, retrySync } from "../region/poll.ts";
import { takeRole } from "../region/seats.ts";
import type { WaitOptions } from "../wait/until.ts";
import { Feed } from "./feed.ts";
import { Merge } from "./merge.ts";
import { Publisher } from "./publisher.ts";
import { type CodecOf, Reading } from "./sample.ts";
import { listSources, SOURCES, Sources, topicOfSource, uniqueSource } from "./sources.ts";
import { Subscriber } from "./subscriber.ts";
import {
  joinReaders,
  ringOn,
  sumOf,
  type TopicGeometry,
  type TopicPlanOptions,
  TOPICS,
  USUAL,
} from "./topic.ts";
import { TopicObserver } from "./topic_observer.ts";
import type {
  PublisherOptions,
  SubscriberOptions,
  TopicObserverOptions,
  TopicOptions,
} from "./topic_options.ts";
import { factsOf, type TopicInfo } from "./topics.ts";
import { TOPIC, type VRing } from "./vring.ts";

/**
 * Defines a topic: a publisher writes samples into shared memory, and many subscribers read them
 * there. Every program imports the same definition. Opens nothing.
 *
 * @example One definition for all programs
 * ```ts
 * import { json, topic } from "@vring/vring";
 *
 * export const poses = topic("example/poses", { type: json<number[]>(), history: 1 });
 * using publisher = poses.publisher();
 * publisher.trySend([1, 2]);
 * using subscriber = poses.subscriber(); // later, in another process
 * console.log(subscriber.tryReceive()?.value); // [ 1, 2 ]
 * ```
 */
export function topic<K extends Type>(
  name: string,
  options: TopicOptions<K> & { type: K },
): TopicDefinition<K>;
/** Defines a topic whose samples are bytes. Opens nothing. */
export function topic(name: string, options?: TopicOptions): TopicDefinition;
export function topic<K extends Type = Bytes>(
  name: string,
  options?: TopicOptions<K>,
): TopicDefinition<K> {
  return new TopicDefinition(name, options);
}

const OPTIONS = definitionOptions(
  ..."type depth size subscribers history policy quota publishers reserve".split(" "),
);

/** A topic: its name, the type of its samples, its sizes and its policy. */
export class TopicDefinition<K extends Type = Bytes> extends Definition<
  Readonly<Record<string, number>>,
  TopicOptions<K>
> {
  readonly #options: TopicOptions<K>;
  readonly #all: TopicGeometry & TopicPlanOptions;
  readonly #codec: CodecOf<K>;

  /** @ignore */
  constructor(name: string, options?: TopicOptions<K>) {
    const action = `define topic ${inWords(name)}`;
    const own = checkedOptions(options, action, OPTIONS);
    const type = typeIn(own.type, action);
    const { depth = USUAL.depth, subscribers = USUAL.subscribers } = own;
    const size = sizeFor(type, own.size, action) ?? USUAL.size;
    const { policy = "block", history = 0, reserve = true, quota = 0 } = own;
    const { publishers = "one" } = own;
    const { mode, group, persist, anyOwner, directory } = own;
    const product = publishers === "one" ? TOPICS : SOURCES;
    const sizes = { depth, size, subscribers };
    const region = { mode, group, persist, anyOwner, directory };
    const all = { ...sizes, policy, history, reserve, quota, ...region };
    const bare = checkTopic(name);
    super({
      product,
      name: bare,
      path: topicPath(product.regionType.name, bare),
      options: all,
      message: type.type,
    });
    this.#options = own;
    this.#all = all;
    this.#codec = type;
  }

  /**
   * Opens the topic as its publisher, or as one source if it is defined with `publishers: "many"`.
   * Throws a RoleTakenError if another living publisher has that role.
   */
  publisher(options?: PublisherOptions): Publisher<K> {
    const { open, source } = checkedOptions(options, `publish to ${this.what()}`);
    if (this.#hasMany) return this.#sourceOf(source ?? uniqueSource(), open);
    if (source === undefined) return this.#publisher(open);
    throw new TypeError(
      `Cannot publish to ${this.what()} as the source ${inWords(source)}: it has one publisher; ` +
        'leave the source out, or define the topic with publishers: "many"',
    );
  }

  /** Becomes a source of this topic. */
  #sourceOf(source: string, open: OpenMode | undefined): Publisher<K> {
    using stack = new DisposableStack();
    const below = this.#below(source);
    const sources = stack.use(this.#sources(open));
    const publisher = below.#publisher("any", { source, sources });
    stack.move();
    return publisher;
  }

  #publisher(
    open: OpenMode | undefined,
    { source, sources }: { source?: string; sources?: Sources } = {},
  ): Publisher<K> {
    using stack = new DisposableStack();
    const ring = this.openRing(open);
    stack.use(ring.region);
    const action = `publish to ${ring.what}`;
    const next = "nextPublisher";
    takeRole(ring.region, ring.writer.role, { action, holder: "a publisher", next });
    const parts = { name: this.name, source, sources, ring, codec: this.#codec, policy: this.#all };
    const publisher = new Publisher<K>(parts);
    stack.move();
    return publisher;
  }

  /**
   * Opens the topic as a subscriber. Throws a RoleTakenError if it already has as many living
   * subscribers as its definition allows.
   */
  subscriber(options?: SubscriberOptions): Subscriber<K> {
    const action = `subscribe to ${this.what()}`;
    const own = checkedOptions(options, action);
    const { open, onPeerGone } = own;
    const history = this.#historyOf(own.history, action);
    using stack = new DisposableStack();
    const reading = new Reading(`topic "${this.name}"`, this.#codec, own);
    let intake;
    if (this.#hasMany) {
      if (onPeerGone === "end") {
        throw new TypeError(
          `Cannot ${action} with onPeerGone: "end": its publishers come and go; end a loop by until`,
        );
      }
      const subscribe = (source: string) => this.#below(source).#feed(source, history, reading);
      intake = new Merge<K>(reading.what, stack.use(this.#sources(open)), subscribe);
    } else {
      const ring = this.openRing(open);
      stack.use(ring.region);
      const reader = retrySync(() => joinReaders(this.name, ring, history));
      intake = new Feed<K>({ ring, reader, reading, endsWithPeer: onPeerGone === "end" });
    }
    const { depth, size: maxSample } = this.#all;
    const subscriber = new Subscriber<K>({ name: this.name, depth, maxSample, intake, reading });
    stack.move();
    return subscriber;
  }

  /**
   * Performs one step of subscribing to a source's topic; returns undefined if it does not exist.
   */
  #feed(source: string, history: number, reading: Reading<K>): Feed<K> | Again | undefined {
    const opened = this.joinOnce();
    if (opened === undefined || opened instanceof Again) return opened;
    using stack = new DisposableStack();
    stack.use(opened.region);
    const ring = ringOn(this.name, opened);
    const reader = joinReaders(this.name, ring, history);
    if (reader instanceof Again) return reader;
    stack.move();
    return new Feed<K>({ ring, reader, source, reading });
  }

  /** Opens an observer, which needs only the right to read. The topic need not exist yet. */
  observer(options?: TopicObserverOptions): TopicObserver<K> {
    const action = `observe ${this.what()}`;
    const { history = this.#all.history, own } = checkedOptions(options, action);
    checkHistory(history, Infinity, action);
    return new TopicObserver<K>({
      name: this.name,
      codec: this.#codec,
      history,
      own,
      hasSources: this.#hasMany,
      directory: this.#directory,
      checkPublishers: () => this.#checkPublishers(),
      attach: (source) => (source === undefined ? this : this.#below(source)).#observed(),
    });
  }

  #observed(): VRing | Again | undefined {
    const opened = this.joinOnce({ readOnly: true });
    return opened === undefined || opened instanceof Again ? opened : ringOn(this.name, opened);
  }

  /** Waits until the publisher's role is free, and opens the topic as `publisher()` does. */
  nextPublisher(options?: WaitOptions & PublisherOptions): Promise<Publisher<K>> {
    return nextHandle(() => this.publisher(options), `publish to ${this.what()}`, options);
  }

  /** Waits until the topic has room for a subscriber, and opens it as `subscriber()` does. */
  nextSubscriber(options?: WaitOptions & SubscriberOptions): Promise<Subscriber<K>> {
    return nextHandle(() => this.subscriber(options), `subscribe to ${this.what()}`, options);
  }

  /**
   * Describes the topic at this moment; returns undefined if it does not exist. Adds up the
   * publishers and counters of all sources.
   */
  override info(): TopicInfo | undefined {
    const info = super.info();
    if (info === undefined) return undefined;
    if (!this.#hasMany) return { ...info, ...factsOf(info) };
    const all = listSources(this.name, directoryOf(info.path)).flatMap(({ source }) => {
      const below = regionAt(this.#pathOf(TOPIC.name, topicOfSource(this.name, source)));
      return (below && factsOf(below)) ?? [];
    });
    const { depth, size } = this.#all;
    return {
      ...info,
      publishers: all.reduce((sum, { publishers }) => sum + publishers, 0),
      subscribers: Math.max(0, ...all.map(({ subscribers }) => subscribers)),
      depth,
      size,
      counters: sumOf(all.map(({ counters }) => counters)),
    };
  }

  /**
   * Removes the name, and the topics of all sources, so that the next handle creates a new topic.
   * Existing handles keep working. Returns false if the topic does not exist.
   */
  override unlink(): boolean {
    const sources = this.#hasMany ? listSources(this.name, this.#directory) : [];
    const below = sources.map(({ source }) => this.#below(source).unlink());
    return super.unlink() || below.includes(true);
  }

  get #hasMany(): boolean {
    return this.#options.publishers === "many";
  }

  get #directory(): string {
    return this.#all.directory ?? usualDirectory();
  }

  #pathOf(kind: string, topic: string): string {
    return topicPath(kind, topic, undefined, this.#directory);
  }

  /** Defines the topic of one source. */
  #below(source: string): TopicDefinition<K> {
    const options = { ...this.#options, publishers: "one" as const };
    return new TopicDefinition<K>(topicOfSource(this.name, source), options);
  }

  /** @ignore */
  openRing(open?: OpenMode | undefined): VRing {
    return ringOn(this.name, this.#attach(open));
  }

  #sources(open: OpenMode | undefined): Sources {
    return new Sources(this.name, this.#directory, this.#attach(open).region);
  }

  #attach(open: OpenMode | undefined): Opened<Readonly<Record<string, number>>> {
    using stack = new DisposableStack();
    const opened = this.attach(open);
    stack.use(opened.region);
    if (opened.region.created) this.#checkPublishers();
    stack.move();
    return opened;
  }

  /** @ignore */
  protected override joinOnce(
    more: { readOnly?: boolean | undefined } = {},
  ): Opened<Readonly<Record<string, number>>> | Again | undefined {
    const opened = super.joinOnce(more);
    if (opened === undefined) this.#checkPublishers();
    return opened;
  }

  /** Throws if programs that define another number of publishers use the name. */
  #checkPublishers(): void {
    const [mine, theirs] = this.#hasMany ? ["many", "one"] : ["one", "many"];
    const other = this.#hasMany ? TOPIC : SOURCES.regionType;
    if (!regionAt(this.#pathOf(other.name, this.name))?.inUse) return;
    throw new LayoutMismatchError(
      `Cannot open ${this.what()}: its publishers are "${theirs}", and this definition says ` +
        `"${mine}"; change the definition, or unlink the topic once nobody uses it`,
    );
  }

  #historyOf(history: number | undefined, action: string): number {
    const { history: kept } = this.#all;
    if (history === undefined) return kept;
    checkHistory(history, kept, action);
    return history;
  }
}

/** Returns the size of the type if it is fixed, otherwise `size`; throws if the two differ. */
function sizeFor<T, I, V>(
  { sizeBytes, type }: Codec<T, I, V>,
  size: number | undefined,
  action: string,
): number | undefined {
  if (typeof sizeBytes !== "number") return size;
  if (size === undefined || size === sizeBytes) return sizeBytes;
  throw new TypeError(
    `Cannot ${action} with a size of ${inWords(size)} bytes: its type "${type.name}" has ` +
      `${sizeBytes}; leave the size out`,
  );
}

function checkHistory(history: number, most: number, action: string): void {
  if (Number.isInteger(history) && history >= 0 && history <= most) return;
  const range = most === Infinity ? "0 or more" : `0 to ${most}, which the topic keeps`;
  throw new RangeError(
    `Cannot ${action} with a history of ${inWords(history)} samples: pass ${range}`,
  );
}
