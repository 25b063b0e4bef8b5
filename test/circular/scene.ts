/**
 * What the tests of circular buffers share: messages that tell which they are, and the inside of a
 * buffer, to be looked at and changed.
 *
 * @module
 */

import { bytes } from "../../src/codec.ts";
import { regionPath } from "../../src/region/names.ts";
import {
  CIRCULAR_BUFFER,
  CIRCULAR_BUFFER_CONTROL,
  type Ring,
  ringOf,
  UNIT,
} from "../../src/circular/circular_buffer.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { joinRegion, openRegion } from "../region/opening.ts";

/** The heads and units of a record, told a second time. */
export const HEAD_BYTES = 32;

/** How many units a record takes. */
export function unitsFor(length: number): number {
  return Math.ceil((HEAD_BYTES + length) / UNIT);
}

const PERIOD = 65_521;
const LONGEST = 2 ** 20;
let endless: Uint8Array<ArrayBuffer> | undefined;

/** The payload of a message: every byte depends on the message and on where in it it is. */
export function payload(sequence: number, length: number): Uint8Array<ArrayBuffer> {
  if (length > LONGEST) throw new RangeError(`A payload has at most ${LONGEST} bytes`);
  endless ??= bytesFrom(0, PERIOD + LONGEST);
  const start = (sequence % PERIOD * 7919 + length) % PERIOD;
  return endless.subarray(start, start + length);
}

/** Whether these bytes are the payload of that message. */
export function isPayload(bytes: Uint8Array, sequence: number): boolean {
  const expected = payload(sequence, bytes.length);
  for (let i = 0; i < expected.length; i++) if (bytes[i] !== expected[i]) return false;
  return true;
}

/** The length of a message, from 0 to `longest`: short ones and long ones in no order. */
export function lengthOf(sequence: number, longest: number): number {
  const random = (Math.imul(sequence + 1, 0x9e3779b1) >>> 8) / 2 ** 24;
  return Math.floor(random ** 3 * (longest + 1));
}

/** How many bytes the messages from one to before another have, by `lengthOf`. */
export function bytesBetween(from: number, to: number, longest: number): number {
  let sum = 0;
  for (let sequence = from; sequence < to; sequence++) sum += lengthOf(sequence, longest);
  return sum;
}

/** The numbers of a head. */
export interface HeadNumbers {
  sequence: number;
  payload: number;
  previous: number;
  length: number;
}

/** A member of a buffer that is neither writer nor reader. While it is open the buffer lives. */
export class Inside implements Disposable {
  /** The words and the data. */
  readonly ring: Ring;

  /** Joins the buffer of this name, or makes it. */
  constructor(name: string, capacity?: number) {
    const path = regionPath(CIRCULAR_BUFFER.name, name);
    const message = bytes().type;
    const region = joinRegion(CIRCULAR_BUFFER, path) ??
      openRegion(CIRCULAR_BUFFER, path, { dataBytes: capacity!, message });
    this.ring = ringOf(name, region);
    if (region.created) this.startAt(0);
  }

  /** A word of the control block, with all its bits. */
  word(
    name: keyof typeof CIRCULAR_BUFFER_CONTROL.fields,
  ): { get(): bigint; set(value: bigint): void } {
    const { mapping, region } = this.ring;
    const view = new DataView(mapping.bytes.buffer);
    const { offset } = CIRCULAR_BUFFER_CONTROL.fields[name];
    const at = mapping.bytes.byteOffset + region.controlOffset + offset;
    const wide = name === "oldest" || name === "published";
    return wide
      ? {
        get: () => view.getBigUint64(at, true),
        set: (value) => view.setBigUint64(at, value, true),
      }
      : {
        get: () => BigInt(view.getUint32(at, true)),
        set: (value) => view.setUint32(at, Number(value), true),
      };
  }

  /** The four numbers of the head at a position, in place. */
  head(position: number): Float64Array<ArrayBuffer> {
    const { mapping, dataOffset, units } = this.ring;
    const start = (dataOffset + position % units * UNIT) / 8;
    return mapping.doubles.subarray(start, start + 4);
  }

  /** Replaces numbers of the head at a position. */
  setHead(position: number, numbers: Partial<HeadNumbers>): void {
    const head = this.head(position);
    const names = ["sequence", "payload", "previous", "length"] as const;
    names.forEach((name, i) => head[i] = numbers[name] ?? head[i]!);
  }

  /** As if everything up to a position had been written and overwritten. */
  startAt(position: number, { sequence = 0, payload = 0 } = {}): void {
    const { oldest, published } = this.ring;
    this.setHead(position, { sequence, payload, previous: -1, length: 0 });
    oldest.store(position);
    published.store(position);
  }

  [Symbol.dispose](): void {
    this.ring.region.close();
  }
}
