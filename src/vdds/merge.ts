/**
 * The samples of all sources of a topic, for one subscriber; sources.ts explains how it finds them.
 *
 * The samples of each source arrive in order, and sources with samples take turns. A source may close
 * and return under its name. Every topic below this one is a source. A source that cannot be joined,
 * such as one with another type, causes one error, and is ignored until its topic is removed.
 *
 * The subscriber keeps the memory of a source that has gone, because its publisher may return,
 * until the subscriber closes or the source's topic is unlinked. A name that `uniqueSource` made
 * never returns: the subscriber leaves such a source once it has gone and all its samples are
 * released.
 *
 * @module
 */

import { ClosedError, VringError } from "../errors.ts";
import type { Type } from "../message.ts";
import { now } from "../os/clock.ts";
import { Again } from "../region/poll.ts";
import type { Condition } from "../wait/condition.ts";
import type { Feed, Handler, Intake } from "./feed.ts";
import type { ShownSample } from "./sample.ts";
import { isUniqueSource, type Sources } from "./sources.ts";
import { sumOf, type TopicCounters } from "./topic.ts";

/** The delay before a retry to join a source that another process was creating or removing. */
const RETRY_NS = 100e6;

/** The samples of all sources of a topic. */
export class Merge<K extends Type> implements Intake<K>, Disposable {
  readonly #what: string;
  readonly #all: Sources;
  readonly #subscribe: (source: string) => Feed<K> | Again | undefined;
  // By the identity of the region: a topic that was unlinked and made again is another one.
  readonly #joined = new Map<string, Feed<K>>();
  readonly #refused = new Set<string>(); // identities of those that cannot be joined, or are done
  readonly #untold: VringError[] = []; // why
  #order: readonly Feed<K>[] = [];
  #lost = 0; // of sources that this subscriber has left
  #next = 0; // whose turn it is
  #seen = -1; // the count of changes at the last look at the sources
  #retryAt = Infinity; // when to look for sources again that another process was in the way of
  #closed = false;

  /** @param subscribe Performs one step of subscribing to a source. */
  constructor(
    what: string,
    sources: Sources,
    subscribe: (source: string) => Feed<K> | Again | undefined,
  ) {
    this.#what = what;
    this.#all = sources;
    this.#subscribe = subscribe;
    this.#lookAround();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get peers(): number {
    return this.#living().length;
  }

  get sources(): string[] {
    return [...new Set(this.#living().map(({ source }) => source!))];
  }

  get counters(): TopicCounters {
    this.#lookAround();
    return sumOf(this.#order.map(({ counters }) => counters));
  }

  get lost(): number {
    return this.#order.reduce((sum, { lost }) => sum + lost, this.#lost);
  }

  get ended(): boolean {
    return false;
  }

  checkOpen(): void {
    if (!this.#closed) return;
    throw new ClosedError(`Cannot use ${this.#what}: it is closed`);
  }

  take(): Feed<K> | undefined {
    return this.#fromAny((feed) => feed.take());
  }

  takeLatest(): Feed<K> | undefined {
    return this.#fromAny((feed) => feed.takeLatest());
  }

  poll(handler: Handler<K>, sample: ShownSample<K>, limit: number): number {
    let count = 0;
    try {
      while (count < limit && !this.#closed) {
        const feed = this.take();
        if (feed === undefined) break;
        count++;
        feed.show(handler, sample);
      }
    } finally {
      for (const feed of this.#order) feed.announce();
    }
    return count;
  }

  conditions(): readonly Condition[] {
    // Wakes up for a new source, for one that was refused, or to retry one.
    const change = this.#all.changesFrom(() => this.#untold.length > 0 ? NaN : this.#seen);
    const again = {
      watchTellsAll: false,
      beforeSleep: () => now() >= this.#retryAt ? "ready" as const : undefined,
    };
    const found: Condition = this.#retryAt === Infinity ? change : { ...change, ...again };
    return [found, ...[...this.#joined.values()].flatMap((feed) => feed.conditions())];
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, also if one of them throws
    stack.use(this.#all);
    for (const feed of this.#joined.values()) stack.use(feed);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #living(): Feed<K>[] {
    this.#lookAround();
    return this.#order.filter(({ peers }) => peers > 0);
  }

  /** Subscribes to new sources, and closes those that are done. */
  #lookAround(): void {
    const changes = this.#all.changes; // before the look: the next look finds later sources
    const isDue = this.#retryAt < Infinity && now() >= this.#retryAt;
    if (changes === this.#seen && !isDue) return;
    this.#retryAt = Infinity;
    const present = new Map(this.#all.list().map((found) => [found.identity, found.source]));
    for (const identity of this.#refused) {
      if (!present.has(identity)) this.#refused.delete(identity);
    }
    for (const [identity, source] of present) {
      if (!this.#joined.has(identity) && !this.#refused.has(identity)) this.#join(source, identity);
    }
    for (const [identity, feed] of this.#joined) {
      const mayReturn = present.has(identity) && !isUniqueSource(feed.source!);
      if (mayReturn || feed.ring.hasWriter() || !feed.reader.isDone()) continue;
      this.#lost += feed.lost;
      feed.close();
      this.#joined.delete(identity);
      if (present.has(identity)) this.#refused.add(identity);
    }
    this.#order = [...this.#joined.values()];
    this.#seen = changes;
  }

  /** Subscribes to a source. The next call reports a refusal, once; the other sources keep working. */
  #join(source: string, listed: string): void {
    try {
      const feed = this.#subscribe(source);
      if (feed instanceof Again) this.#retryAt = now() + RETRY_NS;
      else if (feed !== undefined) {
        using stack = new DisposableStack();
        stack.use(feed);
        const { identity } = feed.ring.region; // not as listed if just made again
        if (this.#joined.has(identity)) return;
        this.#joined.set(identity, feed);
        stack.move();
      }
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      this.#refused.add(listed);
      this.#untold.push(error);
    }
  }

  /** Makes an attempt at a feed; closes the feed if a peer has taken its memory away. */
  #attempt(
    feed: Feed<K>,
    attempt: (feed: Feed<K>) => Feed<K> | undefined,
  ): Feed<K> | undefined {
    try {
      return attempt(feed);
    } catch (error) {
      if (feed.reader.isLost) this.#drop(feed);
      throw error; // once; the other sources keep working
    }
  }

  #drop(feed: Feed<K>): void {
    const { identity } = feed.ring.region;
    this.#lost += feed.lost;
    this.#joined.delete(identity);
    this.#refused.add(identity);
    this.#order = [...this.#joined.values()];
    feed.close();
  }

  /** Returns the next feed in turn from which an attempt takes a sample. */
  #fromAny(attempt: (feed: Feed<K>) => Feed<K> | undefined): Feed<K> | undefined {
    this.checkOpen();
    this.#lookAround();
    const refusal = this.#untold.shift();
    if (refusal !== undefined) throw refusal;
    const order = this.#order;
    for (let step = 0; step < order.length; step++) {
      const index = (this.#next + step) % order.length;
      const feed = this.#attempt(order[index]!, attempt);
      if (feed === undefined) continue;
      this.#next = index + 1;
      return feed;
    }
    return undefined;
  }
}
