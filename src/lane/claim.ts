/**
 * Free space of a ring that a sender has claimed, to write a message in place.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { isCount } from "../layout/sizes.ts";
import type { Bytes, Type, View } from "../message.ts";
import { claimView, commitView, type Memory } from "../memory/word.ts";
import type { Endpoint, LaneEnd } from "./endpoint.ts";
import type { AnyCodec } from "./message.ts";

/**
 * Free space in a ring. A sender has one claim at a time: the next claim, or a send, ends it.
 * Disposing it discards what was not published.
 */
export interface RingClaim<K extends Type = Bytes> extends Disposable {
  /** The number of claimed bytes; 0 once the claim has ended. */
  readonly length: number;
  /** The space, which holds any bytes at first; empty once the claim has ended. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Accessors to the fields of a struct in the space. */
  readonly view: View<K>;
  /** Sends the first `length` bytes, by default all, and discards the rest. */
  publish(length?: number): void;
}

const NO_BYTES = new Uint8Array(0);

/** The claim of a sender, which reuses it. */
export class Claim<K extends Type> implements RingClaim<K> {
  /** Whether the sender has claimed the space and not published it yet. @ignore */
  isOpen = false;
  readonly #end: Endpoint;
  readonly #memory: Memory;
  readonly #codec: AnyCodec;
  readonly #publish: (length: number) => void;
  #offset = 0;
  #length = 0;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #view: View<K> | undefined;

  /** `publish` publishes the first bytes of the claim. */
  constructor(
    { end, place: { mapping } }: LaneEnd,
    codec: AnyCodec,
    publish: (length: number) => void,
  ) {
    this.#end = end;
    this.#memory = mapping;
    this.#codec = codec;
    this.#publish = publish;
  }

  /** Shows this space, which was just claimed. @ignore */
  show(offset: number, length: number): this {
    this.isOpen = true;
    this.#offset = offset;
    this.#length = length;
    this.#bytes = this.#view = undefined;
    return this;
  }

  get length(): number {
    return this.isOpen && !this.#end.closed ? this.#length : 0;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    if (!this.isOpen || this.#end.closed) return NO_BYTES;
    return this.#bytes ??= claimView(this.#memory, this.#offset, this.#length);
  }

  get view(): View<K> {
    this.#checkOpen("use the view of");
    return this.#view ??= this.#codec.view?.(this.bytes) as View<K>;
  }

  publish(length: number = this.#length): void {
    this.#checkOpen("publish");
    if (!isCount(length, this.#length)) throw this.#misfit(length);
    if (this.#bytes !== undefined) commitView(this.#memory, this.#offset, this.#bytes, length);
    this.isOpen = false;
    this.#publish(length);
  }

  [Symbol.dispose](): void {
    this.isOpen = false;
  }

  #checkOpen(action: string): void {
    this.#end.checkOpen();
    if (!this.isOpen) throw this.#ended(action);
  }

  #ended(action: string): VringError {
    return new VringError(
      `Cannot ${action} a claim of ${this.#end.what}: it has ended; claim first`,
    );
  }

  #misfit(length: number): RangeError {
    return new RangeError(
      `Cannot publish ${inWords(length)} bytes to ${this.#end.what}: ${this.#length} are claimed`,
    );
  }
}
