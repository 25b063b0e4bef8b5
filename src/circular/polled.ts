/**
 * A message of a circular buffer as `poll()` shows it.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { LostError } from "../errors.ts";
import { InPlace } from "../in_place.ts";
import { detachableCopy } from "../memory/views.ts";
import type { Bytes, MessageInPlace, Type, Value, View } from "../message.ts";
import type { Cursor } from "./cursor.ts";

/** The error that ends a handler of `poll()` that reads the value of an overwritten message. */
export class OverwrittenError extends LostError {}

/**
 * A message in place, valid until the handler of `poll()` returns; one object serves all messages.
 * The writer may overwrite its bytes at any moment; an observer gets a validated copy of them. If the
 * message was overwritten, `value` throws an error that ends the handler, and `poll()` does not count
 * the message.
 */
export interface PolledMessage<K extends Type = Bytes> extends MessageInPlace<K> {
  /** The number of bytes; 0 once the handler has returned. */
  readonly length: number;
}

/** The one polled message of a receiver. */
export class Polled<K extends Type> extends InPlace<K> implements PolledMessage<K> {
  readonly #codec: Codec<unknown>;
  readonly #what: string;
  #cursor: Cursor | undefined;
  #length = 0;
  #lost = 0;

  constructor(codec: Codec<unknown>, what: string) {
    super();
    this.#codec = codec;
    this.#what = what;
  }

  get sequence(): number {
    return this.isShown ? this.#cursor!.sequence + 1 : 0;
  }

  get lost(): number {
    return this.#lost;
  }

  get length(): number {
    return this.isShown ? this.#length : 0;
  }

  show(cursor: Cursor, length: number, lost: number): void {
    this.begin();
    if (this.#cursor !== cursor) this.#cursor = cursor; // a store of an object costs more
    this.#length = length;
    this.#lost = lost;
  }

  protected get what(): string {
    return this.#what;
  }

  protected look(): Uint8Array<ArrayBuffer> {
    const cursor = this.#cursor!;
    if (!cursor.ring.mapping.readOnly) return cursor.peek(this.#length);
    return this.#copy(detachableCopy(this.#length));
  }

  protected access(bytes: Uint8Array<ArrayBuffer>): View<K> {
    return this.#codec.view?.(bytes) as View<K>;
  }

  protected decode(): Value<K> {
    return this.#codec.decode(this.#copy()) as Value<K>;
  }

  #copy(copy = new Uint8Array(this.#length)): Uint8Array<ArrayBuffer> {
    if (this.#cursor!.copy(copy, this.#length)) return copy;
    throw new OverwrittenError(
      `Cannot read message ${this.sequence} of ${this.#what}: the writer has overwritten it; ` +
        "return from the handler",
    );
  }
}
