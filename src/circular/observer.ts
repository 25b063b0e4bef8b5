/**
 * Observing a circular buffer without any right to write; circular_buffer.ts explains the
 * algorithm, and region/observed.ts how an observer follows a name.
 *
 * A reader stores nothing but a raised bell, so an observer reads as a reader does. It waits on a
 * bell of its own (wait/observing.ts), and nobody can tell that it is there.
 *
 * @module
 */

import { checkWaits, inWords } from "../arguments.ts";
import { ClosedError, CorruptRegionError } from "../errors.ts";
import { Observed, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import { arrived, type Condition, type Waiter } from "../wait/condition.ts";
import { iterate, type Step } from "../wait/iterate.ts";
import { observing } from "../wait/observing.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { ringOf } from "./circular_buffer.ts";
import { Cursor, type Losses } from "./cursor.ts";
import { checkedBuffer, observeBuffer } from "./geometry.ts";
import { type Found, lostError, type ReadIntoOutcome, type ReadOutcome } from "./outcome.ts";

/** How to open a {@linkcode CircularBufferObserver}. */
export interface CircularBufferObserverOptions {
  /**
   * The first message to read of a buffer that exists already: the oldest (the default), the
   * newest, or the first that is written from now on. A buffer that comes later is read from its
   * beginning.
   */
  start?: "oldest" | "newest" | "now" | undefined;
  /** The message to continue at after a loss: the oldest (the default) or the newest. */
  afterLoss?: "oldest" | "newest" | undefined;
  /** Also observes a buffer that belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** A buffer under observation. */
interface Attachment extends Subject {
  readonly cursor: Cursor;
}

const EMPTY = { state: "empty" } as const;

/**
 * Reads a circular buffer without any right to write to it. Nobody sees it as a reader: it neither
 * keeps the buffer alive nor wakes anyone, and it needs only the right to read the file. It may be
 * opened before the buffer exists. When another buffer takes the name, it continues there once it
 * has read the old one. A corrupt buffer causes one CorruptRegionError, and is read no more. A
 * message that it waits for is late by up to a tenth of the wait, at most 64 ms.
 *
 * @example See what a buffer's readers see
 * ```ts
 * import { CircularBufferObserver, CircularBufferWriter } from "@vring/vring";
 *
 * using writer = CircularBufferWriter.open("example-observed", { mode: 0o644 });
 * writer.write(new Uint8Array([1, 2, 3]));
 * using observer = CircularBufferObserver.open("example-observed"); // as another user would
 * const outcome = observer.tryRead();
 * if (outcome.state === "ok") console.log(outcome.message); // Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export class CircularBufferObserver implements Disposable, Waitable {
  /** The name. */
  readonly name: string;
  readonly #what: string;
  readonly #losses: Losses = { messages: 0, bytes: 0 };
  readonly #observed: Observed<Attachment>;
  readonly #waiter: Waiter;

  private constructor(name: string, options: CircularBufferObserverOptions) {
    const { start = "oldest", afterLoss = "oldest", anyOwner } = options;
    this.name = name;
    this.#what = `circular buffer ${inWords(name)}`;
    let opening = true;
    this.#observed = new Observed(() => {
      const region = observeBuffer(name, { anyOwner });
      if (region === undefined || region instanceof Again) return region;
      using stack = new DisposableStack();
      stack.use(region);
      const losses = this.#losses;
      const cursor = new Cursor(ringOf(name, region), {
        start: opening ? start : "first",
        afterLoss,
        losses,
      });
      stack.move();
      return { region, cursor, hasMore: () => cursor.seesMore() };
    });
    opening = false;
    this.#waiter = {
      action: `observe ${this.#what}`,
      conditions: () => [this.#condition()],
      checkOpen: () => this.#checkOpen(),
    };
  }

  /** Observes the buffer of this name, at once or once it exists. */
  static open(name: string, options: CircularBufferObserverOptions = {}): CircularBufferObserver {
    return new CircularBufferObserver(name, checkedBuffer(name, options));
  }

  /** Whether a living writer has the buffer open. */
  get hasWriter(): boolean {
    this.#checkOpen();
    const { current } = this.#observed;
    return current?.region.isHeld(current.cursor.ring.writer.role) ?? false;
  }

  /** The number of buffers of this name that were observed so far; 0 while none has existed. */
  get buffers(): number {
    return this.#observed.regions;
  }

  /** The number of messages that this observer has lost in all. */
  get lostMessages(): number {
    return this.#losses.messages;
  }

  /** The number of bytes in the lost messages. */
  get lostBytes(): number {
    return this.#losses.bytes;
  }

  /** The number of messages written to the current buffer before the one that is read next. */
  get sequence(): number {
    return this.#observed.current?.cursor.sequence ?? 0;
  }

  /** Reads a copy of the next message, or returns `empty`. Never waits. */
  tryRead(): ReadOutcome;
  /** Reads the next message into `target`, or returns `empty`. Never waits. */
  tryRead(target: Uint8Array<ArrayBuffer>): ReadIntoOutcome;
  tryRead(target?: Uint8Array<ArrayBuffer>): ReadOutcome | ReadIntoOutcome {
    this.#checkOpen();
    return this.#read(this.#observed.readable, target) ??
      this.#read(this.#observed.lookEachSlice(), target) ?? EMPTY;
  }

  #read(
    attachment: Attachment | undefined,
    target: Uint8Array<ArrayBuffer> | undefined,
  ): ReadOutcome | ReadIntoOutcome | undefined {
    try {
      return attachment?.cursor.read(target);
    } catch (error) {
      if (error instanceof CorruptRegionError) this.#observed.abandon();
      throw error;
    }
  }

  /** Blocks the thread until a message arrives, and reads it; throws TimeoutError after `timeout`. */
  readSync(options: SyncWaitOptions = {}): Found<ReadOutcome> {
    checkWaits(options);
    const outcome = this.tryRead();
    if (outcome.state !== "empty") return outcome;
    return untilSync(() => arrived(this.tryRead()), this.#waiter, options);
  }

  /** Reads a message once it arrives; rejects with TimeoutError, or with the signal's reason. */
  read(options: WaitOptions = {}): Promise<Found<ReadOutcome>> {
    return until(() => arrived(this.tryRead()), this.#waiter, options);
  }

  /** Iterates over the messages of all writers; throws a LostError after a loss. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    return iterate({ attempt: () => this.#next(), waiter: this.#waiter });
  }

  #next(): Step<Uint8Array<ArrayBuffer>> | undefined {
    const outcome = this.tryRead();
    if (outcome.state === "ok") return { done: false, value: outcome.message };
    if (outcome.state !== "lost") return undefined;
    throw lostError(outcome);
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    return [this.#condition()];
  }

  #condition(): Condition {
    return observing({
      watch: this.#observed.readable?.cursor.ring.publishedLow,
      ready: () => {
        this.#checkOpen();
        return this.#observed.readable?.cursor.seesMore() ?? false;
      },
      look: () => this.#observed.look() !== undefined,
    });
  }

  /** Stops observing. */
  close(): void {
    this.#observed.close();
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#observed.closed) throw new ClosedError(`Cannot use ${this.#what}: it is closed`);
  }
}
