/**
 * Codecs: the conversion of values to messages and back.
 *
 * @module
 */

import { inWords } from "./arguments.ts";
import { byteLengthOf, fill } from "./arrays.ts";
import {
  bytes as bytesField,
  type BytesType,
  checkCount,
  text as textField,
  type TextType,
} from "./layout/fields.ts";
import { fingerprint } from "./layout/hash.ts";
import type { MessageType } from "./region/header.ts";

/** Returns the most bytes that a value can take. */
export type SizeOf<T> = { of(value: T): number }["of"]; // a method: a Codec<Cat> is a Codec<unknown>

/**
 * Converts values of one type to bytes and back. It decodes a `T` and encodes an `I`, such as any
 * array of numbers for a `Float32Array`. `V` is its view of a message in place.
 */
export interface Codec<T, I = T, V = undefined> {
  /** The type of the messages, which must be the same on both sides; checked on opening. */
  readonly type: MessageType;
  /** The most bytes that a value can take, or a function that returns it for one value. */
  readonly sizeBytes: number | SizeOf<I>;
  /**
   * Encodes a value into an array of `sizeBytes` bytes, and returns the number of bytes written.
   * The array is usually shared memory with the bytes of older messages in it. Do not keep the
   * array, and do not send through the same handle before this method returns.
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

/** Plain bytes of limited size, as the type of messages or as a field of a struct. */
export interface SizedBytes extends BytesType, Codec<Uint8Array<ArrayBuffer>, Uint8Array> {
  /** The most bytes of a message. */
  readonly sizeBytes: number;
}

/** Text of limited size in UTF-8, as the type of messages or as a field of a struct. */
export interface SizedText extends TextType, Codec<string> {
  /** The most bytes of a message. */
  readonly sizeBytes: number;
}

function plain(name: string): MessageType {
  return { name, hash: fingerprint(`codec ${name}`) };
}

const BYTES = plain("bytes");
const TEXT = plain("text");
const JSON_TEXT = plain("json");

/**
 * Makes the type of plain bytes: up to `size` in a message, exactly `size` in a field of a struct.
 * Without a size, it is a type of messages that only the ring limits.
 *
 * Received arrays of up to 4 KiB are cut from a slab that belongs to the handle: their `buffer` is
 * shared with other messages, and posting one to a Worker clones the slab. A handle that is opened
 * with `own: true` gives each message a buffer of its own.
 *
 * @example Bytes as messages, and as a field
 * ```ts
 * import { bytes, struct } from "@vring/vring";
 *
 * const Frame = bytes(640 * 480); // topic("camera", { type: Frame })
 * const Packet = struct("packet", { time: "f64", payload: bytes(64) });
 * console.log(Frame.sizeBytes, Packet.size); // 307200 72
 * ```
 */
export function bytes(): Codec<Uint8Array<ArrayBuffer>, Uint8Array>;
/** Makes the type of plain bytes: up to `size` in a message, exactly `size` in a field. */
export function bytes(size: number): SizedBytes;
export function bytes(size?: number): Codec<Uint8Array<ArrayBuffer>, Uint8Array> {
  return withForm({
    ...size !== undefined && bytesField(size),
    type: BYTES,
    sizeBytes: size ?? ((value) => byteLengthOf(value, "send", "bytes")),
    encode(value, into) {
      const length = byteLengthOf(value, "send", "bytes");
      if (length > (size ?? length)) throw tooLong("bytes", length, size!);
      fill(into, value);
      return length;
    },
    decode: (value) => value,
  }, { kind: "bytes", most: size });
}

/** Makes the error for a message that its type does not allow. */
export function tooLong(name: string, length: number, most: number): RangeError {
  return new RangeError(
    `Cannot send ${length} bytes as ${name}(${most}): pass at most ${most} bytes`,
  );
}

/** The most bytes of UTF-8 that a UTF-16 unit takes. */
const UNIT_BYTES = 3;

function checkText(value: unknown): string {
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

/** Makes a codec of values that one text stands for. */
function textual<T>(
  type: MessageType,
  size: number | undefined,
  textOf: (value: unknown) => string,
  valueOf: (text: string) => T,
): Codec<T> {
  return withForm({
    type,
    sizeBytes: size ?? ((value) => UNIT_BYTES * textOf(value).length),
    encode: (value, into) =>
      encodeText(textOf(value), size === undefined ? into : into.subarray(0, size)),
    decode: (value) => valueOf(decoder.decode(value)),
    transient: true,
  }, { kind: "text", textOf, most: size, name: type.name });
}

/**
 * Makes the type of text in UTF-8, up to `size` bytes in a message or in a field of a struct.
 * Without a size, it is a type of messages that only the ring limits.
 */
export function text(): Codec<string>;
/** Makes the type of text of up to `size` bytes of UTF-8. */
export function text(size: number): SizedText;
export function text(size?: number): Codec<string> {
  const field = size !== undefined && textField(size);
  const made = textual(TEXT, size, checkText, (text) => text);
  return field ? withForm({ ...field, ...made }, formOf(made)!) : made;
}

function toJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause; // of a toJSON() of the caller
    const [reason] = cause.message.split("\n");
    throw new TypeError(
      `Cannot send ${inWords(value)} as JSON: it has no JSON representation (${reason})`,
      { cause },
    );
  }
  if (json !== undefined) return json;
  throw new TypeError(
    `Cannot send ${typeof value} as JSON: the value has no JSON representation`,
  );
}

