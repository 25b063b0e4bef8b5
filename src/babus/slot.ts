/**
 * A slot of a domain, for its writers and readers; slot_words.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkSyncWaits, inWords } from "../arguments.ts";
import { type Claim, ClaimedMemory, originIn, type PublishOptions } from "../claim.ts";
import type { Codec } from "../codec.ts";
import { type Encoder, encoderOf } from "../encoder.ts";
import { Landing } from "../landing.ts";
import { isCount } from "../layout/sizes.ts";
import { copyIn } from "../memory/word.ts";
import { type Bytes, type Input, type Type, viewsOf } from "../message.ts";
import type { Origin } from "../origin.ts";
import { perIsolate } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { waitForPeers } from "../region/peers.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import type { SlotDefinition } from "./geometry.ts";
import { checkNumber, History, type SlotPeek } from "./history.ts";
import { SlotReader } from "./reader.ts";
import type { SlotWords } from "./slot_words.ts";
import { WriteLock } from "./write_lock.ts";

/** The method by which a listener asks a slot for the condition that it has news. */
export const NEWS: unique symbol = Symbol.for("vring.news/1");

/** Keeps open claims alive: garbage collection of their handle would release the lock. */
const open = perIsolate(() => new Set<object>());

/**
 * Memory for the next message of a slot, to write in place. No other handle can write until you
 * publish or dispose it. Each handle has one claim, which it reuses.
 */
export interface SlotClaim<K extends Type = Bytes> extends Claim<K> {
  /** Publishes the first `length` bytes, all by default; returns the number of the message. */
  publish(length?: number, options?: PublishOptions): number;
}

/** A value that is ready to be written. */
interface Prepared {
  readonly value: unknown;
  /** The most bytes that it takes; exactly so many if there are `bytes`. */
  readonly bound: number;
  /** The value, encoded already, if that takes the right to write for less long. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Writes and reads a slot, which keeps the last messages of one type for all processes. Any handle
 * can write, one at a time, and any handle can read. Writers never wait for readers. At most 64
 * handles can write: a handle counts from its first write or claim until it is closed, and one more
 * throws a RoleTakenError.
 */
export class Slot<K extends Type = Bytes> extends SlotReader<K> {
  readonly #words: SlotWords;
  readonly #history: History<K>;
  readonly #encoder: Encoder<unknown>;
  readonly #lock: WriteLock;
  readonly #claim: ClaimedMemory<K, number>;
  readonly #waiter: Waiter;
  readonly #acquiring = () => this.#tryAcquire() || undefined; // made once, not by each call

