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
import { checkedOrigin, type Origin } from "../origin.ts";
import { perIsolate } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { History, type SlotNews, type SlotOutcome, type SlotView } from "./history.ts";
import type { SlotWords } from "./slot_words.ts";
import { WriteLock } from "./write_lock.ts";

/** Makes a slot, for `Domain`: what it is made of is nobody else's business. */
export let makeSlot: <T>(name: string, words: SlotWords, codec: Codec<T>) => Slot<T>;

/** What a listener needs of a slot. */
export const NEWS: unique symbol = Symbol.for("vring.news/1");

/** Slots with a claim: the right to write would go with a handle that is collected. */
const claiming = perIsolate(() => new Set<object>());

/** How to write a message. */
export interface SlotWriteOptions {
  /** The first publisher of a message that a bridge republishes. */
  origin?: Origin | undefined;
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
  readonly #history: History<T>;
  readonly #encoder: Encoder<T>;
  readonly #lock: WriteLock;
  readonly #waiter: Waiter;
  readonly #acquiring = () => this.#tryAcquire() || undefined; // made once, not by each call
  #claim: Claim | undefined;

  static {
    makeSlot = (name, words, codec) => new Slot(name, words, codec);
  }

  private constructor(name: string, words: SlotWords, codec: Codec<T>) {
    this.name = name;
    this.depth = words.plan.depth;
    this.maxSize = words.plan.maxBytes;
    this.#words = words;
    this.#history = new History(words, codec);
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
  tryWrite(value: T, options?: SlotWriteOptions): number | undefined {
    const origin = this.#originIn(options);
    const prepared = this.#prepare(value);
    return this.#lock.tryFollow() ? this.#write(prepared, origin) : undefined;
  }

  /** Writes a value, and blocks the thread while somebody else is writing; gives its number. */
  writeSync(value: T, options?: SyncWaitOptions & SlotWriteOptions): number {
    const origin = this.#originIn(options);
    const prepared = this.#prepare(value);
    this.#acquireSync(options);
    return this.#write(prepared, origin);
  }

  /**
   * Writes a value once nobody else is writing; gives its number. Do not change it until the promise
   * resolves.
   */
  write(value: T, options: WaitOptions & SlotWriteOptions = {}): Promise<number> {
    const attempt = () => {
      const origin = this.#originIn(options);
      const prepared = this.#prepare(value);
      return this.#tryAcquire() ? this.#write(prepared, origin) : undefined;
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
    options?: SyncWaitOptions,
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
  publish(length?: number, options?: SlotWriteOptions): number {
    this.#words.region.checkOpen();
    const origin = this.#originIn(options);
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
    this.#words.publish(sequence, published, origin);
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
    return this.#history.at(age);
  }

  /** Copies of the messages after the one of this number, and how many of those are gone. */
  since(sequence: number): SlotNews<T> {
    return this.#history.since(sequence);
  }

  /** Shows the message `age` before the newest in place; undefined if it is not in the slot. */
  view(age = 0): SlotView | undefined {
    return this.#history.view(age);
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
    return [this[NEWS](() => this.#history.shown)];
  }

  /** True once there is a message after the one of a number.
   * @ignore */
  [NEWS](seen: () => number): Condition {
    const { bell, publishedLow: watch } = this.#words;
    return { bell, watch, watchTellsAll: true, ready: () => this.sequence > seen() };
  }

  #acquireSync(options: SyncWaitOptions | undefined): void {
    if (options !== undefined) checkWaits(options);
    if (this.#tryAcquire()) return;
    untilSync(this.#acquiring, this.#waiter, options);
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

  #originIn(options: SlotWriteOptions | undefined): Origin | undefined {
    const origin = options?.origin;
    if (origin === undefined) return undefined;
    return checkedOrigin(origin, `a message of ${this.#words.what}`);
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
  #write({ value, bound, bytes }: Prepared, origin: Origin | undefined): number {
    const words = this.#words;
    const { mapping } = words.region;
    this.#forgetClaim();
    try {
      const sequence = words.reserve(bound);
      const at = words.messageAt(sequence);
      if (bytes !== undefined) copyIn(mapping, at, bytes, bound);
      const length = bytes === undefined ? this.#encoder.into(value, mapping, at, bound) : bound;
      if (length < 0) words.region.checkOpen();
      words.publish(sequence, length, origin);
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
