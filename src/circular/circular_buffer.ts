/**
 * An overwriting ring: one writer that never waits, and any number of readers, each of whom gets
 * every message or learns exactly what it lost.
 *
 * ```
 *        oldest                            published            oldest + capacity
 *   ...... | head | payload | head | payload | head | ............ |
 *   gone   |            intact                      | being written, or free
 * ```
 *
 * Positions count in units of 8 bytes, for ever; the byte is at `position % units * 8`, and what
 * runs past the end is contiguous because the data is mapped twice. At 2^53 units (72 PB: 83 days
 * at 10 GB/s) the writer refuses to go on.
 *
 * A head is four numbers, and every position from `oldest` to `published` that begins a record has
 * one, the last included, whose record is not written yet:
 *
 *   sequence   how many messages came before
 *   payload    how many payload bytes came before, modulo 2^52 (4.5 PB), so that a loss is exact
 *              unless it is larger than that
 *   previous   the position of the record before, -1 for the first
 *   length     the payload bytes of this record; not yet valid at `published`
 *
 * So a reader that finds itself anywhere in that range knows how many messages and bytes lie
 * between it and where it was.
 *
 * I1  Bytes of [oldest, published] and of the head at `published` do not change, save for the
 *     length there, which nobody reads until `published` has moved past it. (The writer may store
 *     what is there already, to have the line at hand: nobody can tell.)
 * I2  `oldest` and `published` never decrease, also when a writer takes over; both begin a record;
 *     published - oldest plus a head fits in the capacity.
 * P1  The writer moves `oldest` past whatever a record will overwrite, with a full barrier, before
 *     it writes the first byte of it; the reader reads `oldest` again after the last byte it
 *     copied, behind a barrier. If `oldest` is not beyond the record then, no byte of it had been
 *     overwritten: what was copied is whole. (The barriers are what ARM needs: the bytes are plain
 *     accesses, and a sequentially consistent store alone lets plain stores that follow pass it.)
 * P2  Record and next head are written before `published` is stored, and read after it is loaded.
 * C1  A writer that dies before storing `published` leaves the record unpublished. Bytes that it
 *     overwrote lie below `oldest`, where nobody accepts any. Its successor begins at `published`,
 *     whose head is intact (I1), and `oldest` stays where it is: no reservation moves back.
 * C2  A writer that dies between `published` and the bell: readers look again after a slice, and
 *     the successor rings the bell.
 * C3  A writer that dies leaves `state` at open and its role free (seats.ts). Readers that wait look
 *     at that before each sleep and after each slice.
 * C4  A reader that dies is not missed: readers leave no trace but a raised bell.
 *
 * Not promised: that a reader which is slower than the writer for long sees more than now and then
 * a message; and that bytes seen in place (`poll`) are whole before they are validated.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import { isCount, LINE_BYTES } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import {
  copyDoublesIn,
  copyDoublesOut,
  loadDouble,
  prefetch,
  storeDouble,
  Word32,
  Word64,
} from "../memory/word.ts";
import type { RegionKind } from "../region/header.ts";
import { REGION_HEADER } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import type { Seat } from "../region/seats.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The control block of a circular buffer. */
export const CIRCULAR_BUFFER_CONTROL = layout("circular_buffer_control", {
  oldest: { type: "u64", atomic: true, line: true, doc: "the writer: the first intact record" },
  published: { type: "u64", atomic: true, line: true, doc: "the writer: the end of the last one" },
  bell: { type: "u32", line: true, doc: "rung by the writer; raised by readers that wait" },
  state: { type: "u32", line: true, doc: "the writer: 0 has never been, 1 open, 2 closed" },
}, { version: 2 });

/** How circular buffers are told from other regions. */
export const CIRCULAR_BUFFER: RegionKind = {
  name: "circular",
  title: "circular buffer",
  control: CIRCULAR_BUFFER_CONTROL,
  mirrored: true,
};

/** The role of the writer. */
const WRITER_ROLE = 0;

/** Bytes of a position. */
export const UNIT = 8;

/** The bytes of a head. */
export const HEAD_BYTES = 32;
const LENGTH_AT = 24;

/** The end of all positions. */
export const LAST_POSITION: number = 2 ** 53 - 2 ** 32;

/** Where the count of payload bytes begins again at 0; with a message on top it is still exact. */
const PAYLOAD_LIMIT = 2 ** 52;

/** The count of payload bytes after some more. */
export function addPayload(payload: number, length: number): number {
  const sum = payload + length;
  return sum < PAYLOAD_LIMIT ? sum : sum - PAYLOAD_LIMIT;
}

/** How many payload bytes lie between two counts. */
export function payloadBetween(from: number, to: number): number {
  return to < from ? to - from + PAYLOAD_LIMIT : to - from;
}

/** The units that a record of this payload takes, its own head included; at most 2^30 bytes. */
export function unitsOf(length: number): number {
  return (HEAD_BYTES + length + UNIT - 1) >>> 3;
}

