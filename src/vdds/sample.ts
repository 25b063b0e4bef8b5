/**
 * The samples of a topic as a subscriber receives them.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import type { Decoder } from "../decoder.ts";
import type { Origin } from "../origin.ts";
import type { VRing } from "./vring.ts";
import { NONE } from "./vring_layout.ts";
import type { Taken, VRingReader } from "./vring_reader.ts";

/** The facts about a sample besides its bytes. */
export interface SampleFacts {
  /** The number of the sample, which grows by one with each publish. */
  readonly sequence: number;
  /** The number of samples lost to this subscriber just before this one. */
  readonly lost: number;
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The publisher's source, for a sample of a MergedSubscriber; undefined for others. */
  readonly source: string | undefined;
  /** The first publisher of a sample that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
}

/** A sample in place: its bytes do not change until it is disposed. */
export interface Sample<T> extends SampleFacts, Disposable {
  /** The sample in shared memory, for reading only; empty once it was disposed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The value, decoded at each use. A value that keeps the bytes in place ends with them. */
  readonly value: T;
}

/** The outcome of taking or receiving without a sample. */
export type NoSample =
  /** No sample is available now. */
  | { state: "empty" }
  /**
   * No sample is available, the publisher has closed, and the subscriber does not wait for another.
   */
  | { state: "closed" };

/** The outcome of taking a sample in place. */
export type SampleOutcome<T> = { state: "ok"; sample: Sample<T> } | NoSample;

/** The outcome of receiving a value. */
export type ValueOutcome<T> =
  /** The value, and the facts about its sample. */
  | ({ state: "ok"; value: T } & SampleFacts)
  | NoSample;

/** The subscriber that holds samples. */
export interface Holder<T> {
  readonly ring: VRing;
  readonly reader: VRingReader;
  readonly codec: Codec<T>;
  readonly decoder: Decoder<T> | undefined;
  readonly source: string | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** A sample in place, until it is disposed. */
export class HeldSample<T> implements Sample<T> {
  readonly sequence: number;
  readonly lost: number;
  readonly time: number;
  readonly origin: Origin | undefined;
  readonly #holder: Holder<T>;
  readonly #stamp: number;
  #descriptor: number; // NONE once disposed
  #shown: Uint8Array<ArrayBuffer>;

  constructor(taken: Taken, shown: Uint8Array<ArrayBuffer>, holder: Holder<T>) {
    this.sequence = taken.sequence;
    this.lost = taken.lost;
    this.time = taken.time;
    this.origin = taken.origin;
    this.#holder = holder;
    this.#stamp = taken.stamp;
    this.#descriptor = taken.descriptor;
    this.#shown = shown;
  }

  get source(): string | undefined {
    return this.#holder.source;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#shown;
  }

  get value(): T {
    return this.#holder.codec.decode(this.#shown);
  }

  [Symbol.dispose](): void {
    const { reader } = this.#holder;
    const descriptor = this.#descriptor;
    this.#shown = NO_BYTES;
    this.#descriptor = NONE;
    if (descriptor !== NONE && !reader.closed) reader.release(descriptor, this.#stamp);
  }
}
