/**
 * The last messages of a slot, for its readers and observers; slot_words.ts explains the algorithm.
 * It stores nothing.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import type { Codec } from "../codec.ts";
import { type Decoder, decoderOf } from "../decoder.ts";
import type { Landing } from "../landing.ts";
import type { Bytes, Message, ReadonlyView, Type, Value } from "../message.ts";
import type { Origin } from "../origin.ts";
import type { CodecOf } from "./geometry.ts";
import type { Facts, SlotWords } from "./slot_words.ts";

/**
 * A message of a slot. Its `lost` counts the messages that `since()` or a loop missed just before
 * this one; other methods choose one message, and lose none.
 */
export interface SlotMessage<K extends Type = Bytes> extends Message<K> {
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The first publisher of a message that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
}

/** A writer that overwrites faster than one message can be read, this often in a row, is broken. */
const ATTEMPTS = 10_000;

/** A message in place, which a writer may overwrite at any time. */
export class SlotPeek<K extends Type = Bytes> {
  /** The number of the message, from 1 on. */
  readonly sequence: number;
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The first publisher of a message that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
  /** The bytes in shared memory, for reading only. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: SlotWords;
  readonly #codec: CodecOf<K>;

  /** @ignore */
  constructor(words: SlotWords, codec: CodecOf<K>, sequence: number, facts: Facts) {
    const { length, time, origin } = facts;
    this.sequence = sequence;
    this.time = time;
    this.origin = origin;
    this.bytes = words.peek(sequence, length);
    this.#words = words;
    this.#codec = codec;
  }

  /**
   * The accessors to the fields of a struct in place, for reading only: all handles share the memory.
   * Undefined for other types.
   */
  get view(): ReadonlyView<K> {
    return this.#codec.view?.(this.bytes) as ReadonlyView<K>;
  }

  /**
   * Whether no byte was overwritten so far; check it after reading. False once the slot is closed.
   */
  get valid(): boolean {
    return !this.#words.region.closed && this.#words.isWhole(this.sequence);
  }
}

/** Throws unless a value is a whole number, such as the newest one less 10. */
export function checkNumber(sequence: number, what: string): void {
  if (Number.isSafeInteger(sequence)) return;
  throw new RangeError(
    `Cannot read message ${inWords(sequence)} of ${what}: pass the number of a message`,
  );
}

/** Reads the messages of a slot, and notes the newest that it has shown. */
export class History<K extends Type> {
  readonly #words: SlotWords;
  readonly #codec: CodecOf<K>;
  readonly #landing: Landing;
  readonly #decoder: Decoder<Value<K>> | undefined;
  #shown = 0; // the number of the newest message that was read here

  constructor(words: SlotWords, codec: CodecOf<K>, landing: Landing) {
    this.#words = words;
    this.#codec = codec;
    this.#landing = landing;
    this.#decoder = decoderOf(codec as Codec<Value<K>>);
  }

  /** The number of the newest message that was read here. */
  get shown(): number {
    return this.#shown;
  }

  /** Returns the number of the newest message; 0 before the first. */
  last(): number {
    this.#words.region.checkOpen();
    return this.#words.last();
  }

  /** Returns a copy of the newest message. */
  latest(): SlotMessage<K> | undefined {
    return this.#newest(this.#copyThis, undefined);
  }

