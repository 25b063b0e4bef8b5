/**
 * The samples of a topic as its receivers show them.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { type Decoder, decoderOf } from "../decoder.ts";
import { VringError } from "../errors.ts";
import { Landing } from "../landing.ts";
import type { Bytes, Input, Message, TakenMessage, Type, Value, View } from "../message.ts";
import type { Origin } from "../origin.ts";

/** The codec of a type. */
export type CodecOf<K extends Type> = Codec<Value<K>, Input<K>, View<K>>;

/** What a sample has besides its value. */
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

/** A sample as `receive` returns it. */
export interface TopicMessage<K extends Type = Bytes> extends Message<K>, SampleFacts {
  /** The source that published it, in a topic with many publishers; undefined in others. */
  readonly source: string | undefined;
}

/** A sample in place, as `poll` shows it; valid until the handler returns. */
export interface PolledSample<K extends Type = Bytes>
  extends TopicMessage<K>, Omit<TakenMessage<K>, typeof Symbol.dispose> {}

/** A sample in place, as `take` shows it: its bytes do not change until it is disposed. */
export interface Sample<K extends Type = Bytes> extends TopicMessage<K>, TakenMessage<K> {}

/** Reads the samples of one type for one receiver. */
export class Reading<K extends Type> {
  /** The topic in messages, such as `topic "imu"`. */
  readonly what: string;
  /** Decodes samples without a copy; undefined for types that need the bytes. */
  readonly decoder: Decoder<Value<K>> | undefined;
  readonly #codec: CodecOf<K>;
  readonly #landing: Landing;
  readonly #views = new WeakMap<Uint8Array<ArrayBuffer>, View<K> & object>();

  constructor(what: string, codec: CodecOf<K>, { own }: { own?: boolean | undefined } = {}) {
    this.what = what;
    this.#codec = codec;
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

  /** Returns the accessors to bytes in place; the same ones for the same array. */
  view(bytes: Uint8Array<ArrayBuffer>): View<K> {
    const made = this.#views.get(bytes) ?? this.#codec.view?.(bytes);
    if (typeof made !== "object" || made === null) return made as View<K>;
    this.#views.set(bytes, made as View<K> & object);
    return made as View<K>;
  }
}

const NO_BYTES = new Uint8Array(0);

/** A sample in place, until it is hidden. */
export class ShownSample<K extends Type> implements PolledSample<K> {
  sequence = 0;
  lost = 0;
  time = 0;
  source: string | undefined;
  origin: Origin | undefined;
  bytes: Uint8Array<ArrayBuffer> = NO_BYTES;
  readonly #reading: Reading<K>;
  #isDecoded = false;
  #value: Value<K> | undefined;

  constructor(reading: Reading<K>) {
    this.#reading = reading;
  }

  /** Shows another sample. */
  show(facts: SampleFacts, bytes: Uint8Array<ArrayBuffer>, source: string | undefined): void {
    this.sequence = facts.sequence;
    this.lost = facts.lost;
    this.time = facts.time;
    this.origin = facts.origin;
    this.source = source;
    this.bytes = bytes;
    this.#isDecoded = false;
  }

  /** Ends the view of the sample. A value that was decoded stays. */
  hide(): void {
    this.bytes = NO_BYTES;
  }

  get value(): Value<K> {
    if (!this.#isDecoded) {
      this.#checkShown();
      this.#value = this.#reading.copy(this.bytes);
      this.#isDecoded = true;
    }
    return this.#value as Value<K>;
  }

  get view(): View<K> {
    this.#checkShown();
    return this.#reading.view(this.bytes);
  }

  #checkShown(): void {
    if (this.bytes !== NO_BYTES) return;
    throw new VringError(
      `Cannot read sample ${this.sequence} of ${this.#reading.what}: it was released; read its ` +
        "value before, or receive a copy",
    );
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
