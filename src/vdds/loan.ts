/**
 * Loans: samples that a publisher writes in place.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";
import type { Bytes, Type, View } from "../message.ts";
import { checkedOrigin, type Origin } from "../origin.ts";
import type { PublishOptions } from "./topic_options.ts";
import { NONE } from "./vring_layout.ts";

/** A publisher, as its loans use it. */
export interface Lender<K extends Type> {
  /** The topic in messages. */
  readonly what: string;
  /** Throws if the publisher is closed. */
  checkOpen(): void;
  /** Returns accessors to a sample in place. */
  view(bytes: Uint8Array<ArrayBuffer>): View<K>;
  /** Publishes a sample that was lent. */
  publish(d: number, sample: FilledSample): void;
  /** Takes a sample back. */
  takeBack(d: number): void;
}

/** A loan that is filled. */
export interface FilledSample {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The number of bytes to publish. */
  readonly length: number;
  readonly origin: Origin | undefined;
}

const NO_BYTES = new Uint8Array(0);

/**
 * A sample in shared memory to write into. It belongs to the publisher until it is published or
 * disposed. Dispose gives a loan back that was not published.
 */
export class Loan<K extends Type = Bytes> implements Disposable {
  readonly #lender: Lender<K>;
  #descriptor: number; // NONE once it was published or given back
  #bytes: Uint8Array<ArrayBuffer>;
  #view: View<K> | undefined;

  /** @ignore */
  constructor(lender: Lender<K>, descriptor: number, bytes: Uint8Array<ArrayBuffer>) {
    this.#lender = lender;
    this.#descriptor = descriptor;
    this.#bytes = bytes;
  }

  /** The memory to write into, with any bytes in it; empty once published or given back. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Accessors to the fields of a struct in place; undefined for types without any. */
  get view(): View<K> {
    if (this.#descriptor === NONE) throw this.#ended("write");
    return (this.#view ??= this.#lender.view(this.#bytes)) as View<K>;
  }

  /**
   * Publishes the first `length` bytes, all by default. Loans can be published in any order: a
   * sample gets its number here.
   */
  publish(length: number = this.#bytes.length, options?: PublishOptions): void {
    const lender = this.#lender;
    const origin = originIn(options, lender.what); // first: a getter can publish this loan
    lender.checkOpen();
    const d = this.#descriptor;
    if (d === NONE) throw this.#ended("publish");
    const bytes = this.#bytes;
    checkPublished(length, bytes, lender.what);
    this.#end(); // before an error can leave open whether it was published
    lender.publish(d, { bytes, length, origin });
  }

  /** Gives the sample back, unless it was published. */
  [Symbol.dispose](): void {
    const d = this.#descriptor;
    if (d === NONE) return;
    this.#end();
    this.#lender.takeBack(d);
  }

  #end(): void {
    this.#descriptor = NONE;
    this.#bytes = NO_BYTES;
    this.#view = undefined;
  }

  #ended(doing: string): VringError {
    return new VringError(
      `Cannot ${doing} to ${this.#lender.what}: this loan was published or given back; loan another ` +
        "one",
    );
  }
}

/** Throws unless so many bytes of a loan can be published. */
export function checkPublished(length: number, { length: most }: Uint8Array, what: string): void {
  if (Number.isInteger(length) && length >= 0 && length <= most) return;
  throw new RangeError(
    `Cannot publish ${inWords(length)} bytes to ${what}: ${most} are loaned; pass 0 to ${most}`,
  );
}

/** Returns a copy of the origin that a caller passes for a sample of a topic, if any. */
export function originIn(options: PublishOptions | undefined, what: string): Origin | undefined {
  const origin = options?.origin;
  return origin === undefined ? undefined : checkedOrigin(origin, `a sample of ${what}`);
}
