/**
 * A place in a circular buffer from which messages are read; circular_buffer.ts explains the
 * algorithm. It stores nothing: a reader and an observer read in the same way.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
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

/** A writer that overwrites a head during this many reads in a row is broken. */
const ATTEMPTS = 10_000;

/** The message to read first: `first` is the first that the buffer ever had, lost or not. */
export type Start = "oldest" | "newest" | "now" | "first";

/** The messages that a reader has lost in all. */
export interface Losses {
  messages: number;
  bytes: number;
}

/** Where a cursor begins, and how it continues after a loss. */
export interface CursorOptions {
  readonly start: Start;
  readonly afterLoss: "oldest" | "newest";
  /** Adds up what is lost from `start` on. */
  readonly losses: Losses;
}

/** The result of a read whose message was overwritten: the cursor has moved on. */
export const LOST = -1;

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
  #isCorrupt = false;

  constructor(ring: Ring, { start, afterLoss, losses }: CursorOptions) {
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

  /** Whether the cursor ever found the ring corrupt, or a peer has taken memory of it away. */
  get isCorrupt(): boolean {
    return this.#isCorrupt || this.ring.mapping.isLost;
  }

  /** Returns whether a message is at the cursor. */
  seesMore(): boolean {
    this.#published = this.ring.published.load(); // .. P2 and so the records and heads are there
    return this.#published !== this.#position;
  }

  /**
   * Returns whether a message is at the cursor; loads the word only if its last value is used up.
   */
  hasNext(): boolean {
    return this.#published !== this.#position || this.seesMore();
  }

  /** Returns the length of the next message, or LOST; call it once `hasNext()` is true. */
  nextLength(): number {
    const ring = this.ring;
    this.#head.load(ring, this.#offset);
    const { sequence, length } = this.#head;
    const plausible = sequence === this.#sequence && isCount(length, this.#longest) &&
      this.#published - this.#position >= unitsOf(length);
    if (plausible) return length;
    if (!this.isIntact()) return this.recover();
    throw this.#corrupt(corruptRing(ring, `message ${this.#sequence} has a length of ${length}`));
  }

  /**
   * Copies the next message into an array; `length` is from `nextLength`. Returns whether the copy
   * is whole. Otherwise it may be torn, and `recover` must follow.
   */
  copy(target: Uint8Array<ArrayBuffer>, length: number): boolean {
    const { mapping, dataOffset, oldest: word } = this.ring;
    const start = dataOffset + this.#offset + HEAD_BYTES;
    const oldest = copyOutThenLoad(mapping, start, target, length, word); // .. P1 after every byte
    return oldest <= this.#position;
  }

  /** Copies the next message and moves past it; returns its length, or LOST. */
  read(target: Uint8Array<ArrayBuffer>, length: number): number {
    if (!this.copy(target, length)) return this.recover();
    this.advance(length);
    return length;
  }

  /** Returns a view of the next message in place; `length` is from `nextLength`. */
  peek(length: number): Uint8Array<ArrayBuffer> {
    const { mapping, dataOffset } = this.ring;
    return peekView(mapping, dataOffset + this.#offset + HEAD_BYTES, length);
  }

  /** Returns whether the writer has overwritten nothing from `#position` on until now. */
  isIntact(): boolean {
    const oldest = this.ring.oldest.loadLast(); // .. P1 after every byte was read
    this.ring.mapping.checkWhole();
    return oldest <= this.#position;
  }

  /** Moves past the message that was read. */
  advance(length: number): void {
    const units = unitsOf(length);
    this.#position += units;
    this.#offset = offsetAfter(this.ring, this.#offset, units);
    this.#sequence++;
    this.#payload = addPayload(this.#payload, length);
  }

  /** Continues after the overwritten messages, and counts them as lost. */
  recover(): typeof LOST {
    const sequence = this.#sequence;
    const payload = this.#payload;
    this.#jump(this.#afterLoss);
    this.#losses.messages += this.#sequence - sequence;
    this.#losses.bytes += payloadBetween(payload, this.#payload);
    return LOST;
  }

  /** Moves to an intact head. */
  #jump(where: "oldest" | "newest" | "now"): void {
    const ring = this.ring;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = this.#find(where);
      if (found === undefined) continue;
      const { sequence, payload } = this.#head;
      if (!this.#head.isSound || sequence < this.#sequence) {
        throw this.#corrupt(corruptHead(ring, found, this.#head));
      }
      this.#position = this.#published = found;
      this.#offset = found % ring.units * UNIT;
      this.#sequence = sequence;
      this.#payload = payload;
      return;
    }
    throw this.#corrupt(corruptRing(ring, "its oldest message keeps changing"));
  }

  /** Loads the head at the place; returns undefined if the writer overwrote it meanwhile. */
  #find(where: "oldest" | "newest" | "now"): number | undefined {
    const ring = this.ring;
    const oldest = ring.oldest.load();
    const published = ring.published.load();
    const valid = isCount(published, LAST_POSITION) && isCount(oldest, published);
    if (!valid) {
      if (oldest > published && ring.published.load() !== published) return undefined;
      throw this.#corrupt(corruptRing(ring, `its positions are ${oldest} and ${published}`));
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

  #corrupt(error: CorruptRegionError): CorruptRegionError {
    this.#isCorrupt = true;
    return error;
  }
}
