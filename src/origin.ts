/**
 * The origin of a message that a bridge republished: its first publisher, and the bridges that it
 * passed. Topics and slots store it in a row of its own, which only readers of such a message load.
 *
 * The first bridge sets `host`, `incarnation` and `sequence`; every further bridge keeps them and
 * adds 1 to `hops`. So a program recognizes a message that arrives twice, or returns.
 *
 * @module
 */

import { inWords } from "./arguments.ts";
import { layout } from "./layout/layout.ts";
import { isCount } from "./layout/sizes.ts";

/** The first publisher of a message that a bridge republished. */
export interface Origin {
  /**
   * The name of the machine, or of the bridge's peer: 1 to 64 characters of printable ASCII without
   * spaces.
   */
  readonly host: string;
  /**
   * A number that differs for each run of that publisher, such as its start time in milliseconds.
   */
  readonly incarnation: number;
  /** The number that the first publisher gave the message. */
  readonly sequence: number;
  /** The number of bridges that the message has passed, 1 to 255. */
  readonly hops: number;
}

/** The most bridges that a message can pass. */
export const HOPS_MAX = 255;

const HOST_BYTES = 64;
const TIME_MAX = 8.64e15;

/** The words of an origin. The writer of the message writes them. */
export const ORIGIN = layout("origin", {
  host: { type: layout.text(HOST_BYTES), doc: "the machine of the first publisher" },
  incarnation: { type: "f64", doc: "the life of that publisher" },
  sequence: { type: "f64", doc: "the number of the message there" },
  hops: { type: "u32", doc: "the bridges passed: 1 to 255" },
});

/**
 * Returns a copy of an origin that a caller passes; throws a TypeError or RangeError for one that
 * cannot be stored.
 *
 * @param what The object of the message in words, such as `topic "demo"`.
 */
export function checkedOrigin(origin: Origin, what: string): Origin {
  if (typeof origin !== "object" || origin === null) {
    throw new TypeError(
      `Cannot mark a message of ${what} with the origin ${inWords(origin)}: ` +
        "pass { host, incarnation, sequence, hops }",
    );
  }
  const { host, incarnation, sequence, hops } = origin; // once: a getter may return another value
  const own = { host, incarnation, sequence, hops };
  const problem = problemOf(own);
  if (problem !== undefined) {
    throw new RangeError(`Cannot mark a message of ${what} with an origin: ${problem}`);
  }
  return own;
}

/** Whether a number is a time of day that a correct peer stores: one that a Date can hold. */
export function isTime(time: number): boolean {
  return time >= 0 && time <= TIME_MAX;
}

/** Returns the origin in private bytes; undefined if no correct peer stores these. */
export function originIn(bytes: Uint8Array): Origin | undefined {
  const { host, incarnation, sequence, hops } = ORIGIN.read(bytes);
  const origin = { host, incarnation, sequence, hops };
  return problemOf(origin) === undefined ? origin : undefined;
}

const { host: HOST, incarnation: INCARNATION, sequence: SEQUENCE, hops: HOPS } = ORIGIN.fields;

/**
 * Writes and reads origins for one handle. Almost all messages of a bridge come from the host of the
 * message before, whose name it keeps: to encode it costs ten times as much as the rest.
 */
export class OriginCodec {
  readonly #written: Uint8Array<ArrayBuffer> = new Uint8Array(ORIGIN.size);
  readonly #into: DataView = new DataView(this.#written.buffer);
  readonly #read: Uint8Array<ArrayBuffer> = new Uint8Array(ORIGIN.size);
  readonly #from: DataView = new DataView(this.#read.buffer);
  readonly #hostBytes: Uint8Array<ArrayBuffer> = new Uint8Array(HOST_BYTES); // of the origin read last
  #hostWritten: string | undefined;
  #hostRead: string | undefined;

  /** Returns the words of a checked origin, until the next call. */
  encode(origin: Origin): Uint8Array<ArrayBuffer> {
    if (origin.host !== this.#hostWritten) {
      ORIGIN.write(this.#written, origin);
      this.#hostWritten = origin.host;
    } else {
      this.#into.setFloat64(INCARNATION.offset, origin.incarnation, true);
      this.#into.setFloat64(SEQUENCE.offset, origin.sequence, true);
      this.#into.setUint32(HOPS.offset, origin.hops, true);
    }
    return this.#written;
  }

  /** The array to copy the words of an origin into, for `decode`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#read;
  }

  /** Returns the origin in `bytes`; undefined if no correct peer stores these. */
  decode(): Origin | undefined {
    if (this.#hostRead === undefined || !this.#hasHost()) {
      const origin = originIn(this.#read);
      this.#hostRead = origin?.host;
      this.#hostBytes.set(this.#read.subarray(HOST.offset, HOST.offset + HOST_BYTES));
      return origin;
    }
    const origin = {
      host: this.#hostRead,
      incarnation: this.#from.getFloat64(INCARNATION.offset, true),
      sequence: this.#from.getFloat64(SEQUENCE.offset, true),
      hops: this.#from.getUint32(HOPS.offset, true),
    };
    return problemOf(origin) === undefined ? origin : undefined;
  }

  #hasHost(): boolean {
    for (let i = 0; i < HOST_BYTES; i++) {
      if (this.#read[HOST.offset + i] !== this.#hostBytes[i]) return false;
    }
    return true;
  }
}

/** The host that was checked last: almost all messages come from the host of the one before. */
let soundHost = "-";

function isHost(host: unknown): boolean {
  if (host === soundHost) return true;
  const isSound = typeof host === "string" && host.length <= HOST_BYTES && /^[!-~]+$/.test(host);
  if (isSound) soundHost = host;
  return isSound;
}

function problemOf({ host, incarnation, sequence, hops }: Origin): string | undefined {
  if (!isHost(host)) {
    return `its host is ${inWords(host)}; pass 1 to ${HOST_BYTES} printable characters of ASCII`;
  }
  if (!isCount(incarnation)) return `its incarnation is ${inWords(incarnation)}; pass a count`;
  if (!isCount(sequence)) return `its sequence is ${inWords(sequence)}; pass a count`;
  if (isCount(hops, HOPS_MAX) && hops > 0) return undefined;
  return `its hops are ${inWords(hops)}; pass 1 to ${HOPS_MAX}`;
}
