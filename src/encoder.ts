/**
 * Encoding in place: a sender encodes each value straight into the shared memory that it claimed.
 *
 * A codec states the most bytes that a value can take. The sender claims so many, encodes, and
 * publishes what was written. If the ring has no room for the bound, `toBytes` encodes into private
 * memory, as the value may still fit.
 *
 * Getters of the value and the code of a codec run while the claim is open. They may do anything:
 * - throw, write too much or return no count: an error, and nothing is published;
 * - close the handle, or transfer its memory away: the sender learns that afterwards;
 * - send or claim through the same handle: a VringError, as the claim is taken.
 *
 * @module
 */

import { inWords } from "./arguments.ts";
import { byteLengthOf, dataOf, plainBytes } from "./arrays.ts";
import { type Codec, type Form, formOf, tooLong } from "./codec.ts";
import { VringError } from "./errors.ts";
import { isCount } from "./layout/sizes.ts";
import { endView } from "./memory/views.ts";
import {
  claimData,
  claimView,
  commitData,
  commitView,
  copyIn,
  type Memory,
} from "./memory/word.ts";

const GONE = -1;

/** Encodes the values of one sender. */
export abstract class Encoder<T, P = unknown> {
  /** The verb of the attempt, in messages, such as `send through`. */
  protected readonly doing: string;
  /** Its object, such as `ring "demo"`. */
  protected readonly what: string;
  /** Whether code of the caller is encoding a value. */
  protected isBusy = false;

  /** @ignore */
  constructor(doing: string, what: string) {
    this.doing = doing;
    this.what = what;
  }

  /** Whether a value takes exactly its bound. */
  abstract readonly isExact: boolean;
  /** Checks a value, or converts it once, before memory is claimed. */
  protected abstract prepared(value: T): P;
  /** Returns the most bytes that a value can take. */
  abstract bound(prepared: P): number;
  /**
   * Encodes a value into memory at an offset, where `bound` bytes are claimed. Returns its length,
   * or -1 if the value's code closed the memory or transferred it away.
   */
  abstract into(prepared: P, memory: Memory, at: number, bound: number): number;
  /** Encodes into private memory. */
  abstract toBytes(prepared: P): Uint8Array;

  /** Throws if a value is being encoded: its claim is open. */
  checkIdle(): void {
    if (!this.isBusy) return;
    throw new VringError(
      `Cannot ${this.doing} ${this.what}: a value is being encoded into it; do not use it in a ` +
        "getter of that value or in its codec",
    );
  }

  /** Prepares a value: the other methods take the result. */
  prepare(value: T): P {
    this.checkIdle();
    return this.prepared(value);
  }
}

/** Encodes values by code of the caller: getters, or a codec. */
abstract class CallingEncoder<T> extends Encoder<T, T> {
  protected prepared(value: T): T {
    return value;
  }

  /** Encodes as `into` does. */
  protected abstract write(value: T, memory: Memory, at: number, bound: number): number;

  into(value: T, memory: Memory, at: number, bound: number): number {
    this.isBusy = true;
    try {
      const length = this.write(value, memory, at, bound);
      return memory.bytes.length === 0 ? GONE : length;
    } catch (error) {
      if (memory.bytes.length === 0) return GONE;
      throw error;
    } finally {
      this.isBusy = false;
    }
  }
}

class BytesEncoder extends Encoder<Uint8Array, Uint8Array> {
  readonly isExact = true;
  readonly #most: number | undefined;

  constructor(doing: string, what: string, most: number | undefined) {
    super(doing, what);
    this.#most = most;
  }

  protected prepared(value: Uint8Array): Uint8Array {
    return value;
  }

  bound(value: Uint8Array): number {
    const length = byteLengthOf(value, this.doing, this.what);
    if (this.#most !== undefined && length > this.#most) throw tooLong("bytes", length, this.#most);
    return length;
  }

  into(value: Uint8Array, memory: Memory, at: number, bound: number): number {
    copyIn(memory, at, value, bound);
    return bound;
  }

  toBytes(value: Uint8Array): Uint8Array {
    return plainBytes(value, this.doing, this.what);
  }
}

const utf8 = new TextEncoder();

class Utf8Encoder extends Encoder<unknown, string> {
  readonly isExact = false;
  readonly #form: Form & { kind: "text" };

