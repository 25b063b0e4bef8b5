/**
 * How values become messages and messages become values.
 *
 * @module
 */

import { byteLengthOf, inWords } from "./arguments.ts";
import { CorruptRegionError } from "./errors.ts";
import { isLayout } from "./layout/fields.ts";
import { fingerprint } from "./layout/hash.ts";
import type { AnyLayout, Input, Value } from "./layout/layout.ts";

/** Turns values of one type into bytes and back. */
export interface Codec<T> {
  /** What both sides must agree on; checked when they meet. */
  readonly type: {
    /** The name, for people. */
    readonly name: string;
    /** The identity. */
    readonly hash: bigint;
  };
  /**
   * The bytes of a value, perhaps in an array that is used again for the next one: they are copied
   * before anything else happens.
   */
  encode(value: T): Uint8Array;
  /** The value of a message, which may keep the bytes, unless the codec is `transient`. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
  /** No value keeps the bytes that it was made of: they may lie in an array that is used again. */
  readonly transient?: boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a BOM is a character of the text

function plain(name: string): Codec<unknown>["type"] {
  return { name, hash: fingerprint(`codec ${name}`) };
}

/** Bytes as they are. */
const bytes: Codec<Uint8Array> = {
  type: plain("bytes"),
  encode: (value) => {
    byteLengthOf(value, "send", "bytes without a codec");
    return value;
  },
  decode: (value) => value,
};

/** Text, as UTF-8. */
const text: Codec<string> = {
  type: plain("text"),
  encode: (value) => encoder.encode(value),
  decode: (value) => decoder.decode(value),
  transient: true,
};

/** Whatever JSON can say. The type is yours to keep: only "json" is checked. */
function json<T>(): Codec<T> {
  return {
    type: plain("json"),
    encode: (value) => {
      const json: string | undefined = JSON.stringify(value);
      if (json !== undefined) return encoder.encode(json);
      throw new TypeError(`Cannot send ${typeof value} as JSON: it has no word for that`);
    },
    decode: (value) => JSON.parse(decoder.decode(value)),
    transient: true,
  };
}

/** The fields of a layout; both sides must have declared the same one. One array serves all values. */
function struct<L extends AnyLayout>(layout: L): Codec<Value<L>> {
  if (!isLayout(layout)) {
    throw new TypeError(
      `Cannot make a codec of ${inWords(layout)}: it is no layout; pass what layout() gave`,
    );
  }
  const { name, hash, size } = layout;
  let free: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(size);
  return {
    type: { name, hash },
    transient: true,
    encode: (value) => {
      const scratch = free ?? new Uint8Array(size);
      free = undefined; // a getter of the value may encode another one
      try {
        layout.write(scratch, value as Input<L>);
      } finally {
        free = scratch;
      }
      return scratch;
    },
    decode: (bytes) => {
      if (bytes.length === size) return layout.read(bytes) as Value<L>;
      throw new CorruptRegionError(
        `Cannot read a message as "${name}": it has ${bytes.length} bytes, not ${size}`,
      );
    },
  };
}

/** The codecs that this package has. */
export interface Codecs {
  /** Bytes as they are. */
  readonly bytes: Codec<Uint8Array>;
  /** Text, as UTF-8. */
  readonly text: Codec<string>;
  /** Whatever JSON can say. The type is yours to keep: only "json" is checked. */
  json<T>(): Codec<T>;
  /** The fields of a layout; both sides must have declared the same one. */
  struct<L extends AnyLayout>(layout: L): Codec<Value<L>>;
}

/**
 * How values become messages.
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
