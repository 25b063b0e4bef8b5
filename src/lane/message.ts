/**
 * Messages as a receiver delivers them: values, and views of messages in place.
 *
 * @module
 */

/** The outcome of a receive that finds no message. */
export type Nothing =
  /** The ring is empty now. */
  | { state: "empty" }
  /** The ring is empty, and the other end has ended: nothing more comes. */
  | { state: "closed" };

/** A received value. */
export interface ReceivedValue<T> {
  /** The message arrived. */
  state: "ok";
  /** The value that was sent. */
  value: T;
  /** Whether it may have been seen already, by a consumer that died or in a batch. */
  redelivered: boolean;
  /**
   * The number of the message among all of its lane, from 1 on; the same when it comes again. A ring
   * with one producer at a time is one lane.
   */
  sequence: number;
}

/** A message taken in place. */
export interface TakenSample<S> {
  /** The message arrived. */
  state: "ok";
  /** The message; it stays in the ring until it is disposed. */
  sample: S;
}

/** A message in place. */
export interface ShownMessage {
  /** The payload, in shared memory; empty after the message was released. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether it may have been seen already, by a consumer that died or in a batch. */
  readonly redelivered: boolean;
  /** The number of the message among all of its lane, from 1 on; the same when it comes again. */
  readonly sequence: number;
}

/** A message in place: it stays in the ring until it is disposed. */
export interface TakenMessage extends ShownMessage, Disposable {}

/** A message of a batch. */
export interface BatchMessage<T> extends ShownMessage {
  /** The value that was sent; decoded each time, and yours to keep. */
  readonly value: T;
}

/**
 * Messages in place. They stay in the ring until they are acknowledged. The others are delivered
 * again once the batch is disposed, to this consumer or to the next one.
 */
export interface MessageBatch<M> extends Disposable, Iterable<M> {
  /** The number of messages. */
  readonly length: number;
  /**
   * Releases the first `count` messages that are not acknowledged yet; by default all. They do not
   * come again. A consumer that dies meanwhile may have acknowledged those of some producers only.
   */
  ack(count?: number): void;
}

const NO_BYTES = new Uint8Array(0);

/** A message shown in place. */
export class Sample implements TakenMessage {
  readonly redelivered: boolean;
  readonly sequence: number;
  #shown: Uint8Array<ArrayBuffer>;
  #release: (() => void) | undefined;

  constructor({ bytes, redelivered, sequence }: ShownMessage, release: () => void) {
    this.#shown = bytes;
    this.redelivered = redelivered;
    this.sequence = sequence;
    this.#release = release;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#shown;
  }

  [Symbol.dispose](): void {
    const release = this.#release;
    this.#shown = NO_BYTES;
    this.#release = undefined;
    release?.();
  }
}
