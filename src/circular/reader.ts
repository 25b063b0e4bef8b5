/**
 * The reading end of a circular buffer; circular_buffer.ts explains the algorithm.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import type { HandleOptions } from "../definition.ts";
import { PeerLostError } from "../errors.ts";
import type { Bytes, Type } from "../message.ts";
import { withNamesakes } from "../region/list.ts";
import { presenceIn, SeatState } from "../region/seats.ts";
import type { Condition } from "../wait/condition.ts";
import { longestMessage, type Ring } from "./circular_buffer.ts";
import { Cursor } from "./cursor.ts";
import { type CircularObserverOptions, CircularReceiver } from "./receiver.ts";

/** The options of a reader. */
export interface CircularReaderOptions extends HandleOptions, CircularObserverOptions {
  /**
   * Whether to end after the last message of a writer that closed or died ("end", the default), or
   * to wait for another writer ("wait"). With "end", a death throws a PeerLostError.
   */
  onPeerGone?: "wait" | "end" | undefined;
}

/** Receives every message of a circular buffer, or learns exactly how many it lost. */
export class CircularBufferReader<K extends Type = Bytes> extends CircularReceiver<K> {
  /** The capacity in bytes, including the 32-byte head of each message. */
  readonly capacity: number;
  /** The length of the longest possible message, in bytes. */
  readonly maxMessage: number;
  readonly #ring: Ring;
  readonly #cursor: Cursor;
  readonly #ends: boolean;
  readonly #condition: Condition;

  /** @ignore */
  constructor(ring: Ring, codec: Codec<unknown>, options: CircularReaderOptions) {
    super(ring.name, ring.what, { codec, own: options.own }, {
      state: () =>
        this.peers === 0
          ? withNamesakes("it has no writer", ring.name)
          : "its writer has sent nothing new",
      lost: () => {
        throw new PeerLostError(
          `Cannot receive from ${ring.what}: its writer died; receive again when it has another ` +
            'one, or pass onPeerGone: "wait"',
        );
      },
    });
    this.capacity = ring.capacity;
    this.maxMessage = longestMessage(ring.capacity);
    this.#ring = ring;
    const { start = "oldest", afterLoss = "oldest", onPeerGone = "end" } = options;
    const cursor = this.#cursor = new Cursor(ring, { start, afterLoss, losses: this.losses });
    this.#ends = onPeerGone === "end";
    this.#condition = {
      bell: ring.bell,
      watch: ring.publishedLow,
      isSteady: true,
      ready: () => cursor.seesMore() || this.#writerHasClosed(),
      // Only once the last messages of the dead writer are read.
      beforeSleep: () => this.#writerIsDead() && !cursor.seesMore() ? "lost" : undefined,
    };
  }

  /** The number of living writers: 0 or 1. A killed writer can be replaced. */
  get peers(): number {
    return Number(this.#ring.region.isHeld(this.#ring.writer.role));
  }

  /** The number of messages written before the one that is received next. */
  get sequence(): number {
    return this.#cursor.sequence;
  }

  /** Whether the writer closed and all was received; always false with onPeerGone "wait". */
  get ended(): boolean {
    this.checkOpen();
    // The writer may have published between two loads, and then closed: look at its messages last.
    const ended = this.#writerHasClosed() && !this.#cursor.seesMore();
    this.#ring.mapping.checkWhole();
    return ended;
  }

  /** Whether this handle is closed. */
  get closed(): boolean {
    return this.#ring.region.closed;
  }

  /** Closes the reader and detaches from the buffer. */
  close(): void {
    this.#ring.region.close();
  }

  /** @ignore */
  protected find(): Cursor | undefined {
    return this.#cursor.hasNext() ? this.#cursor : undefined;
  }

  /** @ignore */
  protected checkOpen(): void {
    this.#ring.region.checkOpen();
  }

  /** @ignore */
  protected condition(): Condition {
    return this.#condition;
  }

  #writerHasClosed(): boolean {
    return this.#ends && this.#ring.writer.state.load() === SeatState.closed;
  }

  #writerIsDead(): boolean {
    const { writer, region } = this.#ring;
    return this.#ends && presenceIn(region, writer) === "dead"; // C3
  }
}
