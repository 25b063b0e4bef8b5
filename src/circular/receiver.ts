/**
 * The common part of readers and observers: receiving copies, polling in place, waiting and loops.
 *
 * The writer may overwrite a message while a receiver reads it. So the receiver validates a copy
 * after its last byte (P1). If the copy may be torn, it moves on and adds up the messages that it
 * lost. `poll()` validates a message after its handler has returned.
 *
 * @module
 */

import { lossOf, Receiver } from "../receiver.ts";
import { checkReturned, checkSyncWaits } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import type { Codec } from "../codec.ts";
import { VringError } from "../errors.ts";
import { Landing } from "../landing.ts";
import type { Bytes, Message, Type, Value } from "../message.ts";
import { CONDITIONS } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { type Cursor, type Losses, LOST } from "./cursor.ts";
import { OverwrittenError, Polled, type PolledMessage } from "./polled.ts";

/** The options that readers and observers share. */
export interface CircularObserverOptions {
  /**
   * The first message to receive: the oldest in the buffer (the default), the newest, or the first
   * that is written from now on. An observer reads a buffer that is created later from its
   * beginning.
   */
  start?: "oldest" | "newest" | "now" | undefined;
  /** The message to continue at after a loss: the oldest (the default) or the newest. */
  afterLoss?: "oldest" | "newest" | undefined;
  /** Gives each received array of bytes a buffer of its own; by default short ones share one. */
  own?: boolean | undefined;
}

/** A writer that laps a receiver so often during one call leaves it nothing to receive now. */
const MOST_LAPS = 16;

/** Receives messages from a circular buffer: the base of readers and observers. */
export abstract class CircularReceiver<K extends Type = Bytes> extends Receiver<K, Message<K>> {
  readonly #what: string;
  readonly #codec: Codec<unknown>;
  readonly #landing: Landing;
  readonly #losses: Losses = { messages: 0, bytes: 0 };
  readonly #polled: Polled<K>;
  #told = 0; // the lost messages that the caller has learned of
  #isPolling = false; // a handler of poll() is running
  readonly #looking = () => this.#look();

  /** @ignore */
  constructor(
    name: string,
    what: string,
    { codec, own }: { readonly codec: Codec<unknown>; readonly own?: boolean | undefined },
    waiter: Pick<Waiter, "state" | "lost">,
  ) {
    super({
      name,
      what,
      peerName: "writer",
      waiter: {
        ...waiter,
        action: `receive from ${what}`,
        conditions: () => [this.condition()],
        busy: () => this.#isPolling,
        checkOpen: () => this.#checkFree(),
      },
    });
    this.#what = what;
    this.#codec = codec;
    this.#landing = new Landing({ own });
    this.#polled = new Polled<K>(codec, what);
  }

  /** Returns the cursor if a message is at it.
   * @ignore */
  protected abstract find(): Cursor | undefined;
  /** Throws a ClosedError once this handle is closed.
   * @ignore */
  protected abstract checkOpen(): void;
  /** Returns the condition for one wait.
   * @ignore */
  protected abstract condition(): Condition;

  /** The number of messages written to the buffer before the one that is received next. */
  abstract get sequence(): number;

  /** @ignore */
  protected get losses(): Losses {
    return this.#losses;
  }

  /** The number of messages that this handle has lost in all. */
  get lost(): number {
    return this.#losses.messages;
  }

  /** The number of bytes in the lost messages. */
  get lostBytes(): number {
    return this.#losses.bytes;
  }

  /**
   * Receives a copy of the next message; returns undefined when none is there. Never waits. If the
   * type cannot decode the message, throws that error; the message is gone.
   */
  tryReceive(): Message<K> | undefined {
    return this.#receive(false);
  }

  /** @ignore */
  protected override receiveWhole(): Message<K> | undefined {
    return this.#receive(true);
  }

