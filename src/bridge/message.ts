/**
 * The messages between bridges: several samples in one, a part of a large one, or none.
 *
 * The headers say what a program without this code needs to use the payload. A message with one
 * whole sample has its bytes as payload. Several samples are in records, one after the other:
 *
 * ```
 *   f64 sequence | f64 time | u32 length | bytes       little endian, without gaps
 * ```
 *
 * The batches of a ring are records, too, with the number of the producer in place of the time.
 *
 * A message with a count of 0 is a mark: everything before its sequence was sent. It shows a loss
 * behind which nothing follows. The layout is in the first message of each incarnation after each
 * start of the connection; a bridge that misses it asks for it.
 *
 * @module
 */

import { HOPS_MAX } from "../origin.ts";
import { isTime } from "../origin.ts";
import { isCount } from "../layout/sizes.ts";
import type { Headers } from "./carrier.ts";

/** The numbers of samples that a bridge could not send, since it began to export. */
export interface Unsent {
  /** Lost before the bridge, as its subscriber counted. */
  readonly before: number;
  /** Dropped in the bridge: too much was in flight, or the connection was broken. */
  readonly inside: number;
  /** Not sent on purpose, as another bridge had published them. */
  readonly skipped: number;
}

/** The first publisher of samples, and the bridges passed: what all samples of a message share. */
export interface Stem {
  readonly host: string;
  readonly incarnation: number;
  readonly hops: number;
}

/** The part of a sample in a message. */
export interface Chunk {
  readonly index: number;
  readonly count: number;
  /** The bytes of the whole sample. */
  readonly total: number;
}

/** The headers of a message. */
export interface Heading {
  readonly stem: Stem;
  /** The source, in a topic with many publishers. */
  readonly source: string | undefined;
  /** The hash of the type, as `hashText` writes it. */
  readonly hash: string;
  /** The definition as text, if this message has it. */
  readonly offer: string | undefined;
  /** The number of samples. */
  readonly count: number;
  /** The number of the first sample, or the next number for a mark. */
  readonly sequence: number;
  /** The time of the first sample. */
  readonly time: number;
  readonly unsent: Unsent;
  readonly chunk: Chunk | undefined;
  /** Whether this is the last message: the topic, or the bridge, has ended. */
  readonly isEnd: boolean;
  /** The place among the kept messages of its stem and source. */
  readonly order?: Order | undefined;
}

/** The place of a kept message among others: several are on their way at a time. */
export interface Order {
  /** The last number in the messages before; 0 in the first message. */
  readonly follows: number;
  /** The last number in these and in this one. */
  readonly upTo: number;
}

/** The bytes of a record besides those of its sample. */
export const RECORD_BYTES = 20;
const TOTAL_MAX = 2 ** 32;

/** The header that each message has: ten words, as one header takes a third of the time of four. */
const SAMPLES = "Vring-Samples";

/** Writes headers. */
export function headersOf(heading: Heading): Map<string, string> {
  const { stem, source, hash, offer, count, sequence, time, unsent, chunk, isEnd, order } = heading;
  const { host, incarnation, hops } = stem;
  const { before, inside, skipped } = unsent;
  const samples = `${count} ${sequence} ${time} ${hash} ${incarnation} ${hops} ${host}`;
  const headers = new Map([[SAMPLES, `${samples} ${before} ${inside} ${skipped}`]]);
  if (source !== undefined) headers.set("Vring-Source", source);
  if (offer !== undefined) headers.set("Vring-Definition", offer);
  if (chunk !== undefined) {
    headers.set("Vring-Chunk", `${chunk.index} ${chunk.count} ${chunk.total}`);
  }
  if (isEnd) headers.set("Vring-End", "1");
  if (order !== undefined) headers.set("Vring-Order", `${order.follows} ${order.upTo}`);
  return headers;
}

/** Reads headers; returns undefined if no bridge writes such ones. */
export function headingIn(headers: Headers): Heading | undefined {
  const words = (headers.get(SAMPLES) ?? "").split(" ");
  if (words.length !== 10) return undefined;
  const [count, sequence, time] = [Number(words[0]), Number(words[1]), Number(words[2])];
  const [incarnation, hops] = [Number(words[4]), Number(words[5])];
  const [before, inside, skipped] = [Number(words[7]), Number(words[8]), Number(words[9])];
  const [hash, host] = [words[3]!, words[6]!];
  if (!/^[!-~]{1,64}$/.test(host) || !isCount(incarnation)) return undefined;
  if (!isCount(hops, HOPS_MAX) || hops === 0) return undefined;
  if (!isCount(count) || !isCount(sequence) || !isTime(time)) return undefined;
  if (!isCount(before) || !isCount(inside) || !isCount(skipped)) return undefined;
  const chunk = headers.has("Vring-Chunk") ? chunkIn(headers.get("Vring-Chunk")!) : undefined;
  if (chunk === null || chunk !== undefined && count !== 1) return undefined;
  const [follows, upTo] = numbersIn(headers.get("Vring-Order"), 2) ?? [];
  return {
    stem: { host, incarnation, hops },
    source: headers.get("Vring-Source"),
    hash,
    offer: headers.get("Vring-Definition"),
    count,
    sequence,
    time,
    unsent: { before, inside, skipped },
    chunk,
    isEnd: headers.has("Vring-End"),
    order: follows === undefined ? undefined : { follows, upTo: upTo! },
  };
}

