/**
 * Observing a circular buffer without any right to write; circular_buffer.ts explains the
 * algorithm, and region/observed.ts how an observer follows a name.
 *
 * A reader stores nothing but a raised bell, so an observer reads as a reader does. It waits on a
 * bell of its own (wait/observing.ts), so no other party can detect it.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { ClosedError } from "../errors.ts";
import type { Bytes, Type } from "../message.ts";
import { Observed, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import type { Region } from "../region/region.ts";
import type { Condition } from "../wait/condition.ts";
import { observing } from "../wait/observing.ts";
import { ringOf } from "./circular_buffer.ts";
import { Cursor } from "./cursor.ts";
import { type CircularObserverOptions, CircularReceiver } from "./receiver.ts";

/** A buffer under observation. */
interface Attachment extends Subject {
  readonly cursor: Cursor;
}

/** The region that an observer attaches to. */
export interface CircularSubject {
  readonly name: string;
  readonly what: string;
  /** Performs one step of attaching for reading only; returns undefined if the name is unused. */
  attach(): Region | Again | undefined;
}

/**
 * Receives from a circular buffer with only the right to read its file. It neither keeps the buffer
 * alive nor wakes a process. It can open before the buffer exists. When another buffer takes the
 * name, it receives the rest of the old one and continues there. For a corrupt buffer it throws one
 * CorruptRegionError, and reads it no more. It polls, so a message that it waits for is late by up
 * to a tenth of the wait, at most 64 ms.
 */
export class CircularBufferObserver<K extends Type = Bytes> extends CircularReceiver<K> {
  readonly #what: string;
  readonly #observed: Observed<Attachment>;

  /** @ignore */
  constructor(subject: CircularSubject, codec: Codec<unknown>, options: CircularObserverOptions) {
    const { name, what } = subject;
    const { start = "oldest", afterLoss = "oldest", own } = options;
    super(name, what, { codec, own }, { state: () => this.#state() });
    this.#what = what;
    let first: typeof start | "first" = start;
    this.#observed = new Observed(() => {
      const region = subject.attach();
      if (region === undefined || region instanceof Again) return region;
      using stack = new DisposableStack();
      stack.use(region);
      const { losses } = this;
      const cursor = new Cursor(ringOf(name, region), { start: first, afterLoss, losses });
      stack.move();
      return { region, cursor, hasMore: () => !cursor.isCorrupt && cursor.seesMore() };
    });
    first = "first";
  }

  /** The number of living writers: 0 or 1. */
  get peers(): number {
    this.checkOpen();
    this.#observed.lookEachSlice();
    const { current } = this.#observed;
    return Number(current?.region.isHeld(current.cursor.ring.writer.role) ?? false);
  }

  /** The number of buffers of this name that it has found so far, as of the last receive. */
  get buffers(): number {
    return this.#observed.regions;
  }

  /** The number of messages written to the current buffer before the one that is received next. */
  get sequence(): number {
    return this.#observed.current?.cursor.sequence ?? 0;
  }

  /** Always false: another writer or another buffer may follow. */
  get ended(): boolean {
    this.checkOpen();
    return false;
  }

  /** Whether this handle is closed. */
  get closed(): boolean {
    return this.#observed.closed;
  }

  /** Stops observing. */
  close(): void {
    this.#observed.close();
  }

  /** @ignore */
  protected find(): Cursor | undefined {
    const found = this.#seen() ?? (this.#observed.lookEachSlice() && this.#seen());
    if (found === undefined) this.#observed.checkWhole();
    return found;
  }

  /** @ignore */
  protected checkOpen(): void {
    if (this.closed) throw new ClosedError(`Cannot use ${this.#what}: it is closed`);
  }

  /** @ignore */
  protected condition(): Condition {
    return observing({
      watch: this.#cursor()?.ring.publishedLow,
      ready: () => {
        this.checkOpen();
        const seesMore = this.#cursor()?.seesMore() ?? false;
        if (!seesMore) this.#observed.checkWhole();
        return seesMore;
      },
      look: () => this.#observed.look() !== undefined,
    });
  }

  /** The cursor, unless its buffer is corrupt. */
  #cursor(): Cursor | undefined {
    const cursor = this.#observed.current?.cursor;
    return cursor?.isCorrupt ? undefined : cursor;
  }

  #seen(): Cursor | undefined {
    const cursor = this.#cursor();
    return cursor?.hasNext() ? cursor : undefined;
  }

  #state(): string {
    if (this.#observed.current === undefined) return "it does not exist";
    return this.peers === 0 ? "it has no writer" : "its writer has sent nothing new";
  }
}
