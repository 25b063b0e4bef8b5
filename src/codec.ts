/**
 * Codecs: the conversion of values to messages and back.
 *
 * @module
 */

import { byteLengthOf, dataOf, fill, inWords } from "./arguments.ts";
import { CorruptRegionError } from "./errors.ts";
import { isLayout } from "./layout/fields.ts";
import { gapsOf, zeroGaps } from "./layout/gaps.ts";
import {
  checkType,
  type CodecDescription,
  describeLayout,
  type StructDescription,
  type TypeDescription,
} from "./layout/describe.ts";
import { fingerprint } from "./layout/hash.ts";
import type { AnyLayout } from "./layout/layout.ts";
import { type DescribedLayout, layoutOf } from "./layout/rebuild.ts";
import { loadFields, misfit, stepsOf, storeFields } from "./layout/values.ts";
import { descriptionOf, type MessageType } from "./region/header.ts";

/** Returns the most bytes that a value can take. */
export type SizeOf<T> = { of(value: T): number }["of"]; // a method: a Codec<Cat> is a Codec<unknown>

/**
 * Turns values of one type into bytes and back. `T` is what it decodes, `I` what it encodes, such as
 * any array of numbers for a `Float32Array`, and `V` its view of a message in place.
 */
export interface Codec<T, I = T, V = undefined> {
  /** The type of the messages, which must be the same on both sides; checked on opening. */
  readonly type: MessageType;
  /** The most bytes that a value can take, or a function that returns it for one value. */
  readonly sizeBytes: number | SizeOf<T>;
  /**
   * Encodes a value into an array of `sizeBytes` bytes, and returns the number of bytes written. The
   * array is usually shared memory, which holds any bytes before. Do not keep it, and do not send
   * through the same handle meanwhile.
   */
  encode(value: I, into: Uint8Array<ArrayBuffer>): number;
  /** Returns accessors to a message in place; they read and write its bytes. */
  view?(bytes: Uint8Array<ArrayBuffer>): V;
  /** Decodes a message. The value may keep the bytes, unless the codec is `transient`. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
  /**
   * Whether values never keep the bytes they were decoded from, so that callers can reuse the
   * array.
   */
  readonly transient?: boolean | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a BOM is part of the text

function plain(name: string): MessageType {
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
function struct<L extends AnyLayout>(
  layout: L,
): Codec<ReturnType<L["read"]>> {
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
  const load = (data: DataView, at: number) => loadFields(steps, data, at) as ReturnType<L["read"]>;
  const store = (data: DataView, at: number, value: ReturnType<L["read"]>) => {
    if (gaps.length > 0) zeroGaps(gaps, data, at);
    if (!storeFields(steps, data, at, value)) throw misfit(layout, value);
  };
  const made: Codec<ReturnType<L["read"]>> = {
    type: { name, hash, description: describeLayout(layout) },
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

/**
 * Passes the bytes of messages of any type through unchanged: the codec has that type's identity, and
 * so its regions open, but nothing encodes or decodes.
 */
function raw(type: MessageType): Codec<Uint8Array> {
  const { name, hash } = Object(type) as MessageType;
  if (typeof name !== "string" || typeof hash !== "bigint") {
    throw new TypeError(
      `Cannot make a codec of ${inWords(name)}, ${
        inWords(hash)
      }: a type has a name and a hash; pass ` +
        "that of a region or a codec",
    );
  }
  const made: Codec<Uint8Array> = { ...bytes, type: { ...type } };
  FORMS.set(made, { kind: "bytes" });
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
  struct<L extends AnyLayout>(
    layout: L,
  ): Codec<ReturnType<L["read"]>>;
  /**
   * Passes the bytes of messages of another type through unchanged, for tools and bridges that do
   * not know it.
   */
  raw(type: MessageType): Codec<Uint8Array>;
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
export const codec: Codecs = { bytes, text, json, struct, raw };

/** A codec made from a description, and the layout of its values if they have one. */
export interface DescribedCodec extends Codec<unknown> {
  /** The layout of a struct: it views, inspects and declares the values. */
  readonly layout?: DescribedLayout | undefined;
}

/**
 * Makes a codec for messages of a type that this program did not declare, from the description that
 * a region stores. It reads and writes structs field by field, and text and JSON. It passes the
 * messages of any other codec through as bytes. Throws a CorruptRegionError if the description is
 * invalid, or not that of the type.
 *
 * @example Print the values of any topic
 * ```ts ignore
 * import { describedType, regions, Subscriber } from "@vring/vring";
 *
 * const { name, details } = regions().find(({ kind }) => kind === "topic")!;
 * using subscriber = Subscriber.open(name, { codec: describedType(details!.type!) });
 * for await (const value of subscriber) console.log(value);
 * ```
 */
export function describedType(type: MessageType | TypeDescription): DescribedCodec {
  if (typeof type !== "object" || type === null) {
    throw new TypeError(
      `Cannot make a codec of ${inWords(type)}: it is not a type; pass that of a region or a codec`,
    );
  }
  const isStored = "hash" in type && typeof type.hash === "bigint";
  const description = checkedDescription(
    isStored ? descriptionOf(type as MessageType) : type as TypeDescription,
  );
  if ("request" in description) {
    throw new TypeError(
      "Cannot make a codec of the type of calls: it has two; pass its `request` or its `response`",
    );
  }
  const made = "struct" in description ? describedStruct(description) : describedCodec(description);
  if (!isStored || made.type.hash === type.hash) return made;
  throw invalid("has another hash than the type");
}

/** Returns a copy of a description, which may come from a peer by any way. */
function checkedDescription(description: TypeDescription): TypeDescription {
  try {
    return checkType(description);
  } catch (error) {
    throw invalid(`is invalid: ${(error as Error).message}`);
  }
}

function describedCodec({ codec: name, hash: hex }: CodecDescription): Codec<unknown> {
  const hash = BigInt(`0x${hex}`);
  const known = [bytes, text, json()] as Codec<unknown>[];
  return known.find(({ type }) => type.hash === hash) ?? raw({ name, hash }) as Codec<unknown>;
}

function describedStruct(description: StructDescription): DescribedCodec {
  try {
    const layout = layoutOf(description);
    return Object.assign(struct(layout), { layout });
  } catch (error) {
    throw invalid(`is invalid: ${(error as Error).message}`);
  }
}

function invalid(problem: string): CorruptRegionError {
  return new CorruptRegionError(
    `Cannot make a codec of a type: its description ${problem}; use codec.raw(type)`,
  );
}
