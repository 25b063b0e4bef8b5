/**
 * Shared memory that a sender has claimed, to write a message in place: the claims of rings, circular
 * buffers and slots, and the loans of topics.
 *
 * @module
 */

import { inWords, isThenable, returnedPromise } from "./arguments.ts";
import { VringError } from "./errors.ts";
import { isCount } from "./layout/sizes.ts";
import { endView } from "./memory/views.ts";
import { claimView, commitView, type Memory } from "./memory/word.ts";
import type { Bytes, Type, View } from "./message.ts";
import { checkedOrigin, type Origin } from "./origin.ts";

/**
 * Memory for one message, to write in place. Disposing a claim discards it unless it was published.
 * A sender has one claim at a time: its next claim, or a send, ends the open one. Only a publisher
 * can hold several loans.
 */
export interface Claim<K extends Type = Bytes> extends Disposable {
  /** The number of claimed bytes; 0 once the claim has ended. */
  readonly length: number;
  /** The memory, which holds any bytes at first; empty once the claim has ended. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The memory as a view of the type, for a struct or an array; undefined for other types. Throws
   * once the claim has ended.
   */
  readonly view: View<K>;
  /** Publishes the first `length` bytes, by default all, and discards the rest. */
  publish(length?: number): void;
}

/** The options for publishing a message. */
export interface PublishOptions {
  /** The first publisher of a message that a bridge republishes. */
  origin?: Origin | undefined;
}

/** Returns the origin among the options, checked. */
export function originIn(options: PublishOptions | undefined, what: string): Origin | undefined {
  const origin = options?.origin;
  return origin === undefined ? undefined : checkedOrigin(origin, what);
}

/** The sender, as its claims use it. It identifies each claim by a number, the key. */
export interface Claimant<K extends Type, R = void> {
  /** The name of its object in error messages, such as `ring "demo"`. */
  readonly what: string;
  readonly mapping: Memory;
  /** The word for a claim, which messages are built with; `claim` by default. */
  readonly noun?: "claim" | "loan";
  /** Throws if it is closed. */
  checkOpen(): void;
  /** Returns accessors to memory in place. */
  view(bytes: Uint8Array<ArrayBuffer>): View<K>;
  /** Publishes a claim, which has ended. */
  publish(length: number, key: number, origin: Origin | undefined): R;
  /** Takes back a claim that was not published, and has ended. */
  discard?(key: number): void;
}

const NO_BYTES = new Uint8Array(0);

/** A claim. A sender with one at a time reuses it. */
export class ClaimedMemory<K extends Type, R = void> implements Claim<K> {
  /** Whether the memory is claimed, and neither published nor discarded. */
  isOpen = false;
  readonly #claimant: Claimant<K, R>;
  #begun = 0; // the number of claims so far
  #key = 0;
  #offset = 0;
  #length = 0;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #view: View<K> | undefined;

  constructor(claimant: Claimant<K, R>) {
    this.#claimant = claimant;
  }

  /** Begins a claim of memory at this offset; `bytes` are a view of it, if one is made already. */
  begin(offset: number, length: number, key = 0, bytes?: Uint8Array<ArrayBuffer>): this {
    this.#claimant.mapping.checkWhole?.(); // the place was found in shared memory
    this.isOpen = true;
    this.#begun++;
    this.#key = key;
    this.#offset = offset;
    this.#length = length;
    this.#bytes = bytes;
    this.#view = undefined;
    return this;
  }

  get length(): number {
    return this.#isUsable() ? this.#length : 0;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? this.#look();
  }

  get view(): View<K> {
    this.#checkOpen("use");
    return this.#view ??= this.#claimant.view(this.bytes);
  }

  publish(length?: number, options?: PublishOptions): R {
    if (length === undefined) length = this.#length;
    const claimant = this.#claimant;
    // First: a getter can end this claim.
    const origin = options === undefined ? undefined : originIn(options, claimant.what);
    this.#checkOpen("publish");
    if (!isCount(length, this.#length)) throw this.#misfit(length);
    if (this.#bytes !== undefined) {
      commitView(claimant.mapping, this.#offset, this.#bytes, length);
    }
    this.end(); // before an error can leave open whether it was published
    return claimant.publish(length, this.#key, origin);
  }

  /** Lets a handler fill the memory, and publishes as many bytes as it returns; by default all. */
  fill(handler: (claim: this) => number | void, options?: PublishOptions): R {
    const begun = this.#begun;
    try {
      const length = handler(this) ?? undefined;
      if (this.#begun !== begun) this[Symbol.dispose](); // another claim, by the handler
      return this.publish(length, options);
    } finally {
      if (this.isOpen) this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (!this.isOpen) return;
    this.end();
    this.#claimant.discard?.(this.#key);
  }

  /** Ends the claim without publishing or discarding the memory: the sender does that. */
  end(): void {
    this.isOpen = false;
    if (this.#bytes === undefined) return;
    endView(this.#bytes);
    this.#bytes = undefined;
  }

  #look(): Uint8Array<ArrayBuffer> {
    if (!this.#isUsable()) return NO_BYTES;
    return this.#bytes = claimView(this.#claimant.mapping, this.#offset, this.#length);
  }

  #isUsable(): boolean {
    return this.isOpen && this.#claimant.mapping.bytes.length > 0;
  }

  #checkOpen(action: string): void {
    this.#claimant.checkOpen();
    if (!this.isOpen) throw this.#ended(action);
  }

  #ended(action: string): VringError {
    const { what, noun = "claim" } = this.#claimant;
    return new VringError(`Cannot ${action} a ${noun} of ${what}: it has ended; ${noun} first`);
  }

  #misfit(length: unknown): Error {
    const { what, noun = "claim" } = this.#claimant;
    if (isThenable(length)) return returnedPromise("publish to", what);
    if (typeof length !== "number") {
      return new TypeError(
        `Cannot publish to ${what}: the length is ${inWords(length)}; pass a number of bytes`,
      );
    }
    return new RangeError(
      `Cannot publish ${inWords(length)} bytes to ${what}: ${this.#length} are ${noun}ed`,
    );
  }
}
