/**
 * How values become messages and messages become values.
 *
 * @module
 */

import { fingerprint } from "./hash.ts";
import type { AnyLayout, Input, Value } from "./layout.ts";

/** Turns values of one type into bytes and back. */
export interface Codec<T> {
  /** What both sides must agree on; checked when they meet. */
  readonly type: {
    /** The name, for people. */
    readonly name: string;
    /** The identity. */
    readonly hash: bigint;
  };
  /** The bytes of a value; they are copied before anything else happens. */
  encode(value: T): Uint8Array;
  /** The value of a message, which may keep the bytes. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function plain(name: string): Codec<unknown>["type"] {
  return { name, hash: fingerprint(`codec ${name}`) };
}

/** Bytes as they are. */
const bytes: Codec<Uint8Array> = {
  type: plain("bytes"),
  encode: (value) => value,
  decode: (value) => value,
};

/** Text, as UTF-8. */
const text: Codec<string> = {
  type: plain("text"),
  encode: (value) => encoder.encode(value),
  decode: (value) => decoder.decode(value),
};

/** Whatever JSON can say. The type is yours to keep: only "json" is checked. */
function json<T>(): Codec<T> {
  return {
    type: plain("json"),
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode: (value) => JSON.parse(decoder.decode(value)),
  };
}

/** The fields of a layout; both sides must have declared the same one. */
function struct<L extends AnyLayout>(layout: L): Codec<Value<L>> {
  const { name, hash, size } = layout;
  return {
    type: { name, hash },
    encode: (value) => {
      const bytes = new Uint8Array(size);
      layout.write(bytes, value as Input<L>);
      return bytes;
    },
    decode: (bytes) => layout.read(bytes) as Value<L>,
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
