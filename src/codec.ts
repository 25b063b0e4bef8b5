/**
 * Codecs: the conversion of values to messages and back.
 *
 * @module
 */

import { byteLengthOf, inWords } from "./arguments.ts";
import { CorruptRegionError } from "./errors.ts";
import { isLayout } from "./layout/fields.ts";
import { fingerprint } from "./layout/hash.ts";
import type { AnyLayout, Value } from "./layout/layout.ts";
import { storeValue } from "./layout/values.ts";

/** Turns values of one type into bytes and back. */
export interface Codec<T> {
  /** The type of the messages, which must be the same on both sides; checked on opening. */
  readonly type: {
    /** The name, for people. */
    readonly name: string;
    /** The identity. */
    readonly hash: bigint;
  };
  /**
   * Encodes a value. The returned array may be reused for the next value: callers copy it before
   * anything else happens.
   */
  encode(value: T): Uint8Array;
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
  encode: (value) => {
    byteLengthOf(value, "send", "bytes without a codec");
    return value;
  },
  decode: (value) => value,
};

/**
 * Encodes a value for a caller that checks the result with `byteLengthOf`: `codec.bytes`, which
 * checks it too, is passed over.
 */
export function encoded<T>(chosen: Codec<T>, value: T): Uint8Array {
  return chosen as unknown === bytes ? value as Uint8Array : chosen.encode(value);
}

/** Encodes text as UTF-8. */
const text: Codec<string> = {
  type: plain("text"),
  encode: (value) => encoder.encode(value),
  decode: (value) => decoder.decode(value),
  transient: true,
};

/** Encodes values as JSON. Nothing checks `T`: the message type of all such codecs is "json". */
function json<T>(): Codec<T> {
  return {
    type: plain("json"),
    encode: (value) => {
      const json: string | undefined = JSON.stringify(value);
      if (json !== undefined) return encoder.encode(json);
      throw new TypeError(
        `Cannot send ${typeof value} as JSON: the value has no JSON representation`,
      );
    },
    decode: (value) => JSON.parse(decoder.decode(value)),
    transient: true,
  };
}

/** Encodes the fields of a layout, which both sides must declare alike; reuses one array. */
function struct<L extends AnyLayout>(layout: L): Codec<Value<L>> {
  if (!isLayout(layout)) {
    throw new TypeError(
      `Cannot make a codec of ${
        inWords(layout)
      }: it is not a layout; pass one that layout() returned`,
    );
  }
  const { name, hash, size } = layout;
  const make = () => {
    const bytes = new Uint8Array(size);
    return { bytes, data: new DataView(bytes.buffer) };
  };
  let free: ReturnType<typeof make> | undefined = make();
  return {
    type: { name, hash },
    transient: true,
    encode: (value) => {
      const scratch = free?.bytes.length === size ? free : make(); // its buffer may be transferred
      free = undefined; // a getter of the value may encode another one
      try {
        storeValue(layout, scratch.data, 0, value, name);
      } finally {
        free = scratch;
      }
      return scratch.bytes;
    },
    decode: (bytes) => {
      if (bytes.length === size) return layout.read(bytes) as Value<L>;
      throw new CorruptRegionError(
        `Cannot read a message as "${name}": it has ${bytes.length} bytes, not ${size}`,
      );
    },
  };
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
 * const bytes = Sample.encode({ time: 1.5, value: 0.25 });
 * console.log(bytes.length, Sample.decode(new Uint8Array(bytes)).time); // 16 1.5
 * ```
 */
export const codec: Codecs = { bytes, text, json, struct };
