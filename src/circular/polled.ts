/**
 * A message of a circular buffer as `poll()` shows it.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { LostError } from "../errors.ts";
import type { Bytes, Message, Type, Value, View } from "../message.ts";
import type { Cursor } from "./cursor.ts";

const NONE = new Uint8Array(0);

/** The length while no handler runs. */
const OVER = -1;

/** Ends a handler that asks for a copy of a message that was overwritten. */
export class OverwrittenError extends LostError {}

/** A message in place, valid until the handler of `poll()` returns. One object serves all messages. */
export class PolledMessage<K extends Type = Bytes> implements Message<K> {
  readonly #codec: Codec<unknown>;
  readonly #what: string;
  #cursor: Cursor | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #length = OVER;
  #lost = 0;

  /** @ignore */
  constructor(codec: Codec<unknown>, what: string) {
    this.#codec = codec;
    this.#what = what;
  }

  /** The number of the message, from 1 on, as its writer counts; 0 once the handler has returned. */
  get sequence(): number {
    return this.#length === OVER ? 0 : this.#cursor!.sequence + 1;
  }

  /** The number of messages that were lost just before this one. */
  get lost(): number {
    return this.#lost;
  }

  /** The number of bytes. */
  get length(): number {
    return Math.max(this.#length, 0);
  }

  /**
   * The bytes in shared memory, for reading only. The writer may overwrite them at any moment. An
   * observer, which must not be able to write, gets a validated copy.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ??= this.#show();
  }

  /** Accessors to the fields of a struct in `bytes`. */
  get view(): View<K> {
    return this.#codec.view?.(this.bytes) as View<K>;
  }

  /**
   * A copy of the value, validated and yours to keep. If the message was overwritten, throws an error
   * that ends the handler, and `poll()` does not count the message.
   */
  get value(): Value<K> {
    return this.#codec.decode(this.#copy()) as Value<K>;
  }

  /** @ignore */
  begin(cursor: Cursor, length: number, lost: number): void {
    if (this.#cursor !== cursor) this.#cursor = cursor; // a store of an object costs more
    this.#length = length;
    this.#lost = lost;
  }

  /** @ignore */
  end(): void {
    this.#length = OVER;
    this.#bytes = undefined;
  }

  #show(): Uint8Array<ArrayBuffer> {
    if (this.#length === OVER) return NONE;
    const cursor = this.#cursor!;
    return cursor.ring.mapping.readOnly ? this.#copy() : cursor.peek(this.#length);
  }

  #copy(): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.length);
    if (this.#length === OVER || this.#cursor!.copy(copy, this.#length)) return copy;
    throw new OverwrittenError(
      `Cannot read message ${this.sequence} of ${this.#what}: the writer has overwritten it; ` +
        "return from the handler",
    );
  }
}
