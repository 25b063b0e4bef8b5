/**
 * The samples of one topic, as a subscriber receives them. A topic with many publishers has a feed
 * for each source (merge.ts).
 *
 * @module
 */

import { checkReturned } from "../arguments.ts";
import { copyOut, peekView } from "../memory/word.ts";
import type { Type, Value } from "../message.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import type { Condition } from "../wait/condition.ts";
import {
  HeldSample,
  type PolledSample,
  type Reading,
  type ShownSample,
  type TopicMessage,
} from "./sample.ts";
import { countersOf, type TopicCounters } from "./topic.ts";
import type { VRing } from "./vring.ts";
import type { Taken, VRingReader } from "./vring_reader.ts";

/** The handler of a poll. */
export type Handler<K extends Type> = (sample: PolledSample<K>) => void;

/** The samples that a subscriber receives, of one topic or of all its sources. */
export interface Intake<K extends Type> {
  /** Whether it was closed, or its memory was transferred away. */
  readonly closed: boolean;
  /** The number of living publishers. */
  readonly peers: number;
  /** The sources that have a living publisher. */
  readonly sources: string[];
  readonly counters: TopicCounters;
  /** The number of samples lost so far. */
  readonly lost: number;
  /** Whether all samples were received, and no more will arrive. */
  readonly ended: boolean;
  /** Throws a ClosedError once it is closed. */
  checkOpen(): void;
  /** Takes the oldest unread sample and returns its feed, or undefined when there is none. */
  take(): Feed<K> | undefined;
  /** Takes the newest sample, and gives back those before it. */
  takeLatest(): Feed<K> | undefined;
  /** Shows up to `limit` samples by the same object, and returns their number. */
  poll(handler: Handler<K>, sample: ShownSample<K>, limit: number): number;
  /** The conditions under which `take` may find a sample. */
  conditions(): readonly Condition[];
  close(): void;
}

/** The samples of one topic. After `take` the sample is in `taken`, until the next call. */
export class Feed<K extends Type> implements Intake<K>, Disposable {
  readonly ring: VRing;
  readonly reader: VRingReader;
  readonly source: string | undefined;
  /** The sample that was taken last. The reader reuses the record. */
  readonly taken: Taken;
  readonly #reading: Reading<K>;
  readonly #endsWithPeer: boolean;
  readonly #conditions: readonly Condition[];
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // of each descriptor: what it was shown as last

