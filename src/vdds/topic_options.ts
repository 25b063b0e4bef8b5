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
   * The largest sample in bytes, up to 2 GiB; 64 KiB by default. A type of a fixed size decides it.
   */
  size?: number | undefined;
  /** The most subscribers at once, 1 to 64; 16 by default. */
  subscribers?: number | undefined;
  /** The number of last samples that are kept for subscribers that come later; 0 by default. */
  history?: number | undefined;
  /**
   * What a publisher does while no sample is free: refuse the sample ("block", the default), lose it
   * ("dropNewest"), or drop the oldest one that no subscriber holds ("dropOldest").
   */
  policy?: Policy | undefined;
  /**
   * Whether one publisher at a time has the topic, or many do, each with a source; "one" by default.
   * The depth, the size and the subscribers are those of each source.
   */
  publishers?: "one" | "many" | undefined;
  /**
   * Whether a new topic gets memory for all samples at once, the default. If not, the publisher
   * allocates it when a sample first needs it, and throws an OsError (ENOSPC) when none is left. It
   * can still send samples that fit into allocated memory.
   */
  reserve?: boolean | undefined;
}

/** The options of a publisher. */
export interface PublisherOptions extends HandleOptions {
  /**
   * The name of this publisher among many, such as "left"; a unique one by default. Its samples go
   * to the topic `name/source`, which keeps its memory until it is unlinked or all subscribers close.
   */
  source?: string | undefined;
}

/** The options of a subscriber. */
export interface SubscriberOptions extends HandleOptions {
  /** The most of the last samples to begin with; by default all that the topic keeps. */
  history?: number | undefined;
  /**
   * Whether to wait for another publisher when this one has closed or died, the default, or to end:
   * then a close ends loops, and a death throws a PeerLostError after the last sample.
   */
  onPeerGone?: "wait" | "end" | undefined;
  /** Gives each received array a buffer of its own, to transfer it; false by default. */
  own?: boolean | undefined;
}

/** The options of an observer of a topic. */
export interface TopicObserverOptions {
  /**
   * The number of past samples to begin with, unless they are overwritten; by default as many as the
   * topic keeps. A topic that comes later is observed from its first sample.
   */
  history?: number | undefined;
}

/** The options of a loan that does not wait. */
export interface LoanOptions {
  /** The number of bytes; the largest sample by default. */
  length?: number | undefined;
}
