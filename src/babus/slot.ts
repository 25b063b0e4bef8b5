/**
 * A slot of a domain, for its writers and readers; slot_words.ts explains the algorithm.
 *
 * @module
 */

import { checkWaits, inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import { isCount } from "../layout/sizes.ts";
import { commitView, copyIn } from "../memory/word.ts";
import { now, perIsolate } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { Copied, SlotWords } from "./slot_words.ts";
import { WriteLock } from "./write_lock.ts";

/** A message of a slot. */
export interface SlotMessage<T> {
  /** The number of the message: the first of a slot is 1. */
  readonly sequence: number;
  /** When it was published, in nanoseconds of the clock that `Domain.now()` tells. */
  readonly timestamp: number;
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
  /** When it was published, in nanoseconds of the clock that `Domain.now()` tells. */
  readonly timestamp: number;
  /** The message, in shared memory, to be read only; it may be overwritten at any time. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether nothing of it has been overwritten up to now: so all that was read from it is right. */
  readonly valid: boolean;
}

/** Makes a slot, for `Domain`: what it is made of is nobody else's business. */
export let makeSlot: <T>(name: string, words: SlotWords, codec: Codec<T>) => Slot<T>;

/** What a listener needs of a slot. */
export const NEWS: unique symbol = Symbol.for("vring.news/1");

const EMPTY = { state: "empty" } as const;

/** A writer that overwrites faster than one message can be read, this often in a row, is broken. */
const ATTEMPTS = 10_000;

/** Slots with a claim: the right to write would go with a handle that is collected. */
const claiming = perIsolate(() => new Set<object>());

/** A message in place. */
class Placed implements SlotView {
  readonly sequence: number;
  readonly timestamp: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: SlotWords;

  constructor(words: SlotWords, sequence: number, timestamp: number, length: number) {
    this.sequence = sequence;
    this.timestamp = timestamp;
    this.bytes = words.peek(sequence, length);
    this.#words = words;
  }

  get valid(): boolean {
    return !this.#words.region.closed && this.#words.isWhole(this.sequence);
  }
}

/** A value that is ready to be written. */
interface Prepared {
  readonly value: unknown;
  /** The most bytes that it takes; exactly so many if there are `bytes`. */
  readonly bound: number;
  /** The value, encoded already, if that takes the right to write for less long. */
  readonly bytes: Uint8Array | undefined;
}

/** A claim on the next message. */
interface Claim {
  readonly sequence: number;
  readonly view: Uint8Array<ArrayBuffer>;
}

/**
 * The last messages of one kind, for all who have it open: anyone may write, one at a time, and
 * anyone may look at the newest message or back at those before it. Writers never wait for readers.
 * Made by `domain.slot()`. To `waitAny` a slot is ready when it has a message newer than all that this
 * handle has shown; a `Listener` waits for many slots and says which have news.
 */
export class Slot<T = Uint8Array> implements Disposable, Waitable {
  /** The name within the domain. */
  readonly name: string;
  /** How many of the last messages can be looked back at. */
  readonly depth: number;
  /** The largest message in bytes. */
  readonly maxSize: number;
  readonly #words: SlotWords;
  readonly #codec: Codec<T>;
  readonly #encoder: Encoder<T>;
  readonly #lock: WriteLock;
  readonly #waiter: Waiter;
  #claim: Claim | undefined;
  #shown = 0; // the number of the newest message that was read by this handle

  static {
    makeSlot = (name, words, codec) => new Slot(name, words, codec);
  }

  private constructor(name: string, words: SlotWords, codec: Codec<T>) {
    this.name = name;
    this.depth = words.plan.depth;
    this.maxSize = words.plan.maxBytes;
    this.#words = words;
    this.#codec = codec;
    this.#encoder = encoderOf(codec, "write to", words.what);
    const lock = this.#lock = new WriteLock(words);
    this.#waiter = {
      action: `write to slot "${name}"`,
      conditions: () => [lock.free],
      checkOpen: () => words.region.checkOpen(),
    };
  }

  /** The number of the newest message, equal to the count of messages written so far. */
  get sequence(): number {
    this.#words.region.checkOpen();
    return this.#words.last();
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#words.region.closed;
  }

  // ---- writing ----

  /**
   * Writes a value; gives its number, or undefined if somebody else is writing. Never waits. Of a slot
   * 64 handles can be writing ones; one that has written is, until it is closed.
   */
  tryWrite(value: T): number | undefined {
    const prepared = this.#prepare(value);
    return this.#lock.tryFollow() ? this.#write(prepared) : undefined;
  }

  /** Writes a value, and blocks the thread while somebody else is writing; gives its number. */
  writeSync(value: T, options: SyncWaitOptions = {}): number {
    const prepared = this.#prepare(value);
    this.#acquireSync(options);
    return this.#write(prepared);
  }

  /**
   * Writes a value once nobody else is writing; gives its number. Do not change it until the promise
   * resolves.
   */
  write(value: T, options: WaitOptions = {}): Promise<number> {
    const attempt = () => {
      const prepared = this.#prepare(value);
      return this.#tryAcquire() ? this.#write(prepared) : undefined;
    };
    return until(attempt, this.#waiter, options);
  }

  /**
   * Claims shared memory for the next message, of the largest size unless `length` is smaller;
   * returns undefined if another writer holds the slot. No other handle can write until
   * `publish` or `discard`. A new claim, or a write, discards a claim that was not published.
   */
  tryClaim(length: number = this.maxSize): Uint8Array<ArrayBuffer> | undefined {
    this.#words.region.checkOpen();
    this.#encoder.checkIdle();
    return this.#lock.tryFollow() ? this.#reserve(length) : undefined;
  }

  /** Blocks the thread while another writer holds the slot, and claims the next message. */
  claimSync(
    length: number = this.maxSize,
    options: SyncWaitOptions = {},
  ): Uint8Array<ArrayBuffer> {
    this.#acquireSync(options);
    return this.#reserve(length);
  }

  /**
   * Claims the next message once no other writer holds the slot. A handle has one claim at a time:
   * tasks that claim concurrently each open the slot.
   */
  claim(
    length: number = this.maxSize,
    options: WaitOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const attempt = () => this.#tryAcquire() ? this.#reserve(length) : undefined;
    return until(attempt, this.#waiter, options);
  }

  /** Publishes the first `length` bytes of what was claimed; gives the number of the message. */
  publish(length?: number): number {
    this.#words.region.checkOpen();
    const claim = this.#claim;
    if (claim === undefined) {
      throw new VringError(
        `Cannot publish to slot "${this.name}": nothing is claimed; claim first`,
      );
    }
    const { sequence, view } = claim;
    const published = length ?? view.length;
    if (!isCount(published, view.length)) {
      throw new RangeError(
        `Cannot publish ${
          inWords(published)
        } bytes to slot "${this.name}": ${view.length} are claimed`,
      );
    }
    const { region } = this.#words;
    commitView(region.mapping, this.#words.messageAt(sequence), view, published);
    this.#words.publish(sequence, published, now());
    this.discard();
    return sequence;
  }

  /** Gives up what was claimed, and lets others write. */
  discard(): void {
    if (this.#claim === undefined) return;
    this.#forgetClaim();
    this.#lock.release();
  }

  #forgetClaim(): void {
    if (this.#claim === undefined) return;
    this.#claim = undefined;
    claiming().delete(this);
  }

  // ---- reading ----

  /** A copy of the newest message. Never waits. */
  latest(): SlotOutcome<T> {
    return this.at(0);
  }

  /** A copy of the message that is so many older than the newest. Never waits. */
  at(age: number): SlotOutcome<T> {
    const copied = this.#find(age, (sequence) => this.#words.copy(sequence));
    return copied === undefined ? EMPTY : { state: "ok", message: this.#show(copied) };
  }

  /** Copies of the messages after the one of this number, and how many of those are gone. */
  since(sequence: number): SlotNews<T> {
    if (!isCount(sequence, Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(
        `Cannot look at messages of slot "${this.name}" since number ${
          inWords(sequence)
        }: pass the number ` +
          "of a message, or 0",
      );
    }
    const messages: SlotMessage<T>[] = [];
    let last = this.sequence;
    let next = Math.max(sequence, last - this.depth) + 1;
    for (let attempt = 0; next <= last; next++) {
      const copied = this.#words.copy(next);
      if (copied !== undefined) messages.push(this.#show(copied));
      else if (messages.length > 0) break; // the rest is for the next look, with what it lost
      else {
        this.#checkOvertaken(next, last);
        if (++attempt === ATTEMPTS) throw this.#words.corrupt("its messages keep changing");
        last = this.sequence;
        next = last - this.depth; // and one more
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
      const view = new Placed(words, sequence, found.time, found.length);
      if (!view.valid) return undefined;
      this.#shown = Math.max(this.#shown, sequence);
      return view;
    });
  }

  /** Closes this handle: its views become empty, and its claim is discarded. */
  close(): void {
    this.#forgetClaim();
    this.#words.region.close(() => this.#lock.close());
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#words.region.checkOpen();
    return [this[NEWS](() => this.#shown)];
  }

  /** True once there is a message after the one of a number.
   * @ignore */
  [NEWS](seen: () => number): Condition {
    const { bell, publishedLow: watch } = this.#words;
    return { bell, watch, watchTellsAll: true, ready: () => this.sequence > seen() };
  }

  /** Finds what is so much older than the newest: if it is overwritten, there is a newer one. */
  #find<Found>(age: number, look: (sequence: number) => Found | undefined): Found | undefined {
    if (!isCount(age, this.depth - 1)) {
      throw new RangeError(
        `Cannot look at message ${
          inWords(age)
        } before the newest of slot "${this.name}": it keeps ` +
          `${this.depth}; pass 0 to ${this.depth - 1}, or make it deeper`,
      );
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const last = this.sequence;
      if (last <= age) return undefined;
      const found = look(last - age);
      if (found !== undefined) return found;
      this.#checkOvertaken(last - age, last);
    }
    throw this.#words.corrupt("its newest message keeps changing");
  }

  /** A message that can be looked back at is overwritten only after others were published (I3). */
  #checkOvertaken(sequence: number, last: number): void {
    if (this.sequence > last) return;
    throw this.#words.corrupt(`message ${sequence} of ${last} is not in its entry`);
  }

  #show({ sequence, time, bytes }: Copied): SlotMessage<T> {
    this.#shown = Math.max(this.#shown, sequence);
    return { sequence, timestamp: time, value: this.#codec.decode(bytes) };
  }

  #acquireSync(options: SyncWaitOptions): void {
    checkWaits(options);
    if (this.#tryAcquire()) return;
    untilSync(() => this.#tryAcquire() || undefined, this.#waiter, options);
  }

  /**
   * Acquires the right to write, for a write in the same turn of the event loop. All calls of this
   * handle have that right then, and the first that has written gives it back.
   */
  #tryAcquire(): boolean {
    this.#words.region.checkOpen();
    this.#encoder.checkIdle();
    return this.#lock.tryAcquire();
  }

  /** Prepares a value while others can write, as far as no memory is needed for that. */
  #prepare(value: T): Prepared {
    this.#words.region.checkOpen();
    const encoder = this.#encoder;
    try {
      const prepared = encoder.prepare(value);
      const bound = encoder.bound(prepared);
      const isInPlace = encoder.isExact || bound <= Math.min(pageSize(), this.maxSize);
      const bytes = isInPlace ? undefined : encoder.toBytes(prepared);
      this.#words.region.checkOpen(); // a codec can do anything
      this.#checkLength(bytes?.length ?? bound);
      return { value: prepared, bound: bytes?.length ?? bound, bytes };
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Writes a message; the lock is held, and given back whatever happens. */
  #write({ value, bound, bytes }: Prepared): number {
    const words = this.#words;
    const { mapping } = words.region;
    this.#forgetClaim();
    try {
      const sequence = words.reserve(bound);
      const at = words.messageAt(sequence);
      if (bytes !== undefined) copyIn(mapping, at, bytes, bound);
      const length = bytes === undefined ? this.#encoder.into(value, mapping, at, bound) : bound;
      if (length < 0) words.region.checkOpen();
      words.publish(sequence, length, now());
      return sequence;
    } finally {
      if (this.#lock.held) this.#lock.release(); // unless a codec closed the slot
    }
  }

  /** Makes a claim with the lock held; keeps the lock unless the claim fails. */
  #reserve(length: number): Uint8Array<ArrayBuffer> {
    const words = this.#words;
    try {
      this.#checkLength(length);
      const sequence = words.reserve(length);
      const view = words.claim(sequence, length);
      this.#claim = { sequence, view };
      claiming().add(this);
      return view;
    } catch (error) {
      if (this.#claim === undefined) this.#lock.release();
      else this.discard();
      throw error;
    }
  }

  #checkLength(length: number): void {
    if (!isCount(length, this.maxSize)) throw this.#misfit(length);
  }

  #misfit(length: number): RangeError {
    return new RangeError(
      `Cannot write ${
        inWords(length)
      } bytes to slot "${this.name}": a message can have ${this.maxSize}; ` +
        "make it with a larger maxSize",
    );
  }
}
