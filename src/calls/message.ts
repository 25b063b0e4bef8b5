/**
 * The messages of calls: requests, and answers of three kinds.
 *
 * ```
 *   | call and kind, 8 bytes | generation, 8 bytes | body .. |
 * ```
 *
 * The first number is the call's number times 4 plus a kind: `Asked` in a request, `Kind` in an
 * answer. The generation is that of the client.
 *
 * @module
 */

import { trueLengthOf } from "../arrays.ts";
import type { Codec } from "../codec.ts";
import { CorruptRegionError, RemoteError, type VringError } from "../errors.ts";
import { copyIn, copyOut, loadDouble, storeDouble } from "../memory/word.ts";
import { Landing } from "../landing.ts";
import type { LaneReceiver, LaneSender } from "../lane/lane.ts";
import {
  finishRecord,
  longestRecord,
  payloadOffset,
  RECORD_HEADER,
  recordBytes,
} from "../lane/record.ts";

/** The kind of an answer, in the lowest bits of its call number. */
export const Kind = { ok: 0, error: 1, refused: 2 } as const;

/** The kind of a request, in the same bits: a sum of these. */
export const Asked = {
  /** The call waits for the next server if this one closes before it takes the request. */
  waits: 1,
  /** A server that is gone may have handled it. */
  retried: 2,
} as const;

const KINDS = 4;

/** The bytes before the body of every message: the call and its kind, the generation. */
const HEADER = 16;

/** Returns the longest body that a lane can hold. */
export function longestBody(capacity: number): number {
  return longestRecord(capacity) - HEADER;
}

/** Returns the number of bytes that a message with a body of this length takes in a lane. */
export function messageBytes(bodyBytes: number): number {
  return recordBytes(HEADER + bodyBytes);
}

/** The header of a message. */
export class Envelope {
  call = 0;
  kind = 0;
  generation = 0;
  bodyBytes = 0;
  readonly #landing: Landing;

  constructor(own: boolean) {
    this.#landing = new Landing({ own });
  }

  /** Reads the header of a lane's first message, whose length this is. */
  read(lane: LaneReceiver, length: number): void {
    const { mapping, what } = lane.place;
    const at = lane.offset + RECORD_HEADER;
    const numbers = length < HEADER ? NaN : loadDouble(mapping, at);
    const generation = length < HEADER ? NaN : loadDouble(mapping, at + 8);
    if (!(numbers >= 0 && Number.isSafeInteger(numbers) && Number.isInteger(generation))) {
      throw new CorruptRegionError(
        `Cannot read from ${what}: a message of ${length} bytes does not begin with the header of ` +
          "a call; unlink it and make a new one",
      );
    }
    this.kind = numbers % KINDS;
    this.call = (numbers - this.kind) / KINDS;
    this.generation = generation;
    this.bodyBytes = length - HEADER;
  }

  /** Copies the body into an array, and returns its length; returns -1 if the array is shorter. */
  copyBody(lane: LaneReceiver, target: Uint8Array<ArrayBuffer>): number {
    const { bodyBytes } = this;
    if (trueLengthOf(target) < bodyBytes) return -1;
    const { mapping } = lane.place;
    if (bodyBytes > 0) copyOut(mapping, lane.offset + RECORD_HEADER + HEADER, target, bodyBytes);
    return bodyBytes;
  }

  /** Copies the body, for this codec to decode at once. */
  readBody(
    lane: LaneReceiver,
    codec: { readonly transient?: boolean | undefined },
  ): Uint8Array<ArrayBuffer> {
    const body = this.#landing.arrayFor(this.bodyBytes, codec);
    copyOut(lane.place.mapping, lane.offset + RECORD_HEADER + HEADER, body, body.length);
    return body;
  }

  /** Decodes a body from `readBody`. */
  decode<T>(codec: Codec<T>, body: Uint8Array<ArrayBuffer>): T {
    return this.#landing.decode(codec, body);
  }
}

/** The longest error message that is sent: enough to read, and short enough for every lane. */
const ERROR_CHARACTERS = 500;
const NAME_CHARACTERS = 50;

/** The longest code that is sent. A longer one is not sent: a part of it would be another code. */
const CODE_CHARACTERS = 50;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A thrown value, as an answer describes it. */
interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number | undefined;
}

/** Makes the body of an answer that carries a thrown value of any type. */
export function errorBody(error: unknown): Uint8Array<ArrayBuffer> {
  const { name, message, code } = describeError(error);
  const text = JSON.stringify({
    name: name.slice(0, NAME_CHARACTERS),
    message: message.slice(0, ERROR_CHARACTERS),
    code,
  });
  return encoder.encode(text);
}

function describeError(error: unknown): Thrown {
  try {
    if (!(error instanceof Error)) return { name: "", message: describeThrown(error) };
    const { name, message } = error;
    return { name: `${name}`, message: `${message}`, code: codeOf(error) };
  } catch {
    return { name: "", message: "The handler threw a value that has no text" };
  }
}

/** Describes a thrown value other than an Error; a string is its own description. */
function describeThrown(value: unknown): string {
  if (typeof value === "string") return value;
  const json = typeof value === "object" && value !== null ? JSON.stringify(value) : undefined;
  return `The handler threw ${json ?? String(value)}`;
}

function codeOf(error: Error & { code?: unknown }): string | number | undefined {
  try {
    const { code } = error;
    return isCode(code) ? code : undefined;
  } catch {
    return undefined; // a getter threw: the error travels without its code
  }
}

/** Whether a value can be the code of an error, such as "ENOENT" or 404. */
function isCode(value: unknown): value is string | number {
  return typeof value === "string" ? value.length <= CODE_CHARACTERS : Number.isFinite(value);
}

/** Returns the error that such a body carries. */
export function errorFrom(body: Uint8Array<ArrayBuffer>, what: string): VringError {
  try {
    const { name, message, code } = Object(JSON.parse(decoder.decode(body)));
    if (typeof name === "string" && typeof message === "string") {
      return new RemoteError(name, message, isCode(code) ? code : undefined);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new CorruptRegionError(
    `Cannot read from ${what}: an error of ${body.length} bytes has no name and message; unlink ` +
      "it and make a new one",
  );
}

/** A message with its numbers. */
export interface Outgoing {
  readonly call: number;
  readonly kind: number;
  readonly generation: number;
  readonly body: Uint8Array;
}

/** Writes a message into free space and publishes it. */
export function post(lane: LaneSender, message: Outgoing): void {
  const { body } = message;
  copyIn(lane.place.mapping, bodyOffset(lane), body);
  postBody(lane, message, body.length);
}

/** The offset of the body of the next message, in the sender's mapping. */
export function bodyOffset(lane: LaneSender): number {
  return payloadOffset(lane) + HEADER;
}

/** Publishes the next message, whose body is in place. */
export function postBody(lane: LaneSender, numbers: Omit<Outgoing, "body">, bytes: number): void {
  const { call, kind, generation } = numbers;
  const { mapping } = lane.place;
  const at = payloadOffset(lane);
  storeDouble(mapping, at, call * KINDS + kind);
  storeDouble(mapping, at + 8, generation);
  finishRecord(lane, HEADER + bytes);
  lane.announce();
}
