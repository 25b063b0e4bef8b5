/**
 * The receiving end of a ring from one producer to one consumer.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { type Codec, codec } from "../layout/codec.ts";
import {
  type Awaited,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../sync/waiter.ts";
import { unlinkRing } from "./attach.ts";
import { LaneReceiver } from "./lane.ts";
import { longestRecord, readRecord, recordBytes, recordLength, showRecord } from "./record.ts";
import { SPSC, SpscEnd } from "./spsc.ts";
import type { SpscOptions } from "./spsc_producer.ts";

/** What a consumer finds in place of a message. */
export type Nothing =
  /** Nothing is there now. */
  | { state: "empty" }
  /** Nothing is there, and the producer has closed. */
  | { state: "closed" };

/** What receiving a value gives. */
export type ReceiveOutcome<T> =
  /** The value. `redelivered` if a consumer that died may have seen it already. */
  | { state: "ok"; value: T; redelivered: boolean }
  | Nothing;

/** What taking a message in place gives. */
export type TakeOutcome = { state: "ok"; sample: TakenMessage } | Nothing;

/** A message in place: it stays in the ring until it is disposed. */
export interface TakenMessage extends Disposable {
  /** The payload, in shared memory; empty once it was disposed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a consumer that died may have seen it already. */
  readonly redelivered: boolean;
}

const EMPTY = { state: "empty" } as const;
const CLOSED = { state: "closed" } as const;

