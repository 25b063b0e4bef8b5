/**
 * The samples of a topic as its receivers show them.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { type Decoder, decoderOf } from "../decoder.ts";
import { InPlace } from "../in_place.ts";
import { Landing } from "../landing.ts";
import {
  type Bytes,
  type Input,
  type Message,
  type MessageInPlace,
  type TakenMessage,
  type Type,
  type Value,
  type View,
  viewsOf,
} from "../message.ts";
import type { Origin } from "../origin.ts";

/** The codec of a type. */
export type CodecOf<K extends Type> = Codec<Value<K>, Input<K>, View<K>>;

/** The properties of a sample besides its value. */
export interface SampleFacts {
  /** The number of the sample, which grows by one with each publish. */
  readonly sequence: number;
  /** The number of samples that this receiver lost just before this one. */
  readonly lost: number;
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The first publisher of a sample that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
}

/** A sample with a copy of its value, as `receive` returns it. */
export interface TopicMessage<K extends Type = Bytes> extends Message<K>, SampleFacts {
  /** The source that published it, in a topic with many publishers; undefined in others. */
  readonly source: string | undefined;
}

/** A sample in place, as `poll` shows it; valid until the handler returns. */
export interface PolledSample<K extends Type = Bytes> extends TopicMessage<K>, MessageInPlace<K> {}

/** A sample in place, as `take` returns it. Its bytes do not change until you dispose it. */
export interface Sample<K extends Type = Bytes> extends TopicMessage<K>, TakenMessage<K> {}

/** Reads the samples of one type for one receiver. */
export class Reading<K extends Type> {
  /** The topic in messages, such as `topic "imu"`. */
  readonly what: string;
  /** Decodes samples without a copy; undefined for types that need the bytes. */
  readonly decoder: Decoder<Value<K>> | undefined;
  readonly #codec: CodecOf<K>;
  readonly #landing: Landing;
  /** Returns the accessors to bytes in place. */
  readonly view: (bytes: Uint8Array<ArrayBuffer>) => View<K>;

  constructor(what: string, codec: CodecOf<K>, { own }: { own?: boolean | undefined } = {}) {
    this.what = what;
    this.#codec = codec;
    this.view = viewsOf(codec);
    this.decoder = decoderOf(codec as unknown as Codec<Value<K>>);
    this.#landing = new Landing({ own });
  }

  /** Returns an array to copy a sample of this length into, for `decode`. */
  arrayFor(length: number): Uint8Array<ArrayBuffer> {
    return this.#landing.arrayFor(length, this.#codec);
  }

  /** Decodes a sample that was copied. */
  decode(bytes: Uint8Array<ArrayBuffer>): Value<K> {
    return this.#landing.decode(this.#codec as unknown as Codec<Value<K>>, bytes);
  }

  /** Decodes bytes in place into a value that does not keep them. */
  copy(bytes: Uint8Array<ArrayBuffer>): Value<K> {
    if (this.#codec.transient) return this.#codec.decode(bytes);
    const copy = this.arrayFor(bytes.length);
    copy.set(bytes);
    return this.decode(copy);
  }
}

/** A sample in place, until it is hidden. */
export class ShownSample<K extends Type> extends InPlace<K> implements PolledSample<K> {
  sequence = 0;
  lost = 0;
  time = 0;
  source: string | undefined;
  origin: Origin | undefined;
  readonly #reading: Reading<K>;

  constructor(reading: Reading<K>) {
    super();
    this.#reading = reading;
  }

  /** Shows another sample. */
  show(facts: SampleFacts, bytes: Uint8Array<ArrayBuffer>, source: string | undefined): void {
    this.begin(bytes);
    this.sequence = facts.sequence;
    this.lost = facts.lost;
    this.time = facts.time;
    this.origin = facts.origin;
    this.source = source;
  }

  protected get what(): string {
    return this.#reading.what;
  }

  /** Never called: `show` passes the bytes of each sample. */
  protected look(): never {
    throw new TypeError("Cannot show a sample: it has no bytes");
  }

  protected access(bytes: Uint8Array<ArrayBuffer>): View<K> {
    return this.#reading.view(bytes);
  }

  protected decode(): Value<K> {
    return this.#reading.copy(this.bytes);
  }
}

/** A sample that a subscriber holds until it is disposed. */
export class HeldSample<K extends Type> extends ShownSample<K> implements Sample<K> {
  #release: (() => void) | undefined;

  constructor(reading: Reading<K>, release: () => void) {
    super(reading);
    this.#release = release;
  }

  [Symbol.dispose](): void {
    const release = this.#release;
    this.#release = undefined;
    this.hide();
    release?.();
  }
}