function chunkIn(text: string): Chunk | null {
  const [index, count, total] = numbersIn(text, 3) ?? [];
  if (index === undefined || total! > TOTAL_MAX || index >= count!) return null;
  return { index, count: count!, total: total! };
}

function numbersIn(text: string | undefined, count: number): number[] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(" ").map(Number);
  const isSound = text !== "" && numbers.length === count && numbers.every((n) => isCount(n));
  return isSound ? numbers : undefined;
}

/** Collects samples for one message. */
export class Batch {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #data: DataView;
  #used = 0;
  #count = 0;
  #first = 0;
  #last = 0;
  #time = 0;

  /** @param sizeBytes The most bytes of a payload. */
  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
    this.#data = new DataView(this.#bytes.buffer);
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the first sample. */
  get sequence(): number {
    return this.#first;
  }

  /** The number of the last sample. */
  get last(): number {
    return this.#last;
  }

  /** The time of the first sample. */
  get time(): number {
    return this.#time;
  }

  /** Whether a sample of this length still fits. */
  fits(length: number): boolean {
    return this.#used + RECORD_BYTES + length <= this.#bytes.length;
  }

  /** Copies a sample that fits. */
  add(sequence: number, time: number, bytes: Uint8Array): void {
    if (this.#count === 0) [this.#first, this.#time] = [sequence, time];
    this.#last = sequence;
    const at = this.#used;
    this.#data.setFloat64(at, sequence, true);
    this.#data.setFloat64(at + 8, time, true);
    this.#data.setUint32(at + 16, bytes.length, true);
    this.#bytes.set(bytes, at + RECORD_BYTES);
    this.#used = at + RECORD_BYTES + bytes.length;
    this.#count++;
  }

  /** The payload, until the next sample is added: the bytes of one sample, or records. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(this.#count === 1 ? RECORD_BYTES : 0, this.#used);
  }

  /** The payload as records, whatever their number. */
  get records(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = this.#count = 0;
  }
}

/** Returns the samples of a message without a chunk; undefined if its payload is damaged. */
export function samplesIn(heading: Heading, payload: Uint8Array): Samples | undefined {
  const { count, sequence } = heading;
  if (count < 2) return Samples.whole(payload, sequence, count);
  const samples = Samples.records(payload);
  return samples?.count === count ? samples : undefined;
}

/**
 * The samples of a message, one after the other. It makes no object for each: a bridge reads hundreds
 * of thousands in a second.
 */
export class Samples {
  /** The number of samples. */
  readonly count: number;
  /** The number of the current sample. */
  sequence: number;
  /** The place of its bytes in the payload. */
  at: number;
  length: number;
  #payload: Uint8Array;
  #isOwn = false; // the payload is a copy
  readonly #data: DataView | undefined; // of records
  #next = 0;

  private constructor(payload: Uint8Array, count: number, sequence: number, data?: DataView) {
    this.count = count;
    this.sequence = sequence;
    this.at = 0;
    this.length = payload.length;
    this.#payload = payload;
    this.#data = data;
  }

  /** A payload that is one sample, or none. */
  static whole(payload: Uint8Array, sequence: number, count = 1): Samples {
    return new Samples(payload, count, sequence);
  }

  /** A payload of records; undefined if it is damaged. */
  static records(payload: Uint8Array): Samples | undefined {
    const data = new DataView(payload.buffer, payload.byteOffset, payload.length);
    let count = 0;
    let at = 0;
    for (; at + RECORD_BYTES <= payload.length; count++) {
      if (!isCount(data.getFloat64(at, true)) || !isTime(data.getFloat64(at + 8, true))) {
        return undefined;
      }
      at += RECORD_BYTES + data.getUint32(at + 16, true);
    }
    return at === payload.length ? new Samples(payload, count, 0, data) : undefined;
  }

  /** Goes to the next sample; returns false after the last one. */
  next(): boolean {
    if (this.#next === this.count) return false;
    this.#next++;
    const data = this.#data;
    if (data === undefined) return true;
    const from = this.#next === 1 ? 0 : this.at + this.length;
    this.sequence = data.getFloat64(from, true);
    this.length = data.getUint32(from + 16, true);
    this.at = from + RECORD_BYTES;
    return true;
  }

  /** The time of the current record, or the number of its producer. */
  get time(): number {
    return this.#data!.getFloat64(this.at - RECORD_BYTES + 8, true);
  }

  /** The bytes of the current sample. */
  get bytes(): Uint8Array {
    return this.#payload.subarray(this.at, this.at + this.length);
  }

  /** Returns a copy of the payload, which is made once. */
  keep(): Uint8Array {
    if (!this.#isOwn) this.#payload = this.#payload.slice();
    this.#isOwn = true;
    return this.#payload;
  }
}