/** The one consumer of a ring. */
export class SpscConsumer<T = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included. */
  readonly capacity: number;
  /** The longest message that can come, in bytes. */
  readonly maxMessage: number;
  readonly #end: SpscEnd;
  readonly #lane: LaneReceiver;
  readonly #codec: Codec<T>;
  readonly #awaited: Awaited;
  #taken: TakenMessage | undefined;

  private constructor(end: SpscEnd, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = end.capacity;
    this.maxMessage = longestRecord(end.capacity);
    this.#end = end;
    this.#lane = new LaneReceiver(end.place);
    this.#codec = codec;
    this.#awaited = {
      bell: end.place.dataBell,
      watch: this.#lane.head,
      ready: () => this.#lane.look() > 0 || end.peerHasClosed(),
      hopeless: () => end.isHopeless() && this.#lane.look() === 0, // drained, also of the last words
    };
  }

  /** Opens a ring of bytes, or makes it, as its consumer; RoleTakenError if it has a living one. */
  static open(
    name: string,
    options?: SpscOptions<Uint8Array<ArrayBuffer>>,
  ): SpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Opens a ring of values, or makes it, as its consumer; RoleTakenError if it has a living one. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscConsumer<T>;
  static open<T>(name: string, options: SpscOptions<T> = {}): SpscConsumer<T> {
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    using stack = new DisposableStack();
    const end = stack.use(SpscEnd.open(name, "consumer", options, chosen.type));
    const consumer = new SpscConsumer(end, chosen);
    stack.move();
    return consumer;
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return unlinkRing(SPSC, name);
  }

  /** How many bytes lie in the ring, unread. */
  get available(): number {
    this.#end.checkOpen();
    return this.#lane.look();
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.available;
  }

  /** Receives a value, if there is one. Never waits. */
  tryReceive(): ReceiveOutcome<T> {
    const length = this.#nextLength();
    if (length < 0) return this.#nothing();
    const bytes = new Uint8Array(length);
    const { redelivered } = this.#lane;
    readRecord(this.#lane, bytes, length);
    this.#lane.release(recordBytes(length));
    return { state: "ok", value: this.#codec.decode(bytes), redelivered };
  }

  /**
   * Copies a message into `target`, if there is one, and gives its length: nothing is allocated.
   * -1 if there is none. A RangeError if the target is too small, and the message stays.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const length = this.#nextLength();
    if (length < 0) return -1;
    if (length > target.length) {
      throw new RangeError(
        `Cannot receive into ${target.length} bytes: the message has ${length}`,
      );
    }
    readRecord(this.#lane, target, length);
    this.#lane.release(recordBytes(length));
    return length;
  }

  /** Receives a value, and blocks the thread until there is one. */
  receiveSync(options: SyncWaitOptions = {}): Exclude<ReceiveOutcome<T>, { state: "empty" }> {
    for (;;) {
      const outcome = this.tryReceive();
      if (outcome.state !== "empty") return outcome;
      this.waitSync(options);
    }
  }

  /** Receives a value once there is one. */
  async receive(
    options: WaitOptions = {},
  ): Promise<Exclude<ReceiveOutcome<T>, { state: "empty" }>> {
    for (;;) {
      const outcome = this.tryReceive();
      if (outcome.state !== "empty") return outcome;
      await this.wait(options);
    }
  }

  /** Blocks the thread until there is a message, or the producer has closed. */
  waitSync(options: SyncWaitOptions = {}): void {
    this.#end.checkOpen();
    this.#end.checkWait(waitSync(this.#awaited, options), "receive from", options);
  }

  /** Resolves once there is a message, or the producer has closed. */
  async wait(options: WaitOptions = {}): Promise<void> {
    this.#end.checkOpen();
    this.#end.checkWait(await wait(this.#awaited, options), "receive from", options);
  }

  /** Takes a message in place, if there is one; it stays in the ring until it is disposed. */
  tryTake(): TakeOutcome {
    if (this.#taken !== undefined) {
      throw new VringError("Cannot take a message: the last one is not disposed; use `using`");
    }
    const length = this.#nextLength();
    if (length < 0) return this.#nothing();
    const size = recordBytes(length);
    const { redelivered } = this.#lane;
    this.#lane.take(size); // before it is shown: if this consumer dies now, it may have been seen
    const shown = showRecord(this.#lane, length);
    const dispose = () => {
      if (this.#taken !== sample) return;
      this.#taken = undefined;
      if (!this.#end.closed) this.#lane.release(size);
    };
    const held = () => this.#taken === sample;
    const sample: TakenMessage = {
      get bytes() {
        return held() ? shown : shown.subarray(0, 0);
      },
      redelivered,
      [Symbol.dispose]: dispose,
    };
    this.#taken = sample;
    return { state: "ok", sample };
  }

  /**
   * Shows messages in place, without a copy, until there is none or `limit` is reached; they are
   * released together at the end, also if the handler throws. Gives how many there were.
   */
  poll(handler: (message: Uint8Array, redelivered: boolean) => void, limit = Infinity): number {
    this.#end.checkOpen();
    const lane = this.#lane;
    let count = 0;
    try {
      while (count < limit) {
        const length = recordLength(lane);
        if (length < 0) break;
        const size = recordBytes(length);
        lane.take(Math.max(size, lane.available(size))); // once a batch: everything there is
        const message = showRecord(lane, length);
        const { redelivered } = lane;
        lane.advance(size);
        count++;
        handler(message, redelivered);
      }
    } finally {
      if (count > 0) lane.announce();
    }
    return count;
  }

  /** Every value from here on, until the producer closes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const outcome = await this.receive();
      if (outcome.state === "closed") return;
      yield outcome.value;
    }
  }

  /** A stream of the values; cancelling it closes this end. */
  toReadableStream(): ReadableStream<T> {
    return new ReadableStream<T>({
      pull: async (controller) => {
        const outcome = await this.receive();
        if (outcome.state === "closed") controller.close();
        else controller.enqueue(outcome.value);
      },
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
  }

  /** Leaves; what was not read stays for the next consumer, while the ring lives. */
  close(): void {
    this.#end.close(this.#lane.spaceBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #nextLength(): number {
    this.#end.checkOpen();
    return recordLength(this.#lane);
  }

  /** The producer may have published between the look at the ring and the one at its word. */
  #nothing(): Nothing {
    if (!this.#end.peerHasClosed()) return EMPTY;
    return this.#lane.look() > 0 ? EMPTY : CLOSED;
  }
}