// deno-lint-ignore no-explicit-any -- as of JSON.parse: nobody checks the type
function fromJson(text: string): any {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new SyntaxError(
      `Cannot receive a message as JSON: ${message}; its sender used another type, or damaged it`,
      { cause },
    );
  }
}

/**
 * Makes the type of values that are sent as JSON text, up to `size` bytes; unlimited by default.
 * vring does not check `T`: all these types have the same identity, "json". Receiving a message that
 * is no JSON text throws a SyntaxError.
 */
export function json<T>(size?: number): Codec<T> {
  if (size !== undefined) checkCount(size, `json(${inWords(size)})`);
  return textual<T>(JSON_TEXT, size, toJson, fromJson);
}

/**
 * Makes a type with the identity of `type` whose values are the bytes of its messages, unchanged.
 * Use it in tools and bridges that do not know that type. `definition.info()?.details?.type` is the
 * type of an existing region.
 */
export function raw(type: MessageType): Codec<Uint8Array<ArrayBuffer>, Uint8Array> {
  const { name, hash } = Object(type) as MessageType;
  if (typeof name !== "string" || typeof hash !== "bigint") {
    throw new TypeError(
      `Cannot make a codec of ${inWords(name)}, ${
        inWords(hash)
      }: a type has a name and a hash; pass ` +
        "that of a region or a codec",
    );
  }
  return withForm({ ...bytes(), type: { ...type } }, { kind: "bytes" });
}

/** The codecs of this package, in the form in which handles use them without an array per value. */
export type Form =
  /** The bytes themselves. */
  | { readonly kind: "bytes"; readonly most?: number | undefined }
  /** UTF-8 of a text that is made once. */
  | {
    readonly kind: "text";
    readonly textOf: (value: unknown) => string;
    readonly most: number | undefined;
    readonly name: string;
  }
  /** Exactly `size` bytes, through a DataView. */
  | {
    readonly kind: "struct";
    readonly size: number;
    readonly store: (data: DataView, at: number, value: unknown) => void;
    readonly load: (data: DataView, at: number) => unknown;
  };

const FORMS = new WeakMap<object, Form>(); // by identity: a copy with another `encode` has none

/** Records the form of a codec, and freezes the codec. */
export function withForm<C extends object>(codec: C, form: Form): C {
  FORMS.set(codec, form);
  return Object.freeze(codec);
}

/** Returns the form of a codec of this package; undefined for any other. */
export function formOf(codec: object): Form | undefined {
  return FORMS.get(codec);
}
