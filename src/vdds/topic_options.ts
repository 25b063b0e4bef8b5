/**
 * The options of topics, publishers and subscribers.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import type { Origin } from "../origin.ts";

/**
 * The options for opening a topic. Omitted sizes are those of the existing topic, or the defaults.
 */
export interface TopicOptions {
  /** The number of samples it has room for, 1 to 1,024; 8 for a new topic. */
  depth?: number | undefined;
  /** The largest sample in bytes, up to 2 GiB; 64 KiB for a new topic. */
  size?: number | undefined;
  /** The most subscribers at once, 1 to 64; 16 for a new topic. */
  maxSubscribers?: number | undefined;
  /**
   * Whether a new topic gets memory for all samples at once, the default. If not, the publisher
   * allocates it when a sample first needs it, and throws an OsError (ENOSPC) when none is left. It
   * can still send samples that fit into allocated memory.
   */
  reserve?: boolean | undefined;
  /** The permission bits of a new topic; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /** The name or number of its group, whose members can observe it. */
  group?: string | number | undefined;
  /** Keeps the topic when its last member leaves, until it is unlinked. */
  persist?: boolean | undefined;
  /** Also attaches if the topic belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** The options for joining a topic that another program creates. */
export interface TopicConnectOptions {
  /** The milliseconds to wait for the topic, then a TimeoutError; for ever by default. */
  timeout?: number | undefined;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Also attaches if the topic belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** What happens when a sample is to be sent and none of the topic's is free. */
export type Policy =
  /** It waits; nothing is lost. */
  | "block"
  /** The new sample is not sent. */
  | "dropNewest"
  /** Drops the oldest sample that no subscriber holds; subscribers that did not take it lose it. */
  | "dropOldest";

/** How a publisher is to deal with its subscribers. */
export interface PublisherBehaviour<T> {
  /** The codec of the samples; plain bytes by default. All ends must use the same. */
  codec?: Codec<T> | undefined;
  /** What happens when no sample is free: "block", by default, "dropNewest" or "dropOldest". */
  policy?: Policy | undefined;
  /**
   * How many of the last samples are kept for subscribers that come later; 0 by default. A publisher
   * that follows keeps what it says itself.
   */
  history?: number | undefined;
  /**
   * Be one of several publishers at once, each by a name of its own such as "left": this one's samples
   * go to the topic `topic/source`, and to every MergedSubscriber of the topic that has found it. To
   * lose nothing at the beginning, wait until `matches()` counts one.
   */
  source?: string | undefined;
}

/** How to open the publisher of a topic. */
export interface PublisherOptions<T> extends TopicOptions, PublisherBehaviour<T> {}

/** How to become the publisher of a topic, once it is there. */
export interface PublisherConnectOptions<T> extends TopicConnectOptions, PublisherBehaviour<T> {}

/** How to publish a sample. */
export interface PublishOptions {
  /** The first publisher of a sample that a bridge republishes. */
  origin?: Origin | undefined;
}

/** How a subscriber is to receive. */
export interface SubscriberBehaviour<T> {
  /** The codec of the samples; plain bytes by default. All ends must use the same. */
  codec?: Codec<T> | undefined;
  /** How many of the last samples to begin with, as far as the publisher keeps them; 0 by default. */
  history?: number | undefined;
  /**
   * Keeps waiting for another publisher when this one has closed or died; true by default. If
   * false, reports "closed" or a PeerLostError once every published sample is received.
   */
  keepOpen?: boolean | undefined;
}

/** How to subscribe to a topic. */
export interface SubscriberOptions<T> extends TopicOptions, SubscriberBehaviour<T> {}

/** How to subscribe to a topic, once it is there. */
export interface SubscriberConnectOptions<T> extends TopicConnectOptions, SubscriberBehaviour<T> {}