/** The longest message: its record and the next head fit at once. */
export function longestMessage(capacity: number): number {
  return capacity - 2 * HEAD_BYTES;
}

/** A head, copied out of the ring or on its way into it. */
export class Head {
  readonly #numbers = new Float64Array(4);

  /** How many messages came before. */
  get sequence(): number {
    return this.#numbers[0]!;
  }

  /** How many payload bytes came before, modulo 2^52. */
  get payload(): number {
    return this.#numbers[1]!;
  }

  /** The position of the record before, -1 for the first. */
  get previous(): number {
    return this.#numbers[2]!;
  }

  /** How many payload bytes follow. */
  get length(): number {
    return this.#numbers[3]! + 0; // -0, which a peer may store and no call takes for 0, becomes 0
  }

  /** Whether the counts can be any; the length is for those who know whether there is one. */
  get isSound(): boolean {
    return isCount(this.sequence, LAST_POSITION) && isCount(this.payload, PAYLOAD_LIMIT - 1);
  }

  /**
   * Takes the head at a byte offset of the data. The payload is on the next cache line, too: asked
   * for only when it is copied, it would cross from the writer's processor after this one.
   */
  load(ring: Ring, offset: number): void {
    const start = ring.dataOffset + offset;
    prefetch(ring.mapping, start + LINE_BYTES);
    copyDoublesOut(ring.mapping, start, this.#numbers);
  }

  /** Sets the length, here and in the head at a byte offset. */
  storeLength(ring: Ring, offset: number, length: number): void {
    this.#numbers[3] = length;
    storeDouble(ring.mapping, ring.dataOffset + offset + LENGTH_AT, length);
  }

  /** Becomes the head of the record that follows this one at `position`, and is stored there. */
  storeNext(ring: Ring, offset: number, position: number): void {
    this.#numbers[0]! += 1;
    this.#numbers[1] = addPayload(this.#numbers[1]!, this.#numbers[3]!);
    this.#numbers[2] = position;
    this.#numbers[3] = 0;
    copyDoublesIn(ring.mapping, ring.dataOffset + offset, this.#numbers);
  }

  /** Stores the head of the very first record. */
  storeFirst(mapping: Mapping, offset: number): void {
    this.#numbers.set([0, 0, -1, 0]);
    copyDoublesIn(mapping, offset, this.#numbers);
  }
}

/** The length in the head at a byte offset. */
export function loadLength(ring: Ring, offset: number): number {
  return loadDouble(ring.mapping, ring.dataOffset + offset + LENGTH_AT);
}

/** The words and the data of an attached circular buffer. */
export interface Ring {
  readonly name: string;
  /** Such as `circular buffer "demo"`, for messages. */
  readonly what: string;
  readonly region: Region;
  readonly mapping: Mapping;
  /** Where in the mapping the data begins. */
  readonly dataOffset: number;
  readonly capacity: number;
  /** The capacity in units. */
  readonly units: number;
  readonly oldest: Word64;
  readonly published: Word64;
  /** The low half of `published`, which changes with it: what waiters watch. */
  readonly publishedLow: Word32;
  readonly bell: Doorbell;
  readonly writer: Seat;
}

/** The words and the data of a region. */
export function ringOf(name: string, region: Region): Ring {
  const { mapping, controlOffset, dataOffset, dataBytes } = region;
  const { oldest, published, bell, state } = CIRCULAR_BUFFER_CONTROL.fields;
  return {
    name,
    what: `circular buffer "${name}"`,
    region,
    mapping,
    dataOffset,
    capacity: dataBytes,
    units: dataBytes / UNIT,
    oldest: new Word64(mapping, oldest, controlOffset),
    published: new Word64(mapping, published, controlOffset),
    publishedLow: new Word32(mapping, published, controlOffset),
    bell: new Doorbell(mapping, bell, controlOffset),
    writer: { role: WRITER_ROLE, state: new Word32(mapping, state, controlOffset) },
  };
}

/** Fills the data of a new region: nothing is published, and the first head is there. */
export function initialise(mapping: Mapping, dataOffset: number): void {
  new Head().storeFirst(mapping, dataOffset);
}

/** Where the control block begins in every region. */
export const CONTROL_OFFSET: number = REGION_HEADER.size;

/** The error for what no correct writer does. */
export function corruptRing(ring: Ring, state: string): CorruptRegionError {
  return corrupt(ring.what, state);
}

/** The error for a head with counts that cannot be. */
export function corruptHead(ring: Ring, position: number, head: Head): CorruptRegionError {
  return corruptRing(ring, `the head at ${position} tells of message ${head.sequence}`);
}

/** The byte of the data that comes `units` after the one at `offset`. */
export function offsetAfter(ring: Ring, offset: number, units: number): number {
  const next = offset + units * UNIT;
  return next < ring.capacity ? next : next - ring.capacity;
}