  /** Returns a copy of the message of this number; undefined unless it is one of the last. */
  at(sequence: number): SlotMessage<K> | undefined {
    const last = this.last();
    if (!this.#isAmongLast(sequence, last)) return undefined;
    return this.#copy(sequence, 0) ?? this.#checkOvertaken(sequence, last);
  }

  /** Shows a message in place, the newest by default. */
  peek(sequence?: number): SlotPeek<K> | undefined {
    if (sequence === undefined) return this.#newest(this.#peekAt, undefined);
    const last = this.last();
    if (!this.#isAmongLast(sequence, last)) return undefined;
    return this.#peekAt(sequence) ?? this.#checkOvertaken(sequence, last);
  }

  /** Copies the bytes of the newest message; returns their number, or -1 before the first. */
  readInto(target: Uint8Array<ArrayBuffer>): number {
    byteLengthOf(target, "read", this.#words.what);
    return this.#newest(this.#readInto, target) ?? -1;
  }

  /** Returns copies of the messages after the one of this number, the oldest first. */
  since(sequence: number): SlotMessage<K>[] {
    const last = this.last();
    const messages: SlotMessage<K>[] = [];
    sequence = Math.max(0, sequence);
    while (sequence < last) {
      const message = this.after(sequence);
      if (message === undefined) break; // of a peer that counts back
      messages.push(message);
      sequence = message.sequence;
    }
    return messages;
  }

  /** Returns a copy of the oldest message after this number; its `lost` counts those between. */
  after(sequence: number): SlotMessage<K> | undefined {
    for (let attempt = 1;; attempt++) {
      const last = this.last();
      const next = Math.max(sequence, last - this.#words.plan.depth) + 1;
      if (next > last) return undefined;
      const message = this.#copy(next, next - 1 - sequence);
      if (message !== undefined) return message;
      this.#checkOvertaken(next, last, attempt);
    }
  }

  #newest<Found, A>(
    look: (sequence: number, argument: A) => Found | undefined,
    argument: A,
  ): Found | undefined {
    for (let attempt = 1;; attempt++) {
      const last = this.last();
      if (last === 0) return undefined;
      const found = look(last, argument);
      if (found !== undefined) return found;
      this.#checkOvertaken(last, last, attempt);
    }
  }

  #isAmongLast(sequence: number, last: number): boolean {
    return sequence > Math.max(0, last - this.#words.plan.depth) && sequence <= last;
  }

  /** One of the last messages is overwritten only after others were published (I3). */
  #checkOvertaken(sequence: number, last: number, attempt = 1): undefined {
    if (this.last() <= last) {
      throw this.#words.corrupt(`message ${sequence} of ${last} is not in its entry`);
    }
    if (attempt === ATTEMPTS) throw this.#words.corrupt("its messages keep changing");
  }

  readonly #copyThis = (sequence: number) => this.#copy(sequence, 0);

  /** Copies a message; returns undefined if it was overwritten meanwhile. */
  #copy(sequence: number, lost: number): SlotMessage<K> | undefined {
    const words = this.#words;
    const found = words.look(sequence);
    if (found === undefined) return undefined;
    const { length, time, origin } = found;
    if (this.#decoder?.size === length) {
      const value = this.#decoder.load(words.region.mapping, words.messageAt(sequence));
      if (!words.isWhole(sequence)) return undefined; // .. P1 after every field
      this.#show(sequence);
      return { sequence, lost, time, origin, value };
    }
    const bytes = this.#landing.arrayFor(length, this.#codec);
    if (!words.copy(sequence, bytes, length)) return undefined;
    this.#show(sequence);
    return {
      sequence,
      lost,
      time,
      origin,
      value: this.#landing.decode<Value<K>>(this.#codec as Codec<Value<K>>, bytes),
    };
  }

  readonly #readInto = (sequence: number, target: Uint8Array<ArrayBuffer>) => {
    const words = this.#words;
    const length = words.look(sequence)?.length;
    if (length === undefined) return undefined;
    if (length > target.length) {
      if (!words.isWhole(sequence)) return undefined;
      throw new RangeError(
        `Cannot read message ${sequence} of ${words.what}: it has ${length} bytes, and the array ` +
          `${target.length}; pass a larger one`,
      );
    }
    if (!words.copy(sequence, target, length)) return undefined;
    this.#show(sequence);
    return length;
  };

  readonly #peekAt = (sequence: number): SlotPeek<K> | undefined => {
    const found = this.#words.look(sequence);
    if (found === undefined) return undefined;
    const peek = new SlotPeek(this.#words, this.#codec, sequence, found);
    if (!peek.valid) return undefined;
    this.#show(sequence);
    return peek;
  };

  #show(sequence: number): void {
    this.#shown = Math.max(this.#shown, sequence);
  }
}
