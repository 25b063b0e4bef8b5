/**
 * The reading end of a circular buffer; circular_buffer.ts explains the algorithm.
 *
 * @module
 */

import { checkHandler, checkLimit, checkWaits, isTarget } from "../arguments.ts";
import { PeerLostError, VringError } from "../errors.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { longestMessage, type Ring } from "./circular_buffer.ts";
import { Cursor, type Losses } from "./cursor.ts";
import { checkedBuffer, type CircularBufferOptions, openBuffer, unlinkBuffer } from "./geometry.ts";
import {
  type Found,
  lostError,
  type NoMessage,
  type Polled,
  type ReadIntoOutcome,
  type ReadOutcome,
} from "./outcome.ts";

/** How to open a {@linkcode CircularBufferReader}. */
export interface CircularBufferReaderOptions extends CircularBufferOptions {
  /**
   * The first message to read: the oldest in the buffer (the default), the newest, or the first
   * that is written from now on.
   */
  start?: "oldest" | "newest" | "now" | undefined;
  /** The message to continue at after a loss: the oldest (the default) or the newest. */
  afterLoss?: "oldest" | "newest" | undefined;
  /**
   * Keeps waiting for another writer when this one has closed or died. By default a reader that has
   * read everything gets `closed`, or a PeerLostError from `read` and `readSync`.
   */
  keepOpen?: boolean | undefined;
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
  readonly #cursor: Cursor;
  readonly #losses: Losses = { messages: 0, bytes: 0 };
  readonly #keepOpen: boolean;
  readonly #condition: Condition;
  readonly #waiter: Waiter;
  #polls = false; // a poll is showing the next message to its handler

  private constructor(ring: Ring, options: CircularBufferReaderOptions) {
    this.name = ring.name;
    this.capacity = ring.capacity;
    this.maxMessage = longestMessage(ring.capacity);
    this.#ring = ring;
    const { start = "oldest", afterLoss = "oldest" } = options;
    const cursor = this.#cursor = new Cursor(ring, { start, afterLoss, losses: this.#losses });
    this.#keepOpen = options.keepOpen ?? false;
    this.#condition = {
      bell: ring.bell,
      watch: ring.publishedLow,
      ready: () => cursor.seesMore() || this.#writerClosed(),
      // Only once the last messages of the dead writer are read.
      beforeSleep: () => this.#writerIsDead() && !cursor.seesMore() ? "lost" : undefined,
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
    return this.#losses.messages;
  }

  /** The number of bytes in the lost messages. */
  get lostBytes(): number {
    return this.#losses.bytes;
  }

  /** The number of messages written before the one that is read next. */
  get sequence(): number {
    return this.#cursor.sequence;
  }

  /** Reads a copy of the next message, or reports that the buffer has none. Never waits. */
  tryRead(): ReadOutcome;
  /** Reads the next message into `target`, or reports that the buffer has none. Never waits. */
  tryRead(target: Uint8Array<ArrayBuffer>): ReadIntoOutcome;
  tryRead(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome {
    this.#checkFree();
    return this.#cursor.read(target) ?? this.#nothing();
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
    const outcome = this.#attempt(target);
    if (outcome.state !== "empty") return outcome;
    return untilSync(() => arrived(this.#attempt(target)), this.#waiter, options);
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
    return until(() => arrived(this.#attempt(target)), this.#waiter, options);
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
    const cursor = this.#cursor;
    let handled = 0;
    while (handled < limit) {
      this.#checkFree();
      const length = cursor.nextLength() ?? this.#nothing();
      if (typeof length === "object") return { handled, state: length.state };
      this.#show(handler, length);
      if (!this.#ring.region.mapping.usable) return { handled, state: "closed" };
      if (!cursor.isIntact()) {
        cursor.recover();
        return { handled, state: "lost" };
      }
      cursor.advance(length);
      handled++;
    }
    return { handled, state: "ok" };
  }

  #show(handler: (message: Uint8Array, sequence: number) => void, length: number): void {
    const message = this.#cursor.peek(length);
    this.#polls = true;
    try {
      handler(message, this.#cursor.sequence);
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
    throw lostError(outcome);
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

  #attempt(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome {
    return target === undefined ? this.tryRead() : this.tryRead(target);
  }

  /** Returns the outcome at `published`: a loss shows here too, as the next head is written. */
  #nothing(): NoMessage {
    if (!this.#writerClosed()) return EMPTY;
    // The writer may have published between the two loads, and then closed.
    return this.#cursor.seesMore() ? EMPTY : CLOSED_OUTCOME;
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
