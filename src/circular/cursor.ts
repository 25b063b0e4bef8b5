/**
 * A place in a circular buffer from which messages are read; circular_buffer.ts explains the
 * algorithm. It stores nothing: a reader and an observer read in the same way.
 *
 * @module
 */

import { byteLengthOf } from "../arguments.ts";
import { isCount } from "../layout/sizes.ts";
import { copyOutThenLoad, peekView } from "../memory/word.ts";
import {
  addPayload,
  corruptHead,
  corruptRing,
  Head,
  HEAD_BYTES,
  LAST_POSITION,
  longestMessage,
  offsetAfter,
  payloadBetween,
  type Ring,
  UNIT,
  unitsOf,
} from "./circular_buffer.ts";
import type { Lost, ReadIntoOutcome, ReadOutcome } from "./outcome.ts";

/** A writer that overwrites a head during this many reads in a row is broken. */
const ATTEMPTS = 10_000;

/** The message to read first: `first` is the first that the buffer ever had, lost or not. */
export type Start = "oldest" | "newest" | "now" | "first";

/** The messages that a reader has lost in all. */
export interface Losses {
  messages: number;
  bytes: number;
}

/** A place in a ring. */
export class Cursor {
  readonly ring: Ring;
  readonly #losses: Losses;
  readonly #afterLoss: "oldest" | "newest";
  readonly #longest: number;
  readonly #head = new Head();
  #position = 0;
  #offset = 0; // its byte in the data
  #published = 0; // the value last loaded, at least #position
  #sequence = 0; // of the message expected at #position
  #payload = 0; // the payload bytes before it

  /** Begins at `start`; adds up in `losses` what is lost from there on. */
  constructor(
    ring: Ring,
    { start, afterLoss, losses }: { start: Start; afterLoss: "oldest" | "newest"; losses: Losses },
  ) {
    this.ring = ring;
    this.#losses = losses;
    this.#afterLoss = afterLoss;
    this.#longest = longestMessage(ring.capacity);
    if (start !== "first") this.#jump(start);
  }

  /** The number of messages written before the one that is read next. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Returns whether a message is at the cursor. */
  seesMore(): boolean {
    this.#published = this.ring.published.load(); // .. P2 and so the records and heads are there
    return this.#published !== this.#position;
  }

  /** Copies the next message, into `target` if given; returns undefined if it is not there yet. */
  read(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome | undefined {
    const space = target === undefined
      ? Infinity
      : byteLengthOf(target, "read from", this.ring.what);
    const length = this.nextLength();
    if (typeof length !== "number") return length;
    if (space < length) return this.isIntact() ? { state: "tooSmall", length } : this.recover();
    const message = target ?? new Uint8Array(length);
    const { mapping, dataOffset, oldest: word } = this.ring;
    const start = dataOffset + this.#offset + HEAD_BYTES;
    const oldest = copyOutThenLoad(mapping, start, message, length, word); // .. P1 after every byte
    if (!(oldest <= this.#position)) return this.recover(); // the copy may be torn
    this.advance(length);
    return target === undefined ? { state: "ok", message } : { state: "ok", length };
  }

  /** Returns a view of the next message in place; `length` is from `nextLength`. */
  peek(length: number): Uint8Array<ArrayBuffer> {
    const { mapping, dataOffset } = this.ring;
    return peekView(mapping, dataOffset + this.#offset + HEAD_BYTES, length);
  }

  /** Returns the length of the next message, or the loss; undefined if it is not there yet. */
  nextLength(): number | Lost | undefined {
    const ring = this.ring;
    // Load the word again only when every message up to the last loaded value is read.
    if (this.#published === this.#position && !this.seesMore()) return undefined;
    this.#head.load(ring, this.#offset);
    const { sequence, length } = this.#head;
    const plausible = sequence === this.#sequence && isCount(length, this.#longest) &&
      this.#published - this.#position >= unitsOf(length);
    if (plausible) return length;
    if (!this.isIntact()) return this.recover();
    throw corruptRing(ring, `message ${this.#sequence} has a length of ${length}`);
  }

  /** Returns whether the writer has overwritten nothing from `#position` on until now. */
  isIntact(): boolean {
    return this.ring.oldest.loadLast() <= this.#position; // .. P1 after every byte was read
  }

  /** Moves past the message that was read. */
  advance(length: number): void {
    const units = unitsOf(length);
    this.#position += units;
    this.#offset = offsetAfter(this.ring, this.#offset, units);
    this.#sequence++;
    this.#payload = addPayload(this.#payload, length);
  }

  /** Continues after the overwritten messages; returns the extent of the loss. */
  recover(): Lost {
    const { messages, bytes } = this.#jump(this.#afterLoss);
    this.#losses.messages += messages;
    this.#losses.bytes += bytes;
    return { state: "lost", messages, bytes };
  }

  /** Moves to an intact head; returns the number of skipped messages and bytes. */
  #jump(where: "oldest" | "newest" | "now"): { messages: number; bytes: number } {
    const ring = this.ring;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = this.#find(where);
      if (found === undefined) continue;
      const { sequence, payload } = this.#head;
      const messages = sequence - this.#sequence;
      if (!this.#head.isSound || messages < 0) throw corruptHead(ring, found, this.#head);
      const bytes = payloadBetween(this.#payload, payload);
      this.#position = this.#published = found;
      this.#offset = found % ring.units * UNIT;
      this.#sequence = sequence;
      this.#payload = payload;
      return { messages, bytes };
    }
    throw corruptRing(ring, "its oldest message keeps changing");
  }

  /** Loads the head at the place; returns undefined if the writer overwrote it meanwhile. */
  #find(where: "oldest" | "newest" | "now"): number | undefined {
    const ring = this.ring;
    const oldest = ring.oldest.load();
    const published = ring.published.load();
    const valid = isCount(published, LAST_POSITION) && isCount(oldest, published);
    if (!valid) {
      if (oldest > published && ring.published.load() !== published) return undefined;
      throw corruptRing(ring, `its positions are ${oldest} and ${published}`);
    }
    let found = where === "oldest" ? oldest : published;
    this.#head.load(ring, found % ring.units * UNIT);
    if (where === "newest") { // `previous` may be torn; then `oldest` is past it below
      const { previous } = this.#head;
      if (isCount(previous, published) && previous >= oldest) {
        found = previous;
        this.#head.load(ring, found % ring.units * UNIT);
      }
    }
    return ring.oldest.loadLast() <= found ? found : undefined;
  }
}