  /** @ignore */
  constructor(definition: SlotDefinition<K>, words: SlotWords, landing: Landing = new Landing()) {
    super(definition);
    const { codec } = definition;
    this.#words = words;
    this.#history = new History(words, codec, landing);
    this.#encoder = encoderOf(codec as Codec<unknown>, "write to", words.what);
    const lock = this.#lock = new WriteLock(words);
    this.#claim = new ClaimedMemory<K, number>({
      what: words.what,
      mapping: words.region.mapping,
      checkOpen: () => words.region.checkOpen(),
      view: viewsOf(codec),
      publish: (length, sequence, origin) => {
        try {
          words.publish(sequence, length, origin);
        } finally {
          this.#discarded();
        }
        return sequence;
      },
      discard: () => this.#discarded(),
    });
    this.#waiter = {
      action: `write to ${words.what}`,
      conditions: () => [lock.free],
      checkOpen: () => words.region.checkOpen(),
      state: () => "another handle is writing",
    };
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#words.region.closed;
  }

  /** The number of other handles of the slot, in all processes; observers do not count. */
  get peers(): number {
    return this.#words.region.countMembers() - 1;
  }

  /** Resolves once the slot has at least `count` other handles. */
  waitForPeers(count: number, options?: WaitOptions): Promise<void> {
    return waitForPeers(this, count, { noun: "other handle", what: this.#words.what }, options);
  }

  /**
   * Writes a value and returns its number, or undefined while another handle writes. Never waits.
   */
  tryWrite(value: Input<K>, options?: PublishOptions): number | undefined {
    const origin = originIn(options, this.#words.what);
    const prepared = this.#prepare(value);
    return this.#lock.tryFollow() ? this.#write(prepared, origin) : undefined;
  }

  /** Blocks while another handle is writing, then writes a value and returns its number. */
  writeSync(value: Input<K>, options?: SyncWaitOptions & PublishOptions): number {
    const origin = originIn(options, this.#words.what);
    const prepared = this.#prepare(value);
    this.#acquireSync(options);
    return this.#write(prepared, origin);
  }

  /**
   * Writes a value once no other handle is writing, and resolves with its number. Do not change the
   * value until then.
   */
  write(value: Input<K>, options?: WaitOptions & PublishOptions): Promise<number> {
    const attempt = () => {
      const origin = originIn(options, this.#words.what);
      const prepared = this.#prepare(value);
      return this.#tryAcquire() ? this.#write(prepared, origin) : undefined;
    };
    return until(attempt, this.#waiter, options);
  }

  /**
   * Claims memory for the next message, of the largest size by default; returns undefined while
   * another handle is writing. A new claim, or a write, discards an earlier claim of this handle.
   */
  tryClaim(length?: number): SlotClaim<K> | undefined {
    if (length === undefined) length = this.size;
    this.#words.region.checkOpen();
    this.#encoder.checkIdle();
    return this.#lock.tryFollow() ? this.#begin(length) : undefined;
  }

  /** Blocks while another handle is writing, then claims memory for the next message. */
  claimSync(length?: number, options?: SyncWaitOptions): SlotClaim<K> {
    if (length === undefined) length = this.size;
    this.#acquireSync(options);
    return this.#begin(length);
  }

  /**
   * Claims memory for the next message once no other handle is writing. A handle has one claim at a
   * time, so tasks that claim concurrently need a handle each.
   */
  claim(length?: number, options?: WaitOptions): Promise<SlotClaim<K>> {
    if (length === undefined) length = this.size;
    const attempt = () => this.#tryAcquire() ? this.#begin(length) : undefined;
    return until(attempt, this.#waiter, options);
  }

  /**
   * Lets a handler fill the next message in place, and publishes it. Returns its number, or
   * undefined while another handle is writing. The handler returns the number of bytes to publish;
   * undefined means all. If it throws, nothing is published. Allocates nothing.
   */
  tryFill(
    handler: (claim: SlotClaim<K>) => number | void,
    length?: number,
  ): number | undefined {
    if (length === undefined) length = this.size;
    checkHandler(handler, "fill a message of", this.#words.what);
    return this.tryClaim(length) === undefined ? undefined : this.#claim.fill(handler);
  }

  /**
   * Shows a message in place, by default the newest; returns undefined if the slot does not have
   * it. A writer may overwrite it at any time: read the fields you need, and then check `valid`.
   */
  peek(sequence?: number): SlotPeek<K> | undefined {
    if (sequence !== undefined) checkNumber(sequence, this.title);
    return this.#history.peek(sequence);
  }

  /** Closes the handle. Its views become empty, and it discards its open claim. */
  close(): void {
    this.#forget();
    this.#words.region.close(() => this.#lock.close());
  }

  /** @ignore */
  [NEWS](seen: () => number): Condition {
    return this.news(seen);
  }

  /** @ignore */
  protected history(): History<K> {
    this.#words.region.checkOpen();
    return this.#history;
  }

  /** @ignore */
  protected news(seen: () => number): Condition {
    const { bell, publishedLow: watch } = this.#words;
    const ready = () => this.#history.last() > seen();
    return { bell, watch, watchTellsAll: true, isSteady: true, ready };
  }

  /** Claims the next message; the lock is held, and stays so unless this throws. */
  #begin(length: number): SlotClaim<K> {
    const words = this.#words;
    this.#forget();
    try {
      if (!isCount(length, this.size)) throw misfit(length, words);
      const sequence = words.reserve(length);
      const bytes = words.claim(sequence, length);
      open().add(this.#claim);
      return this.#claim.begin(words.messageAt(sequence), length, sequence, bytes);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  /** Ends the claim with the lock still held. */
  #forget(): void {
    if (!this.#claim.isOpen) return;
    this.#claim.end();
    open().delete(this.#claim);
  }

  /** Gives back the right to write that a claim had. */
  #discarded(): void {
    open().delete(this.#claim);
    this.#lock.release();
  }

  #acquireSync(options: SyncWaitOptions | undefined): void {
    if (options !== undefined) checkSyncWaits(options);
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

  /** Prepares a value while others can write, as far as no memory is needed for that. */
  #prepare(value: unknown): Prepared {
    this.#words.region.checkOpen();
    const encoder = this.#encoder;
    try {
      const prepared = encoder.prepare(value);
      const bound = encoder.bound(prepared);
      const isInPlace = encoder.isExact || bound <= Math.min(pageSize(), this.size);
      const bytes = isInPlace ? undefined : encoder.toBytes(prepared);
      this.#words.region.checkOpen(); // a codec can do anything
      const length = bytes?.length ?? bound;
      if (!isCount(length, this.size)) throw misfit(length, this.#words);
      return { value: prepared, bound: length, bytes };
    } catch (error) {
      this.#claim[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes a message; the lock is held, and given back whatever happens. */
  #write({ value, bound, bytes }: Prepared, origin: Origin | undefined): number {
    const words = this.#words;
    const { mapping } = words.region;
    this.#forget();
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
}

/** Makes the error for a message of an impossible length. */
function misfit(length: number, { what, plan: { size } }: SlotWords): RangeError {
  return new RangeError(
    `Cannot write ${inWords(length)} bytes to ${what}: a message can have ${size}; define it ` +
      "with a larger size",
  );
}