  /**
   * Copies the next message into `target` without allocating and returns its length, or -1 when none
   * is there. Throws a RangeError if the target is too small; the message stays next.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.#what);
    for (let laps = 0; laps < MOST_LAPS; laps++) {
      const cursor = this.#next();
      if (cursor === undefined) return -1;
      let length = cursor.nextLength();
      if (length > space) {
        if (cursor.isIntact()) throw this.tooLong(length, space);
        length = cursor.recover();
      }
      if (length === LOST || cursor.read(target, length) === LOST) continue;
      this.#told = this.#losses.messages;
      return length;
    }
    return -1;
  }

  /** Blocks until a message is there and returns true; returns false once `ended`. */
  waitSync(options?: SyncWaitOptions): boolean {
    if (options !== undefined) checkSyncWaits(options);
    return this.#look() ?? untilSync(this.#looking, this.waiter, options);
  }

  /** Resolves with true once a message is there, or with false once `ended`. */
  wait(options?: WaitOptions): Promise<boolean> {
    return until(this.#looking, this.waiter, options);
  }

  /**
   * Calls the handler with up to `limit` messages in place, and returns the number that stayed
   * intact until it returned. If the writer overwrites a message meanwhile, the poll ends and that
   * message does not count: discard the results of the handler's last call. Every call gets the
   * same object. The handler cannot receive from this handle. It may close it, which ends the poll
   * and does not count that message.
   */
  poll(handler: (message: PolledMessage<K>) => void, limit?: number): number {
    if (limit === undefined) limit = Infinity;
    this.checkPoll(handler, limit);
    this.#checkFree();
    let handled = 0;
    for (let laps = 0; handled < limit && laps < MOST_LAPS;) {
      const cursor = this.find();
      if (cursor === undefined) break;
      const length = cursor.nextLength();
      if (length === LOST) laps++;
      else if (this.#show(cursor, length, handler)) handled++;
      else break;
    }
    return handled;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkFree();
    return [this.condition()];
  }

  #receive(throwsLost: boolean): Message<K> | undefined {
    for (let laps = 0; laps < MOST_LAPS; laps++) {
      if (throwsLost && this.#losses.messages > this.#told) throw lossOf(this.#tell(), this.#what);
      const cursor = this.#next();
      if (cursor === undefined) return undefined;
      const length = cursor.nextLength();
      if (length === LOST) continue;
      const bytes = this.#landing.arrayFor(length, this.#codec);
      if (cursor.read(bytes, length) === LOST) continue;
      const { sequence } = cursor;
      const lost = this.#tell();
      return { value: this.#landing.decode(this.#codec, bytes) as Value<K>, sequence, lost };
    }
    return undefined;
  }

  /** Returns the number of messages lost since the caller last learned of a loss. */
  #tell(): number {
    const lost = this.#losses.messages - this.#told;
    this.#told = this.#losses.messages;
    return lost;
  }

  #look(): boolean | undefined {
    return this.#next() !== undefined || (this.ended ? false : undefined);
  }

  #next(): Cursor | undefined {
    this.#checkFree();
    const cursor = this.find();
    if (cursor !== undefined) return cursor;
    this.checkOpen(); // again: it may have found zeros
    return this.nothing();
  }

  /** Shows a message to a handler; returns whether it stayed intact. */
  #show(cursor: Cursor, length: number, handler: (message: PolledMessage<K>) => void): boolean {
    const polled = this.#polled;
    polled.show(cursor, length, this.#losses.messages - this.#told);
    this.#isPolling = true;
    try {
      const result: unknown = handler(polled);
      if (result !== undefined) checkReturned(result, "poll", this.#what);
    } catch (error) {
      this.#failed(error);
    }
    this.#isPolling = false;
    polled.hide();
    const { mapping } = cursor.ring;
    mapping.checkWhole();
    if (!mapping.usable) return false;
    if (!cursor.isIntact()) {
      cursor.recover();
      return false;
    }
    cursor.advance(length);
    this.#told = this.#losses.messages;
    return true;
  }

  /** Throws what a handler has thrown, unless it asked for a value that was overwritten. */
  #failed(error: unknown): void {
    if (error instanceof OverwrittenError) return;
    this.#isPolling = false;
    this.#polled.hide();
    throw error;
  }

  #checkFree(): void {
    this.checkOpen();
    if (this.#isPolling) throw this.#busy();
  }

  #busy(): VringError {
    return new VringError(
      `Cannot receive from ${this.#what}: a message is still in use; let poll() return first`,
    );
  }
}
