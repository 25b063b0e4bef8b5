/**
 * Codecs: the conversion of values to messages and back.
 *
 * @module
 */

import { byteLengthOf, dataOf, fill, inWords } from "./arguments.ts";
import { CorruptRegionError } from "./errors.ts";
import { isLayout } from "./layout/fields.ts";
import { gapsOf, zeroGaps } from "./layout/gaps.ts";
import { fingerprint } from "./layout/hash.ts";
import type { AnyLayout, Value } from "./layout/layout.ts";
import { loadFields, misfit, stepsOf, storeFields } from "./layout/values.ts";

/** Returns the most bytes that a value can take. */
export type SizeOf<T> = { of(value: T): number }["of"]; // a method: a Codec<Cat> is a Codec<unknown>

/** Turns values of one type into bytes and back. */
export interface Codec<T> {
  /** The type of the messages, which must be the same on both sides; checked on opening. */
  readonly type: {
    /** The name, for people. */
    readonly name: string;
    /** The identity. */
    readonly hash: bigint;
  };
  /** The most bytes that a value can take, or a function that returns it for one value. */
  readonly sizeBytes: number | SizeOf<T>;
  /**
   * Encodes a value into an array of `sizeBytes` bytes, and returns the number of bytes written. The
   * array is usually shared memory, which holds any bytes before. Do not keep it, and do not send
   * through the same handle meanwhile.
   */
  encode(value: T, into: Uint8Array<ArrayBuffer>): number;
  /** Decodes a message. The value may keep the bytes, unless the codec is `transient`. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
  /**
   * Whether values never keep the bytes they were decoded from, so that callers can reuse the
   * array.
   */
  readonly transient?: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a BOM is part of the text

function plain(name: string): Codec<unknown>["type"] {
  return { name, hash: fingerprint(`codec ${name}`) };
}

/** Passes bytes through unchanged. */
const bytes: Codec<Uint8Array> = {
  type: plain("bytes"),
  sizeBytes: (value) => byteLengthOf(value, "send", "bytes without a codec"),
  encode: (value, into) => {
    const length = byteLengthOf(value, "send", "bytes without a codec");
    fill(into, value);
    return length;
  },
  decode: (value) => value,
};

/** The most bytes of UTF-8 that a UTF-16 unit takes. */
const UNIT_BYTES = 3;

function checkText(value: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot send ${inWords(value)} as text: it is not a string; pass one`);
}

function encodeText(text: string, into: Uint8Array<ArrayBuffer>): number {
  const { read, written } = encoder.encodeInto(text, into);
  if (read === text.length) return written;
  throw new RangeError(
    `Cannot encode a text of ${text.length} characters into ${into.length} bytes; pass a larger array`,
  );
}

/** Encodes text as UTF-8. */
const text: Codec<string> = {
  type: plain("text"),
  sizeBytes: (value) => UNIT_BYTES * checkText(value).length,
  encode: (value, into) => encodeText(checkText(value), into),
  decode: (value) => decoder.decode(value),
  transient: true,
};

function toJson(value: unknown): string {
  const json: string | undefined = JSON.stringify(value);
  if (json !== undefined) return json;
  throw new TypeError(
    `Cannot send ${typeof value} as JSON: the value has no JSON representation`,
  );
}

/** Encodes values as JSON. Nothing checks `T`: the message type of all such codecs is "json". */
function json<T>(): Codec<T> {
  const made: Codec<T> = {
    type: plain("json"),
    sizeBytes: (value) => UNIT_BYTES * toJson(value).length,
    encode: (value, into) => encodeText(toJson(value), into),
    decode: (value) => JSON.parse(decoder.decode(value)),
    transient: true,
  };
  FORMS.set(made, { kind: "text", textOf: toJson });
  return made;
}

/** Encodes the fields of a layout, which both sides must declare alike. */
function struct<L extends AnyLayout>(layout: L): Codec<Value<L>> {
  if (!isLayout(layout)) {
    throw new TypeError(
      `Cannot make a codec of ${
        inWords(layout)
      }: it is not a layout; pass one that layout() returned`,
    );
  }
  const { name, hash, size } = layout;
  const steps = stepsOf(layout);
  const gaps = gapsOf(layout);
  const load = (data: DataView, at: number) => loadFields(steps, data, at) as Value<L>;
  const store = (data: DataView, at: number, value: Value<L>) => {
    if (gaps.length > 0) zeroGaps(gaps, data, at);
    if (!storeFields(steps, data, at, value)) throw misfit(layout, value);
  };
  const made: Codec<Value<L>> = {
    type: { name, hash },
    sizeBytes: size,
    transient: true,
    encode: (value, into) => {
      const length = byteLengthOf(into, "write to", name);
      if (length < size) {
        throw new RangeError(
          `Cannot encode "${name}" into ${length} bytes: it takes ${size}; pass a larger array`,
        );
      }
      store(dataOf(into, 0, size), 0, value);
      return size;
    },
    decode: (bytes) => {
      checkLength(bytes, name, size);
      return load(dataOf(bytes, 0, size), 0);
    },
  };
  FORMS.set(made, { kind: "struct", size, store, load } as Form);
  return made;
}

function checkLength({ length }: Uint8Array, name: string, size: number): void {
  if (length === size) return;
  throw new CorruptRegionError(
    `Cannot read a message as "${name}": it has ${length} bytes, not ${size}`,
  );
}

/** What the handles know of the codecs of this package, to use them without an array for each value. */
export type Form =
  /** The bytes themselves. */
  | { readonly kind: "bytes" }
  /** UTF-8 of a text that is made once. */
  | { readonly kind: "text"; readonly textOf: (value: unknown) => string }
  /** Exactly `size` bytes, through a DataView. */
  | {
    readonly kind: "struct";
    readonly size: number;
    readonly store: (data: DataView, at: number, value: unknown) => void;
    readonly load: (data: DataView, at: number) => unknown;
  };

// By identity: a copy of a codec with another `encode` has none.
const FORMS = new WeakMap<object, Form>([
  [bytes, { kind: "bytes" }],
  [text, { kind: "text", textOf: checkText as (value: unknown) => string }],
]);

/** Returns the form of a codec of this package; undefined for any other. */
export function formOf(codec: object): Form | undefined {
  return FORMS.get(codec);
}

/** The codecs of this package. */
export interface Codecs {
  /** Passes bytes through unchanged. */
  readonly bytes: Codec<Uint8Array>;
  /** Encodes text as UTF-8. */
  readonly text: Codec<string>;
  /** Encodes values as JSON. Nothing checks `T`: the message type of all such codecs is "json". */
  json<T>(): Codec<T>;
  /** Encodes the fields of a layout, which both sides must declare alike. */
  struct<L extends AnyLayout>(layout: L): Codec<Value<L>>;
}

/**
 * The codecs of this package, which convert values to messages and back.
 *
 * @example Messages with fields
 * ```ts
 * import { codec, layout } from "@vring/vring";
 *
 * const Sample = codec.struct(layout("sample", { time: "f64", value: "f32" }));
 * const bytes = new Uint8Array(16);
 * const length = Sample.encode({ time: 1.5, value: 0.25 }, bytes);
 * console.log(length, Sample.decode(bytes).time); // 16 1.5
 * ```
 */
export const codec: Codecs = { bytes, text, json, struct };
