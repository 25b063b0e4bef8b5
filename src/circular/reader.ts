/**
 * The reading end of a circular buffer; circular_buffer.ts explains the algorithm.
 *
 * @module
 */

import { byteLengthOf, checkHandler, checkLimit, checkWaits, isTarget } from "../arguments.ts";
import { LostError, PeerLostError, VringError } from "../errors.ts";
import { isCount } from "../layout/sizes.ts";
import { copyOutThenLoad, peekView } from "../memory/word.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { checkedBuffer, type CircularBufferOptions, openBuffer, unlinkBuffer } from "./geometry.ts";
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

/** How to open a {@linkcode CircularBufferReader}. */
export interface CircularBufferReaderOptions extends CircularBufferOptions {
  /**
   * The first message to read: the oldest in the buffer (the default), the newest, or the first
   * that is written from now on.
   */
  start?: "oldest" | "newest" | "now";
  /** The message to continue at after a loss: the oldest (the default) or the newest. */
  afterLoss?: "oldest" | "newest";
  /**
   * Keeps waiting for another writer when this one has closed or died. By default a reader that has
   * read everything gets `closed`, or a PeerLostError from `read` and `readSync`.
   */
  keepOpen?: boolean;
}

/** The outcome when the writer has overwritten messages before this reader got them. */
export interface Lost {
  /** The reader has lost messages. */
  state: "lost";
  /** The number of lost messages. */
  messages: number;
  /** The number of bytes in the lost messages. */
  bytes: number;
}

/** The outcome of a read that finds no message. */
export type NoMessage =
  /** Nothing new yet. */
  | { state: "empty" }
  /** Nothing new, and the writer has closed; not with `keepOpen`. */
  | { state: "closed" }
  /** Messages were lost; the next read continues after them. */
  | Lost;

/** The outcome of reading a message. */
export type ReadOutcome =
  /** A copy of the message. */
  | { state: "ok"; message: Uint8Array<ArrayBuffer> }
  | NoMessage;

/** The outcome of reading a message into an array. */
export type ReadIntoOutcome =
  /** The message is in the array's first `length` bytes. */
  | { state: "ok"; length: number }
  /** The array is too small for the message, which stays; `length` is the length of the message. */
  | { state: "tooSmall"; length: number }
  | NoMessage;

/** The outcome of a read that waits for a message. */
export type Found<Outcome> = Exclude<Outcome, { state: "empty" }>;

/** The outcome of `poll`. */
export interface Polled {
  /** The number of messages that were handled and still intact afterwards. */
  handled: number;
  /**
   * The reason for the end: `ok` at the limit, `empty`, `closed` (also if the handler closed the
   * reader), or `lost`. If `handled` does not count the last message that the handler saw, that
   * message may have been torn: discard the data read from it.
   */
  state: "ok" | "empty" | "closed" | "lost";
}

const EMPTY = { state: "empty" } as const;
const CLOSED_OUTCOME = { state: "closed" } as const;