  constructor({ ring, reader, source, reading, endsWithPeer = false }: {
    readonly ring: VRing;
    readonly reader: VRingReader;
    readonly source?: string | undefined;
    readonly reading: Reading<K>;
    readonly endsWithPeer?: boolean;
  }) {
    this.ring = ring;
    this.reader = reader;
    this.source = source;
    this.taken = reader.taken;
    this.#reading = reading;
    this.#endsWithPeer = endsWithPeer;
    const { bell, used: watch } = reader.words;
    const isSteady = source === undefined; // others may join a source
    this.#conditions = [
      endsWithPeer
        ? {
          bell,
          watch,
          isSteady,
          ready: () => reader.hasNews() || this.#publisherHasClosed(),
          // Drained, also of the last words.
          beforeSleep: () => this.#publisherIsLost() && !reader.hasNews() ? "lost" : undefined,
        }
        : { bell, watch, isSteady, watchTellsAll: true, ready: () => reader.hasNews() },
    ];
  }

  get closed(): boolean {
    return this.reader.closed;
  }

  get peers(): number {
    const count = this.ring.hasWriter() ? 1 : 0;
    this.reader.checkWhole();
    return count;
  }

  get sources(): string[] {
    return [];
  }

  get counters(): TopicCounters {
    const counters = countersOf(this.ring);
    this.reader.checkWhole();
    return counters;
  }

  get lost(): number {
    return this.reader.lost;
  }

  get ended(): boolean {
    // The publisher may have published between the look at the ring and the one at its word.
    const ended = this.#publisherHasClosed() && !this.reader.hasNews();
    this.reader.checkWhole();
    return ended;
  }

  checkOpen(): void {
    this.ring.region.checkOpen();
  }

  take(): this | undefined {
    this.ring.region.checkOpen();
    if (this.reader.take() !== undefined) return this;
    this.reader.checkWhole(); // it may have found zeros
    return undefined;
  }

  takeLatest(): this | undefined {
    this.ring.region.checkOpen();
    if (this.reader.takeLatest() !== undefined) return this;
    this.reader.checkWhole();
    return undefined;
  }

  /** Returns the taken sample as a value, and releases it. */
  receive(): TopicMessage<K> {
    const { sequence, lost, time, origin } = this.taken;
    return { value: this.receiveValue(), sequence, lost, time, source: this.source, origin };
  }

  /** Returns the value of the taken sample, and releases it. */
  receiveValue(): Value<K> {
    const { ring: { region: { mapping }, descriptors }, reader } = this;
    const { descriptor, stamp, length } = this.taken;
    const at = descriptors.sampleAt(descriptor);
    const { decoder } = this.#reading;
    let bytes, value;
    try {
      if (decoder?.size === length) value = decoder.load(mapping, at);
      else bytes = this.#reading.arrayFor(length);
    } catch (error) {
      reader.takeAgain(); // the copy found no memory
      throw error;
    }
    if (bytes !== undefined) copyOut(mapping, at, bytes);
    reader.release(descriptor, stamp);
    return bytes === undefined ? value as Value<K> : this.#reading.decode(bytes);
  }

  /** Copies the taken sample and releases it; returns its length. */
  receiveInto(target: Uint8Array<ArrayBuffer>): number {
    const { region: { mapping }, descriptors } = this.ring;
    const { descriptor, stamp, length } = this.taken;
    copyOut(mapping, descriptors.sampleAt(descriptor), target, length);
    this.reader.release(descriptor, stamp);
    return length;
  }

  /** Holds the taken sample until it is disposed. */
  hold(): HeldSample<K> {
    const { reader, taken } = this;
    const { descriptor, stamp } = taken;
    const bytes = this.#bytes();
    const sample = new HeldSample(this.#reading, () => {
      reader.checkWhole(); // its bytes may have been zeros
      if (!reader.closed) reader.release(descriptor, stamp);
    });
    sample.show(taken, bytes, this.source);
    return sample;
  }

  poll(handler: Handler<K>, sample: ShownSample<K>, limit: number): number {
    const { reader } = this;
    let count = 0;
    try {
      while (count < limit && !reader.closed && reader.take() !== undefined) {
        count++;
        this.show(handler, sample);
      }
    } finally {
      this.announce();
    }
    reader.checkWhole();
    return count;
  }

  /** Shows the taken sample and releases it; `announce` tells the publisher of several together. */
  show(handler: Handler<K>, sample: ShownSample<K>): void {
    const { reader, taken } = this;
    const { descriptor, stamp } = taken; // the handler may take others
    sample.show(taken, this.#bytes(), this.source);
    try {
      const result: unknown = handler(sample);
      if (result !== undefined) checkReturned(result, "poll", this.ring.what);
    } finally {
      if (!reader.closed) reader.releaseSoon(descriptor, stamp);
    }
  }

  /** Tells the publisher of all samples that were released by `show`. */
  announce(): void {
    if (!this.reader.closed) this.reader.announce();
  }

  conditions(): readonly Condition[] {
    return this.#conditions;
  }

  close(): void {
    this.ring.region.close(() => this.reader.leave());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the taken sample in place. */
  #bytes(): Uint8Array<ArrayBuffer> {
    const { region: { mapping }, descriptors } = this.ring;
    const { descriptor: d, length } = this.taken;
    try {
      const last = this.#views[d];
      return this.#views[d] = peekView(mapping, descriptors.sampleAt(d), length, last);
    } catch (error) {
      this.reader.takeAgain(); // the view found no memory
      throw error;
    }
  }

  #publisherHasClosed(): boolean {
    return this.#endsWithPeer && this.ring.writer.state.load() === SeatState.closed;
  }

  #publisherIsLost(): boolean {
    const { writer, region } = this.ring;
    const presence = presenceIn(region, writer);
    return presence === "dead" || presence === "lost";
  }
}