  constructor(doing: string, what: string, form: Form & { kind: "text" }) {
    super(doing, what);
    this.#form = form;
  }

  protected prepared(value: unknown): string {
    return this.#form.textOf(value);
  }

  bound(text: string): number {
    return Math.min(3 * text.length, this.#form.most ?? Infinity);
  }

  into(text: string, memory: Memory, at: number, bound: number): number {
    const view = claimView(memory, at, bound);
    const { read, written } = utf8.encodeInto(text, view);
    if (read < text.length) throw this.#tooLong(text);
    commitView(memory, at, view, written);
    endView(view);
    return written;
  }

  toBytes(text: string): Uint8Array {
    const bytes = utf8.encode(text);
    if (bytes.length > (this.#form.most ?? Infinity)) throw this.#tooLong(text);
    return bytes;
  }

  #tooLong(text: string): RangeError {
    return tooLong(this.#form.name, utf8.encode(text).length, this.#form.most!);
  }
}

class StructEncoder extends CallingEncoder<unknown> {
  readonly isExact = true;
  readonly #form: Form & { kind: "struct" };

  constructor(doing: string, what: string, form: Form & { kind: "struct" }) {
    super(doing, what);
    this.#form = form;
  }

  bound(): number {
    return this.#form.size;
  }

  protected write(value: unknown, memory: Memory, at: number, bound: number): number {
    const data = claimData(memory);
    this.#form.store(data, at, value);
    commitData(memory, at, data, bound);
    return bound;
  }

  toBytes(value: unknown): Uint8Array {
    const bytes = new Uint8Array(this.#form.size);
    this.#form.store(dataOf(bytes, 0, bytes.length), 0, value);
    return bytes;
  }
}

class CodecEncoder<T> extends CallingEncoder<T> {
  readonly isExact = false;
  readonly #codec: Codec<T>;

  constructor(doing: string, what: string, codec: Codec<T>) {
    super(doing, what);
    this.#codec = codec;
  }

  bound(value: T): number {
    const codec = this.#codec;
    const { sizeBytes } = codec;
    const bound = typeof sizeBytes === "function" ? sizeBytes.call(codec, value) : sizeBytes;
    if (isCount(bound)) return bound;
    throw new RangeError(
      `Cannot ${this.doing} ${this.what}: the size that the codec states, ${inWords(bound)}, is ` +
        "no number of bytes; make it one",
    );
  }

  protected write(value: T, memory: Memory, at: number, bound: number): number {
    const view = claimView(memory, at, bound);
    const length = this.#encode(value, view, bound);
    commitView(memory, at, view, length);
    endView(view);
    return length;
  }

  toBytes(value: T): Uint8Array {
    const bytes = new Uint8Array(this.bound(value));
    return bytes.subarray(0, this.#encode(value, bytes, bytes.length));
  }

  #encode(value: T, into: Uint8Array<ArrayBuffer>, bound: number): number {
    const length = this.#codec.encode(value, into);
    if (isCount(length, bound)) return length;
    throw new RangeError(
      `Cannot ${this.doing} ${this.what}: the codec returned ${inWords(length)} for an array of ` +
        `${bound} bytes; return the number of bytes written, and state a size that is enough`,
    );
  }
}

/** Whether a codec sends plain arrays of bytes; copying them needs no encoder. */
export function sendsBytes(codec: object): boolean {
  const form = formOf(codec);
  return form?.kind === "bytes" && form.most === undefined;
}

/** Makes the encoder of a sender. `doing` and `what` are for messages, as in `byteLengthOf`. */
export function encoderOf<T>(codec: Codec<T>, doing: string, what: string): Encoder<T> {
  const form = formOf(codec);
  const make = (): Encoder<never> => {
    switch (form?.kind) {
      case "bytes":
        return new BytesEncoder(doing, what, form.most);
      case "text":
        return new Utf8Encoder(doing, what, form);
      case "struct":
        return new StructEncoder(doing, what, form);
      default:
        return new CodecEncoder(doing, what, codec);
    }
  };
  return make() as Encoder<T>;
}
