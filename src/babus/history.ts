/**
 * The last messages of a slot, for its readers and observers; slot_words.ts explains the algorithm.
 * It stores nothing.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { type Decoder, decoderOf } from "../decoder.ts";
import { isCount } from "../layout/sizes.ts";
import type { Origin } from "../origin.ts";
import type { Facts, SlotWords } from "./slot_words.ts";

/** A message of a slot. */
export interface SlotMessage<T> {
  /** The number of the message: the first of a slot is 1. */
  readonly sequence: number;
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The first publisher of a message that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
  /** The value that was written. */
  readonly value: T;
}

/** What looking at a slot gives. */
export type SlotOutcome<T> =
  /** A message. */
  | { readonly state: "ok"; readonly message: SlotMessage<T> }
  /** The message does not exist yet, or is overwritten. */
  | { readonly state: "empty" };

/** What looking at all that is new gives. */
export interface SlotNews<T> {
  /** Messages without a gap, the oldest first; to go on, look since the number of the last. */
  readonly messages: readonly SlotMessage<T>[];
  /** How many there were before these, which are overwritten. */
  readonly lost: number;
}

/** A message in place. */
export interface SlotView {
  /** The number of the message. */
  readonly sequence: number;
  /** The time of the publish in milliseconds since 1970, with a fraction, as `Date.now()` counts. */
  readonly time: number;
  /** The first publisher of a message that a bridge republished; undefined for others. */
  readonly origin: Origin | undefined;
  /** The message, in shared memory, to be read only; it may be overwritten at any time. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether nothing of it has been overwritten up to now: so all that was read from it is right. */
  readonly valid: boolean;
}

const EMPTY = { state: "empty" } as const;

/** A writer that overwrites faster than one message can be read, this often in a row, is broken. */
const ATTEMPTS = 10_000;

/** A message in place. */
class Placed implements SlotView {
  readonly sequence: number;
  readonly time: number;
  readonly origin: Origin | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: SlotWords;

  constructor(words: SlotWords, sequence: number, { time, origin, length }: Facts) {
    this.sequence = sequence;
    this.time = time;
    this.origin = origin;
    this.bytes = words.peek(sequence, length);
    this.#words = words;
  }

  get valid(): boolean {
    return !this.#words.region.closed && this.#words.isWhole(this.sequence);
  }
}

/** Throws unless messages can be asked for since this number. */
export function checkSince(sequence: number, what: string): void {
  if (isCount(sequence, Number.MAX_SAFE_INTEGER)) return;
  throw new RangeError(
    `Cannot look at messages of ${what} since number ${inWords(sequence)}: pass the number of a ` +
      "message, or 0",
  );
}

/** Reads the messages of a slot, and notes the newest that it has shown. */
export class History<T> {
  readonly #words: SlotWords;
  readonly #codec: Codec<T>;
  readonly #decoder: Decoder<T> | undefined;
  #shown = 0; // the number of the newest message that was read here

  constructor(words: SlotWords, codec: Codec<T>) {
    this.#words = words;
    this.#codec = codec;
    this.#decoder = decoderOf(codec);
  }

  /** The number of the newest message that was read here. */
  get shown(): number {
    return this.#shown;
  }

  /** A copy of the message that is so many older than the newest. */
  at(age: number): SlotOutcome<T> {
    const message = this.#find(age, (sequence) => this.#copy(sequence));
    return message === undefined ? EMPTY : { state: "ok", message };
  }

  /** Copies of the messages after the one of this number, and how many of those are gone. */
  since(sequence: number): SlotNews<T> {
    checkSince(sequence, this.#words.what);
    const { depth } = this.#words.plan;
    const messages: SlotMessage<T>[] = [];
    let last = this.#last();
    let next = Math.max(sequence, last - depth) + 1;
    for (let attempt = 0; next <= last; next++) {
      const message = this.#copy(next);
      if (message !== undefined) messages.push(message);
      else if (messages.length > 0) break; // the rest is for the next look, with what it lost
      else {
        this.#checkOvertaken(next, last);
        if (++attempt === ATTEMPTS) throw this.#words.corrupt("its messages keep changing");
        last = this.#last();
        next = last - depth; // and one more
      }
    }
    const first = messages[0]?.sequence;
    return { messages, lost: first === undefined ? 0 : first - 1 - sequence };
  }

  /** Shows the message `age` before the newest in place; undefined if it is not in the slot. */
  view(age = 0): SlotView | undefined {
    const words = this.#words;
    return this.#find(age, (sequence) => {
      const found = words.look(sequence);
      if (found === undefined) return undefined;
      const view = new Placed(words, sequence, found);
      if (!view.valid) return undefined;
      this.#shown = Math.max(this.#shown, sequence);
      return view;
    });
  }

  /** Finds what is so much older than the newest: if it is overwritten, there is a newer one. */
  #find<Found>(age: number, look: (sequence: number) => Found | undefined): Found | undefined {
    const { what, plan: { depth } } = this.#words;
    if (!isCount(age, depth - 1)) {
      throw new RangeError(
        `Cannot look at message ${inWords(age)} before the newest of ${what}: it keeps ${depth}; ` +
          `pass 0 to ${depth - 1}, or make it deeper`,
      );
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const last = this.#last();
      if (last <= age) return undefined;
      const found = look(last - age);
      if (found !== undefined) return found;
      this.#checkOvertaken(last - age, last);
    }
    throw this.#words.corrupt("its newest message keeps changing");
  }

  #last(): number {
    this.#words.region.checkOpen();
    return this.#words.last();
  }

  /** A message that can be looked back at is overwritten only after others were published (I3). */
  #checkOvertaken(sequence: number, last: number): void {
    if (this.#last() > last) return;
    throw this.#words.corrupt(`message ${sequence} of ${last} is not in its entry`);
  }

  /** Copies a message; returns undefined if it was overwritten meanwhile. */
  #copy(sequence: number): SlotMessage<T> | undefined {
    const words = this.#words;
    const found = words.look(sequence);
    if (found === undefined) return undefined;
    const { length, time, origin } = found;
    if (this.#decoder?.size === length) {
      const value = this.#decoder.load(words.region.mapping, words.messageAt(sequence));
      if (!words.isWhole(sequence)) return undefined; // .. P1 after every field
      this.#shown = Math.max(this.#shown, sequence);
      return { sequence, time, origin, value };
    }
    const bytes = words.copy(sequence, length);
    if (bytes === undefined) return undefined;
    this.#shown = Math.max(this.#shown, sequence);
    return { sequence, time, origin, value: this.#codec.decode(bytes) };
  }
}
