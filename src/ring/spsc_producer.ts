/**
 * The sending end of a ring from one producer to one consumer.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { type Codec, codec } from "../layout/codec.ts";
import { claimView, commitView } from "../memory/word.ts";
import {
  type Awaited,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../sync/waiter.ts";
import { type RingOptions, unlinkRing } from "./attach.ts";
import { LaneSender } from "./lane.ts";
import { finishRecord, longestRecord, payloadOffset, recordBytes, writeRecord } from "./record.ts";
import { SPSC, SpscEnd } from "./spsc.ts";

/** How to open an end of a ring from one producer to one consumer. */
export interface SpscOptions<T> extends RingOptions {
  /** How values become messages; bytes as they are by default. Both ends must say the same. */
  codec?: Codec<T>;
  /** Wait on when the other end has closed or died, for another one to come. */
  keepOpen?: boolean;
}

/** The one producer of a ring. */
export class SpscProducer<T = Uint8Array> implements Disposable {
  /** The name. */
  readonly name: string;
  /** How many bytes the ring holds, 8 for each message included. */
  readonly capacity: number;
  /** The longest message that fits, in bytes. */
  readonly maxMessage: number;
  readonly #end: SpscEnd;
  readonly #lane: LaneSender;
  readonly #codec: Codec<T>;
  #claim: Uint8Array<ArrayBuffer> | undefined;
  #wanted = 0; // bytes that the present wait is for
  readonly #awaited: Awaited;

  private constructor(end: SpscEnd, codec: Codec<T>) {
    this.name = end.name;
    this.capacity = end.capacity;
    this.maxMessage = longestRecord(end.capacity);
    this.#end = end;
    this.#lane = new LaneSender(end.place);
    this.#codec = codec;
    this.#awaited = {
      bell: this.#lane.spaceBell,
      watch: this.#lane.tail,
      ready: () => this.#lane.hasRoom(this.#wanted),
      hopeless: () => end.isHopeless(),
    };
  }

  /** Opens a ring of bytes, or makes it, as its producer; RoleTakenError if it has a living one. */
  static open(name: string, options?: SpscOptions<Uint8Array>): SpscProducer<Uint8Array>;
  /** Opens a ring of values, or makes it, as its producer; RoleTakenError if it has a living one. */
  static open<T>(name: string, options: SpscOptions<T> & { codec: Codec<T> }): SpscProducer<T>;
  static open<T>(name: string, options: SpscOptions<T> = {}): SpscProducer<T> {
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    using stack = new DisposableStack();
    const end = stack.use(SpscEnd.open(name, "producer", options, chosen.type));
    const producer = new SpscProducer(end, chosen);
    stack.move();
    return producer;
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return unlinkRing(SPSC, name);
  }

  /** How many bytes lie in the ring, unread. */
  get available(): number {
    return this.#lane.used;
  }

  /** How many bytes are free. */
  get free(): number {
    return this.capacity - this.#lane.used;
  }

  /** Sends a value if there is room; false if there is not. Never waits. */
  trySend(value: T): boolean {
    const message = this.#codec.encode(value);
    if (!this.#hasRoom(message.length)) return false;
    writeRecord(this.#lane, message);
    this.#lane.announce();
    return true;
  }

  /** Sends a value, and blocks the thread until there is room. */
  sendSync(value: T, options: SyncWaitOptions = {}): void {
    while (!this.trySend(value)) this.#waitSync(options);
  }

  /** Sends a value once there is room. */
  async send(value: T, options: WaitOptions = {}): Promise<void> {
    while (!this.trySend(value)) await this.#wait(options);
  }

  /** Sends as many of the values as there is room for, all visible at once; gives how many. */
  sendBatch(values: Iterable<T>): number {
    let sent = 0;
    for (const value of values) {
      const message = this.#codec.encode(value);
      if (!this.#hasRoom(message.length)) break;
      writeRecord(this.#lane, message);
      sent++;
    }
    if (sent > 0) this.#lane.announce();
    return sent;
  }

  /** Space in the ring for a message of up to `length` bytes; undefined if there is no room. */
  tryClaim(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#hasRoom(length)) return undefined;
    return this.#claim = claimView(this.#end.place.mapping, payloadOffset(this.#lane), length);
  }

  /** The same, and blocks the thread until there is room. */
  claimSync(length: number, options: SyncWaitOptions = {}): Uint8Array<ArrayBuffer> {
    for (;;) {
      const view = this.tryClaim(length);
      if (view !== undefined) return view;
      this.#waitSync(options);
    }
  }

  /** The same, once there is room. */
  async claim(length: number, options: WaitOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const view = this.tryClaim(length);
      if (view !== undefined) return view;
      await this.#wait(options);
    }
  }

  /** Sends the first `length` bytes of the claimed space as a message. */
  publish(length?: number): void {
    this.#end.checkOpen();
    const claim = this.#claim;
    if (claim === undefined) throw new VringError("Cannot publish: nothing is claimed");
    const published = length ?? claim.length;
    if (!Number.isInteger(published) || published < 0 || published > claim.length) {
      throw new RangeError(`Cannot publish ${published} bytes: ${claim.length} are claimed`);
    }
    const view = claim.subarray(0, published);
    commitView(this.#end.place.mapping, payloadOffset(this.#lane), view);
    finishRecord(this.#lane, published);
    this.#lane.announce();
    this.#claim = undefined;
  }

  /** Gives the claimed space up. */
  discard(): void {
    this.#claim = undefined;
  }

  /** A stream into the ring, which takes no more than fits; closing it closes this end. */
  toWritableStream(): WritableStream<T> {
    return new WritableStream<T>({
      write: (value) => this.send(value),
      close: () => this.close(),
      abort: () => this.close(),
    }, { highWaterMark: 0 });
  }

  /** Says that nothing more comes; the consumer drains what is there. */
  close(): void {
    this.#end.close(this.#end.place.dataBell);
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether a message of this length fits now; a claim that was not published is given up. */
  #hasRoom(length: number): boolean {
    this.#end.checkOpen();
    if (!Number.isInteger(length) || length < 0 || length > this.maxMessage) {
      throw new RangeError(
        `Cannot send ${length} bytes through ring "${this.name}": of its ${this.capacity} bytes ` +
          `a message can have ${this.maxMessage}; make it larger`,
      );
    }
    this.#claim = undefined;
    this.#wanted = recordBytes(length);
    return this.#lane.hasRoom(this.#wanted);
  }

  #waitSync(options: SyncWaitOptions): void {
    this.#end.checkWait(waitSync(this.#awaited, options), "send through", options);
  }

  async #wait(options: WaitOptions): Promise<void> {
    const wanted = this.#wanted;
    const ready = () => this.#lane.hasRoom(wanted);
    const outcome = await wait({ ...this.#awaited, ready }, options);
    this.#end.checkWait(outcome, "send through", options);
  }
}
