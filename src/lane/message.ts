/**
 * Messages of rings as a consumer delivers them: copies, and messages in place.
 *
 * @module
 */

import { InPlace } from "../in_place.ts";
import type {
  Bytes,
  Message,
  MessageInPlace,
  TakenMessage,
  Type,
  Value,
  View,
} from "../message.ts";
import { peekView } from "../memory/word.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LaneReceiver } from "./lane.ts";
import { RECORD_HEADER } from "./record.ts";

/** A type of messages as the handles use it. */
export type AnyCodec = Exclude<Type, string>;

/** A message that a ring delivers. */
export interface RingMessage<K extends Type = Bytes> extends Message<K> {
  /**
   * Whether a consumer may have seen this message before: one that died, or this one, which did not
   * acknowledge it.
   */
  readonly redelivered: boolean;
}

/** A message that a ring shows in place. */
export interface ShownMessage<K extends Type = Bytes> extends RingMessage<K>, MessageInPlace<K> {}

/**
 * A message in place, which stays in the ring until you acknowledge it. If you dispose it first, or
 * the consumer dies, it is delivered again.
 */
export interface TakenRingMessage<K extends Type = Bytes> extends TakenMessage<K>, ShownMessage<K> {
  /**
   * Acknowledges the message: it leaves the ring and is not delivered again. Throws a VringError if
   * it was acknowledged or disposed before.
   */
  ack(): void;
}

/**
 * Messages in place, which stay in the ring until you acknowledge them. Once the batch is disposed,
 * the ring delivers the others again, to this consumer or to the next one.
 */
export interface MessageBatch<K extends Type = Bytes, F = unknown>
  extends Disposable, Iterable<ShownMessage<K> & F> {
  /** The number of messages. */
  readonly length: number;
  /**
   * Acknowledges the first `count` messages that are left, by default all: they are not delivered
   * again. Throws a RangeError if fewer are left, and a VringError once the batch is disposed. A
   * consumer that dies during the call may have
   * acknowledged the messages of some producers only.
   */
  ack(count?: number): void;
}

/** The receiver's side of the messages that it shows. */
export interface Holder<K extends Type> {
  readonly end: Endpoint;
  readonly codec: AnyCodec;
  /** Decodes the message of this length at an offset of the mapping. */
  decode(lane: LaneReceiver, offset: number, length: number): Value<K>;
  /** Ends the use of a message that was taken alone. */
  settle?(lane: LaneReceiver, length: number, isAcknowledged: boolean): void;
}

const NO_BYTES = new Uint8Array(0);

/** A message in place, in every form: taken alone, one of a batch, or polled, which reuses it. */
export class Shown<K extends Type> extends InPlace<K> implements TakenRingMessage<K> {
  redelivered = false;
  sequence = 0;
  readonly #holder: Holder<K>;
  #lane: LaneReceiver | undefined; // undefined once it is released
  #offset = 0;
  #length = 0;

  constructor(holder: Holder<K>) {
    super();
    this.#holder = holder;
  }

  /** Shows the first readable message of a lane, whose length this is. */
  show(lane: LaneReceiver, length: number): this {
    this.begin();
    this.redelivered = lane.redelivered > 0;
    this.sequence = lane.sequence;
    this.#lane = lane;
    this.#offset = lane.offset + RECORD_HEADER;
    this.#length = length;
    return this;
  }

  /** The number of lost messages, which a ring never has. */
  get lost(): number {
    return 0;
  }

  /** The lane that it is in, until it is released. */
  get lane(): LaneReceiver | undefined {
    return this.#lane;
  }

  get length(): number {
    return this.#length;
  }

  ack(): void {
    this.checkShown("acknowledge");
    this.#end(true);
  }

  [Symbol.dispose](): void {
    if (this.isShown) this.#end(false);
  }

  /** Ends the use of the message. */
  release(): void {
    this.hide();
    this.#lane = undefined;
  }

  protected get what(): string {
    return this.#holder.end.what;
  }

  protected look(): Uint8Array<ArrayBuffer> {
    const { place: { mapping } } = this.#lane!;
    return mapping.usable ? peekView(mapping, this.#offset, this.#length) : NO_BYTES;
  }

  protected access(bytes: Uint8Array<ArrayBuffer>): View<K> {
    return this.#holder.codec.view?.(bytes) as View<K>;
  }

  protected decode(): Value<K> {
    return this.#holder.decode(this.#lane!, this.#offset, this.#length);
  }

  protected override checkShown(action?: string): void {
    super.checkShown(action);
    this.#holder.end.checkOpen();
  }

  #end(isAcknowledged: boolean): void {
    const lane = this.#lane!;
    this.release();
    this.#holder.settle?.(lane, this.#length, isAcknowledged);
  }
}
