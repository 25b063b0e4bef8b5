/**
 * What a subscriber finds in a topic, and what it is given of it.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import type { VRingReader } from "./vring_reader.ts";

/** A sample in place: it stays as it is until it is disposed. */
export interface Sample<T> extends Disposable {
  /** The sample, in shared memory, to be read only; empty once it was disposed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The value, made when it is asked for; what is made of bytes in place goes with them. */
  readonly value: T;
  /** The number of the sample: one more with each that is published. */
  readonly sequence: number;
  /** How many samples were lost to this subscriber just before this one. */
  readonly lost: number;
}

/** What a subscriber finds in place of a sample. */
export type NoSample =
  /** Nothing is there now. */
  | { state: "empty" }
  /** Nothing is there, the publisher has closed, and no other is waited for. */
  | { state: "closed" };

/** What taking a sample in place gives. */
export type SampleOutcome<T> = { state: "ok"; sample: Sample<T> } | NoSample;

/** What receiving a value gives. */
export type ValueOutcome<T> =
  /** The value, the number of the sample, and how many were lost just before it. */
  | { state: "ok"; value: T; sequence: number; lost: number }
  | NoSample;

/** What taking or receiving gives to those who wait until there is something. */
export type Arrived<Outcome> = Exclude<Outcome, { state: "empty" }>;

const NO_BYTES = new Uint8Array(0);

/** A sample that is shown in place: the one that a reader has taken last. */
export class HeldSample<T> implements Sample<T> {
  readonly sequence: number;
  readonly lost: number;
  readonly #codec: Codec<T>;
  readonly #descriptor: number;
  readonly #stamp: number;
  #shown: Uint8Array<ArrayBuffer>;
  #reader: VRingReader | undefined; // until it is given back

  constructor(shown: Uint8Array<ArrayBuffer>, reader: VRingReader, codec: Codec<T>) {
    this.#shown = shown;
    this.sequence = reader.sequence;
    this.lost = reader.lost;
    this.#codec = codec;
    this.#descriptor = reader.descriptor;
    this.#stamp = reader.stamp;
    this.#reader = reader;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#shown;
  }

  get value(): T {
    return this.#codec.decode(this.#shown);
  }

  [Symbol.dispose](): void {
    const reader = this.#reader;
    this.#shown = NO_BYTES;
    this.#reader = undefined;
    if (reader !== undefined && !reader.closed) reader.release(this.#descriptor, this.#stamp);
  }
}
