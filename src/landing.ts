/**
 * The arrays that received messages are copied into.
 *
 * A new array costs more than copying a short message, because Deno makes an ArrayBuffer for it. So
 * each message of up to 4 KiB gets its own part of a slab of 64 KiB, and no part is used twice. A
 * codec whose values do not keep the bytes decodes from one array, which is reused.
 *
 * @module
 */

import { type Codec, formOf } from "./codec.ts";

const SLAB_BYTES = 2 ** 16;

/** The longest message that gets a part of a slab. */
export const SLAB_PART_BYTES = 2 ** 12;

const REUSED_BYTES = 2 ** 16;

/** The arrays of one handle: no other handle shares its slabs. */
export class Landing {
  readonly #cutsSlabs: boolean;
  #slab = new ArrayBuffer(0);
  #cut = 0; // the bytes of the slab that are given away
  #reused: Uint8Array<ArrayBuffer> | undefined;
  #last: Uint8Array<ArrayBuffer> | undefined; // the beginning of it that was filled last
  #data: DataView | undefined; // of all of it
  #isRead = false; // a codec is decoding

  /** With `own`, each array that the caller keeps has a buffer of its own. */
  constructor({ own = false }: { readonly own?: boolean | undefined } = {}) {
    this.#cutsSlabs = !own;
  }

  /** Returns an array of this length for a message that a codec decodes next. */
  arrayFor(
    length: number,
    { transient }: { readonly transient?: boolean | undefined },
  ): Uint8Array<ArrayBuffer> {
    if (!transient || length > REUSED_BYTES || this.#isRead) return this.#newArray(length);
    if (this.#last?.length === length) return this.#last;
    if (this.#reused === undefined) {
      this.#reused = new Uint8Array(REUSED_BYTES);
      this.#data = new DataView(this.#reused.buffer);
    }
    return this.#last = this.#reused.subarray(0, length);
  }

  /** Returns an array of this length for the caller to keep. */
  #newArray(length: number): Uint8Array<ArrayBuffer> {
    if (!this.#cutsSlabs || length > SLAB_PART_BYTES) return new Uint8Array(length);
    // A slab that the caller has transferred away has no bytes, not even for an empty message.
    if (this.#cut + Math.max(1, length) > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#cut = 0;
    }
    const start = this.#cut;
    this.#cut = (start + length + 7) & ~7; // so that a typed array can view each part
    return new Uint8Array(this.#slab, start, length);
  }

  /** Decodes an array from `arrayFor`; the codec may receive another message meanwhile. */
  decode<T>(codec: Codec<T>, bytes: Uint8Array<ArrayBuffer>): T {
    if (bytes !== this.#last) return codec.decode(bytes);
    const form = formOf(codec);
    if (form?.kind === "struct" && bytes.length === form.size) {
      return form.load(this.#data!, 0) as T;
    }
    const isRead = this.#isRead;
    this.#isRead = true;
    try {
      return codec.decode(bytes);
    } finally {
      this.#isRead = isRead;
    }
  }
}
