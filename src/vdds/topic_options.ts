/**
 * The options of topics, and of their publishers, subscribers and observers.
 *
 * @module
 */

import type { DefinitionOptions, HandleOptions } from "../definition.ts";
import type { Bytes, Type } from "../message.ts";

/**
 * Decides what a publisher does while no sample is free. With "block", `trySend` returns false,
 * `tryLoan` returns undefined, and nothing is lost. With "dropNewest" they do too, and the new sample
 * counts as lost. With "dropOldest" every method drops the oldest sample that no subscriber holds;
 * subscribers that did not take it lose it. While subscribers hold all samples, "dropOldest" loses
 * the new one as "dropNewest" does. Methods without `try` wait instead of losing the new sample.
 */
export type Policy = "block" | "dropNewest" | "dropOldest";

/** The options of a topic. */
export interface TopicOptions<K extends Type = Bytes> extends DefinitionOptions {
  /** The type of the samples; bytes by default. */
  type?: K | undefined;
  /** The number of samples in memory, 1 to 1,024; 8 by default. */
  depth?: number | undefined;
  /**
   * The largest sample in bytes, up to 2 GiB; by default the size of the type, or 64 KiB if the
   * type has none. A size that differs from that of the type throws a TypeError.
   */
  size?: number | undefined;
  /** The most subscribers at once, 1 to 64; 16 by default. */
  subscribers?: number | undefined;
  /** The number of last samples kept for later subscribers, less than the depth; 0 by default. */
  history?: number | undefined;
  /**
   * What a publisher does while no sample is free: refuse the sample ("block", the default), lose it
   * ("dropNewest"), or drop the oldest one that no subscriber holds ("dropOldest").
   */
  policy?: Policy | undefined;
  /**
   * The most samples that one subscriber can have at once, up to the depth; 0, the default, is no
   * limit. A subscriber that has so many, unread ones included, misses the next ones and learns how
   * many it lost, so it cannot keep the publisher waiting. Under "dropOldest" unread samples do not
   * count. A sample is always free if the depth exceeds the quota of all subscribers together, plus
   * the history of each and the loans of the publisher.
   */
  quota?: number | undefined;
  /**
   * Whether the topic has one publisher at a time ("one", the default) or several ("many"), each
   * with a source. With "many", the depth, the size and the subscribers apply to each source.
   */
  publishers?: "one" | "many" | undefined;
  /**
   * Whether a new topic allocates memory for all samples at once; true by default. With false, the
   * publisher allocates it when a sample first needs it, and throws an OsError (ENOSPC) when none
   * is left. It can still send samples that fit into allocated memory.
   */
  reserve?: boolean | undefined;
}

/** The options of a publisher. */
export interface PublisherOptions extends HandleOptions {
  /**
   * The name of this publisher among many, such as "left"; by default a unique one. Its samples go
   * to the topic `name/source`. Subscribers keep the memory of a named source until they close or
   * that topic is unlinked.
   */
  source?: string | undefined;
}

/** The options of a subscriber. */
export interface SubscriberOptions extends HandleOptions {
  /** The number of past samples to receive first; by default all that the topic keeps. */
  history?: number | undefined;
  /**
   * Whether to wait for another publisher after this one closed or died ("wait", the default), or
   * to end ("end"). Then a close ends loops, and a death or an aborted stream of the publisher
   * throws a PeerLostError after the last sample. A topic with many publishers accepts only "wait".
   */
  onPeerGone?: "wait" | "end" | undefined;
  /** Gives each received array a buffer of its own, to transfer it; false by default. */
  own?: boolean | undefined;
}

/** The options of an observer of a topic. */
export interface TopicObserverOptions {
  /**
   * The number of past samples to receive first, unless they are overwritten; by default as many as
   * the topic keeps. A topic that is created later is observed from its first sample.
   */
  history?: number | undefined;
  /** Gives each received array a buffer of its own, to transfer it; false by default. */
  own?: boolean | undefined;
}

/** The options of a loan that does not wait. */
export interface LoanOptions {
  /** The number of bytes; the largest sample by default. */
  length?: number | undefined;
}
