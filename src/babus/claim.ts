/**
 * The claim on the next message of a slot: memory to write in place, until it is published.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { isCount } from "../layout/sizes.ts";
import { commitView } from "../memory/word.ts";
import type { Bytes, Type, View } from "../message.ts";
import { checkedOrigin, type Origin } from "../origin.ts";
import { perIsolate } from "../os/clock.ts";
import type { CodecOf } from "./geometry.ts";
import type { SlotWords } from "./slot_words.ts";
import type { WriteLock } from "./write_lock.ts";

/** Open claims: the right to write would go with a handle that is collected. */
const open = perIsolate(() => new Set<object>());

const NO_BYTES = new Uint8Array(0);

/** How to publish a message. */
export interface SlotWriteOptions {
  /** The first publisher of a message that a bridge republishes. */
  origin?: Origin | undefined;
}

/** Returns the origin among the options, checked. */
export function originIn(
  options: SlotWriteOptions | undefined,
  { what }: SlotWords,
): Origin | undefined {
  const origin = options?.origin;
  return origin === undefined ? undefined : checkedOrigin(origin, `a message of ${what}`);
}

/**
 * The memory of the next message of a slot. No other handle can write until it is published or
 * disposed. Each handle has one claim, which it reuses.
 */
export class SlotClaim<K extends Type = Bytes> implements Disposable {
  readonly #words: SlotWords;
  readonly #lock: WriteLock;
  readonly #codec: CodecOf<K>;
  readonly #views = new WeakMap<object, View<K>>(); // a view costs more than a store through it
  #sequence = 0; // of the claimed message; 0 if none is claimed
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES;

  /** @ignore */
  constructor(words: SlotWords, lock: WriteLock, codec: CodecOf<K>) {
    this.#words = words;
    this.#lock = lock;
    this.#codec = codec;
  }

  /** The bytes in shared memory, which can hold anything at first; empty once the claim has ended. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Accessors to the fields of a struct in place; undefined for other types. */
  get view(): View<K> {
    const bytes = this.#bytes;
    let view = this.#views.get(bytes);
    if (view === undefined && this.#codec.view !== undefined && bytes !== NO_BYTES) {
      this.#views.set(bytes, view = this.#codec.view(bytes) as View<K>);
    }
    return view as View<K>;
  }

  /** Publishes the first `length` bytes, all by default; returns the number of the message. */
  publish(length?: number, options?: SlotWriteOptions): number {
    const words = this.#words;
    words.region.checkOpen();
    const origin = originIn(options, words);
    const [sequence, bytes] = [this.#sequence, this.#bytes];
    if (sequence === 0) {
      throw new VringError(`Cannot publish to ${words.what}: nothing is claimed; claim first`);
    }
    const published = length ?? bytes.length;
    if (!isCount(published, bytes.length)) {
      throw new RangeError(
        `Cannot publish ${inWords(published)} bytes to ${words.what}: ${bytes.length} are claimed`,
      );
    }
    commitView(words.region.mapping, words.messageAt(sequence), bytes, published);
    words.publish(sequence, published, origin);
    this[Symbol.dispose]();
    return sequence;
  }

  /** Discards the claim unless it was published, and lets others write. */
  [Symbol.dispose](): void {
    if (this.forget()) this.#lock.release();
  }

  /** Claims the next message; the lock is held, and stays so unless this throws.
   * @ignore */
  begin(length: number): this {
    try {
      const { size } = this.#words.plan;
      if (!isCount(length, size)) throw misfit(length, this.#words);
      const sequence = this.#words.reserve(length);
      this.#bytes = this.#words.claim(sequence, length);
      this.#sequence = sequence;
      open().add(this);
      return this;
    } catch (error) {
      this.forget();
      this.#lock.release();
      throw error;
    }
  }

  /** Ends the claim with the lock still held; returns whether there was one.
   * @ignore */
  forget(): boolean {
    if (this.#sequence === 0) return false;
    this.#sequence = 0;
    this.#bytes = NO_BYTES;
    open().delete(this);
    return true;
  }
}

/** Makes the error for a message of an impossible length. */
export function misfit(length: number, { what, plan: { size } }: SlotWords): RangeError {
  return new RangeError(
    `Cannot write ${inWords(length)} bytes to ${what}: a message can have ${size}; define it ` +
      "with a larger size",
  );
}
