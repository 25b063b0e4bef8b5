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
  /** Whether a consumer that died may have seen it already. */
  redelivered: boolean;
}

/** A message taken in place. */
export interface TakenSample<S> {
  /** The message arrived. */
  state: "ok";
  /** The message; it stays in the ring until it is disposed. */
  sample: S;
}

/** A message in place: it stays in the ring until it is disposed. */
export interface TakenMessage extends Disposable {
  /** The payload, in shared memory; empty after disposal. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a consumer that died may have seen it already. */
  readonly redelivered: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** A message shown in place. */
export class Sample implements TakenMessage {
  readonly redelivered: boolean;
  #shown: Uint8Array<ArrayBuffer>;
  #release: (() => void) | undefined;

  constructor(shown: Uint8Array<ArrayBuffer>, redelivered: boolean, release: () => void) {
    this.#shown = shown;
    this.redelivered = redelivered;
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