/** A reader of a circular buffer, one of any number. It gets every message or the count it lost. */
export class CircularBufferReader implements Disposable, Waitable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, heads included. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #ring: Ring;
  readonly #afterLoss: "oldest" | "newest";
  readonly #keepOpen: boolean;
  readonly #head = new Head();
  readonly #condition: Condition;
  readonly #waiter: Waiter;
  #position = 0;
  #offset = 0; // its byte in the data
  #published = 0; // the value last loaded, at least #position
  #sequence = 0; // of the message expected at #position
  #payload = 0; // the payload bytes before it
  #lostMessages = 0;
  #lostBytes = 0;
  #polls = false; // a poll is showing the message at #position to its handler

  private constructor(ring: Ring, options: CircularBufferReaderOptions) {
    this.name = ring.name;
    this.capacity = ring.capacity;
    this.maxMessage = longestMessage(ring.capacity);
    this.#ring = ring;
    this.#afterLoss = options.afterLoss ?? "oldest";
    this.#keepOpen = options.keepOpen ?? false;
    this.#condition = {
      bell: ring.bell,
      watch: ring.publishedLow,
      ready: () => this.#seesMore() || this.#writerClosed(),
      // Only once the last messages of the dead writer are read.
      beforeSleep: () => this.#writerIsDead() && !this.#seesMore() ? "lost" : undefined,
    };
    this.#waiter = {
      action: `read from ${ring.what}`,
      conditions: () => [this.#condition],
      busy: () => this.#polls,
      checkOpen: () => this.#checkFree(),
      lost: () => {
        throw new PeerLostError(
          `Cannot read from ${ring.what}: its writer died; read again when it has another one, or ` +
            "open it with keepOpen to wait for that",
        );
      },
    };
    this.#jump(options.start ?? "oldest");
  }

  /**
   * Opens or creates the buffer, so that readers can start before the writer. The first opener
   * decides its size: a reader without a capacity accepts any, and creates a buffer of 1 MiB.
   */
  static open(name: string, options: CircularBufferReaderOptions = {}): CircularBufferReader {
    options = checkedBuffer(name, options);
    using stack = new DisposableStack();
    const ring = openBuffer(name, options);
    stack.use(ring.region);
    const reader = new CircularBufferReader(ring, options);
    stack.move();
    return reader;
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return unlinkBuffer(name);
  }

  /** Whether a living writer has the buffer open; a killed writer can be replaced. */
  get hasWriter(): boolean {
    return this.#ring.region.isHeld(this.#ring.writer.role);
  }

  /** The number of messages that this reader has lost in all. */
  get lostMessages(): number {
    return this.#lostMessages;
  }

  /** The number of bytes in the lost messages. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** The number of messages written before the one that is read next. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Reads a copy of the next message, or reports that the buffer has none. Never waits. */
  tryRead(): ReadOutcome;
  /** Reads the next message into `target`, or reports that the buffer has none. Never waits. */
  tryRead(target: Uint8Array<ArrayBuffer>): ReadIntoOutcome;
  tryRead(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome {
    return this.#tryRead(target);
  }

  #tryRead(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome {
    const space = target === undefined
      ? Infinity
      : byteLengthOf(target, "read from", this.#ring.what);
    const length = this.#nextLength();
    if (typeof length === "object") return length;
    if (space < length) {
      return this.#isIntact() ? { state: "tooSmall", length } : this.#recover();
    }
    const message = target ?? new Uint8Array(length);
    const { mapping, dataOffset, oldest: word } = this.#ring;
    const start = dataOffset + this.#offset + HEAD_BYTES;
    const oldest = copyOutThenLoad(mapping, start, message, length, word); // .. P1 after every byte
    if (!(oldest <= this.#position)) return this.#recover(); // the copy may be torn
    this.#advance(length);
    return target === undefined ? { state: "ok", message } : { state: "ok", length };
  }

  /**
   * Blocks the thread until a message arrives, and reads it; throws TimeoutError after `timeout`. A
   * Worker that is terminated during the call ends, and detaches, only after the call returns.
   */
  readSync(options?: SyncWaitOptions): Found<ReadOutcome>;
  /** Blocks the thread until a message arrives, and reads it into `target` without allocating. */
  readSync(target: Uint8Array<ArrayBuffer>, options?: SyncWaitOptions): Found<ReadIntoOutcome>;
  readSync(
    first: Uint8Array<ArrayBuffer> | SyncWaitOptions = {},
    second: SyncWaitOptions = {},
  ): Found<ReadOutcome | ReadIntoOutcome> {
    const target = isTarget(first) ? first : undefined;
    const options = isTarget(first) ? second : first;
    checkWaits(options);
    const outcome = this.#tryRead(target);
    if (outcome.state !== "empty") return outcome;
    return untilSync(() => arrived(this.#tryRead(target)), this.#waiter, options);
  }

  /** Reads a message once it arrives; rejects with TimeoutError, or with the signal's reason. */
  read(options?: WaitOptions): Promise<Found<ReadOutcome>>;
  /** Reads a message into `target` once it arrives. */
  read(target: Uint8Array<ArrayBuffer>, options?: WaitOptions): Promise<Found<ReadIntoOutcome>>;
  read(
    first: Uint8Array<ArrayBuffer> | WaitOptions = {},
    second: WaitOptions = {},
  ): Promise<Found<ReadOutcome | ReadIntoOutcome>> {
    const target = isTarget(first) ? first : undefined;
    const options = isTarget(first) ? second : first;
    return until(() => arrived(this.#tryRead(target)), this.#waiter, options);
  }

  /**
   * Shows up to `limit` messages in place, without a copy. The writer may overwrite a message while
   * the handler reads it. So each message is validated afterwards, and `handled` counts only intact
   * ones. The handler may close the reader, which ends the poll and does not count that message; it
   * must return before anything else reads from this reader.
   */
  poll(handler: (message: Uint8Array, sequence: number) => void, limit = Infinity): Polled {
    checkHandler(handler, "poll", this.#ring.what);
    checkLimit(limit, 0, "poll", this.#ring.what);
    let handled = 0;
    while (handled < limit) {
      const length = this.#nextLength();
      if (typeof length === "object") return { handled, state: length.state };
      this.#show(handler, length);
      if (!this.#ring.region.mapping.usable) return { handled, state: "closed" };
      if (!this.#isIntact()) {
        this.#recover();
        return { handled, state: "lost" };
      }
      this.#advance(length);
      handled++;
    }
    return { handled, state: "ok" };
  }

  #show(handler: (message: Uint8Array, sequence: number) => void, length: number): void {
    const { mapping, dataOffset } = this.#ring;
    const start = dataOffset + this.#offset + HEAD_BYTES;
    const message = peekView(mapping, start, length);
    this.#polls = true;
    try {
      handler(message, this.#sequence);
    } finally {
      this.#polls = false;
    }
  }

  /** Iterates over the messages until the writer closes; throws a LostError after a loss. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    return iterate({ attempt: () => this.#next(), waiter: this.#waiter });
  }

  /** Returns the next step of a loop. */
  #next(): Step<Uint8Array<ArrayBuffer>> | undefined {
    const outcome = this.tryRead();
    if (outcome.state === "ok") return { done: false, value: outcome.message };
    if (outcome.state === "empty") return undefined;
    if (outcome.state === "closed") return DONE;
    throw new LostError(
      `Cannot read on as if nothing had happened: ${outcome.messages} messages with ` +
        `${outcome.bytes} bytes were overwritten; iterate again to go on behind them`,
    );
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkFree();
    return [this.#condition];
  }

  /** Closes the reader and detaches from the buffer. */
  close(): void {
    this.#ring.region.close();
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the length in the head at `#position`, or the outcome if it has no message. */
  #nextLength(): number | NoMessage {
    this.#checkFree();
    const ring = this.#ring;
    // Load the word again only when every message up to the last loaded value is read.
    if (this.#published === this.#position && !this.#seesMore()) return this.#nothing();
    this.#head.load(ring, this.#offset);
    const { sequence, length } = this.#head;
    const plausible = sequence === this.#sequence && isCount(length, this.maxMessage) &&
      this.#published - this.#position >= unitsOf(length);
    if (plausible) return length;
    if (!this.#isIntact()) return this.#recover();
    throw corruptRing(ring, `message ${this.#sequence} claims a length of ${length}`);
  }

  /** Returns whether a message is at `#position`. */
  #seesMore(): boolean {
    this.#published = this.#ring.published.load(); // .. P2 and so the records and heads are there
    return this.#published !== this.#position;
  }

  /** Returns the outcome at `published`: a loss shows here too, as the next head is written. */
  #nothing(): NoMessage {
    if (!this.#writerClosed()) return EMPTY;
    // The writer may have published between the two loads, and then closed.
    return this.#seesMore() ? EMPTY : CLOSED_OUTCOME;
  }

  /** Returns whether the writer has overwritten nothing from `#position` on until now. */
  #isIntact(): boolean {
    return this.#ring.oldest.loadLast() <= this.#position; // .. P1 after every byte was read
  }

  #advance(length: number): void {
    const units = unitsOf(length);
    this.#position += units;
    this.#offset = offsetAfter(this.#ring, this.#offset, units);
    this.#sequence++;
    this.#payload = addPayload(this.#payload, length);
  }

  /** Continues after the overwritten messages; returns the extent of the loss. */
  #recover(): Lost {
    const { messages, bytes } = this.#jump(this.#afterLoss);
    this.#lostMessages += messages;
    this.#lostBytes += bytes;
    return { state: "lost", messages, bytes };
  }

  /** Moves to an intact head; returns the number of skipped messages and bytes. */
  #jump(where: "oldest" | "newest" | "now"): { messages: number; bytes: number } {
    const ring = this.#ring;
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
    const ring = this.#ring;
    const oldest = ring.oldest.load();
    const published = ring.published.load();
    const valid = isCount(published, LAST_POSITION) && isCount(oldest, published);
    if (!valid) {
      if (oldest > published && ring.published.load() !== published) return undefined;
      throw corruptRing(ring, `its positions are ${oldest} and ${published}`);
    }
    let found = where === "oldest" ? oldest : published;
    this.#head.load(ring, found % ring.units * UNIT);
    if (where === "newest" && ring.oldest.loadLast() <= found) {
      const { previous } = this.#head;
      if (isCount(previous, published) && previous >= oldest) {
        found = previous;
        this.#head.load(ring, found % ring.units * UNIT);
      }
    }
    return ring.oldest.loadLast() <= found ? found : undefined;
  }

  #writerClosed(): boolean {
    return !this.#keepOpen && this.#ring.writer.state.load() === SeatState.closed;
  }

  #writerIsDead(): boolean {
    const { writer, region } = this.#ring;
    return !this.#keepOpen && presenceIn(region, writer) === "dead"; // C3
  }

  #checkFree(): void {
    this.#ring.region.checkOpen();
    if (!this.#polls) return;
    throw new VringError(
      `Cannot read from ${this.#ring.what}: a message is still in use; let poll() return first`,
    );
  }
}
