/**
 * The messages of the regions that clients watch, each read once for all of them.
 *
 * A feed is an observer: no publisher waits for it or knows of it. It is polled, and what was
 * overwritten between two polls is counted as missed. A turn that takes too long ends, and the next
 * one continues with the feed after that. So many busy regions cannot keep clients from being served.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { canPoll, type PolledBytes, type Poller, pollerFor } from "../inspect/messages.ts";
import type { RegionInfo } from "../region/list.ts";

/** A client's interest in the messages of a region. */
export interface FeedListener {
  /** Gets a message; its bytes are valid until it returns. */
  message(message: PolledBytes): void;
  /** Learns that the region cannot be read, or can be read again after `undefined`. */
  problem(reason: string | undefined): void;
}

/** The messages that one feed takes in one turn. */
const MESSAGES_PER_TURN = 256;

/** The time for all feeds in one turn. */
const TURN_MS = 8;

/** The turns until a region that could not be read is tried again. */
const TURNS_BETWEEN_TRIES = 50;

/** The messages of one region. */
class Feed {
  region: RegionInfo;
  readonly listeners = new Set<FeedListener>();
  #poller: Poller | undefined;
  #reason: string | undefined;
  #waits = 0;
  readonly #tell = (message: PolledBytes) => {
    for (const listener of this.listeners) listener.message(message);
  };

  constructor(region: RegionInfo) {
    this.region = region;
  }

  turn(): void {
    if (this.#waits-- > 0) return;
    try {
      this.#poller ??= this.#open();
      this.#poller?.poll(this.#tell, MESSAGES_PER_TURN);
      if (this.#poller !== undefined) this.#state(undefined);
    } catch (error) {
      if (!isAssertion(error)) throw error;
      this.close();
      this.#state(error.message);
      this.#waits = TURNS_BETWEEN_TRIES;
    }
  }

  #open(): Poller | undefined {
    if (canPoll(this.region)) {
      return pollerFor(this.region);
    }
    this.#state(this.region.problem ?? "it has no messages to show");
    this.#waits = TURNS_BETWEEN_TRIES;
    return undefined;
  }

  /** Shows a listener that is new the newest message, or the reason why it cannot. */
  greet(listener: FeedListener): void {
    if (this.#reason !== undefined) return listener.problem(this.#reason);
    try {
      using poller = this.#open();
      poller?.poll((message) => listener.message(message), 1);
    } catch (error) {
      if (!isAssertion(error)) throw error; // the next turn tells all listeners
    }
  }

  #state(reason: string | undefined): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    for (const listener of this.listeners) listener.problem(reason);
  }

  /** Stops reading; the next turn opens it again. */
  close(): void {
    this.#poller?.[Symbol.dispose]();
    this.#poller = undefined;
    this.#waits = 0;
  }
}

/** Whether an error comes from the options or the messages of a region, which peers assert. */
function isAssertion(error: unknown): error is Error {
  return error instanceof VringError || error instanceof RangeError || error instanceof TypeError;
}

/** All feeds. */
export class Feeds implements Disposable {
  readonly #feeds = new Map<number, Feed>();
  #next = 0;

  /** The number of regions that are read. */
  get size(): number {
    return this.#feeds.size;
  }

  /** Follows the messages of a region, by its number; the function that it returns ends that. */
  follow(id: number, region: RegionInfo, listener: FeedListener): () => void {
    const known = this.#feeds.get(id);
    const feed = known ?? new Feed(region);
    this.#feeds.set(id, feed);
    known?.greet(listener);
    feed.listeners.add(listener);
    if (known === undefined) feed.turn();
    return () => {
      feed.listeners.delete(listener);
      if (feed.listeners.size > 0) return;
      feed.close();
      this.#feeds.delete(id);
    };
  }

  /** Reads anew the regions whose names another region has taken. */
  update(regions: ReadonlyMap<number, RegionInfo>): void {
    for (const [id, feed] of this.#feeds) {
      const region = regions.get(id);
      if (region === undefined || region.details?.id === feed.region.details?.id) continue;
      feed.close();
      feed.region = region;
    }
  }

  /** Reads the messages that came since the last turn. */
  turn(): void {
    const feeds = [...this.#feeds.values()];
    const end = performance.now() + TURN_MS;
    for (let i = 0; i < feeds.length; i++) {
      feeds[this.#next++ % feeds.length]!.turn();
      if (performance.now() > end) return;
    }
  }

  /** Ends all. */
  [Symbol.dispose](): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }
}
