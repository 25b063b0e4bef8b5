/**
 * An overwriting ring: one writer that never waits, and any number of readers. Each reader receives
 * every message or learns exactly how much it lost.
 *
 * ```
 *        oldest                            published            oldest + capacity
 *   ...... | head | payload | head | payload | head | ............ |
 *   gone   |            intact                      | being written, or free
 * ```
 *
 * Positions count units of 8 bytes and only grow. The byte is at `position % units * 8`. A record
 * that runs past the end is contiguous, because the data is mapped twice. At 2^53 units (72 PB: 83
 * days at 10 GB/s) the writer stops with an error.
 *
 * A head is four numbers. Every position from `oldest` to `published` that begins a record has one.
 * The head at `published` is there too, although its record is not written yet:
 *
 *   sequence   the number of earlier messages
 *   payload    the number of earlier payload bytes, modulo 2^52 (4.5 PB); a loss is exact unless it
 *              is larger than that
 *   previous   the position of the previous record, -1 for the first
 *   length     the payload bytes of this record; not yet valid at `published`
 *
 * So a reader that jumps to any record in that range knows how many messages and bytes it skipped.
 *
 * I1  Bytes of [oldest, published] and of the head at `published` do not change. The length in that
 *     head is an exception: no reader loads it until `published` has moved past it. (The writer may
 *     store the same values again, to fetch the line; no reader can tell.)
 * I2  `oldest` and `published` never decrease, even when a writer takes over; both begin a record;
 *     published - oldest plus a head fits in the capacity.
 * P1  The writer moves `oldest` past all records that it will overwrite, with a full barrier,
 *     before it writes the first byte; the reader reads `oldest` again after the last byte it
 *     copied, behind a barrier. If `oldest` is not beyond the record then, no byte of it had been
 *     overwritten: the copy is whole. (The barriers are what ARM needs: the bytes are plain
 *     accesses, and a sequentially consistent store alone lets later plain stores pass it.)
 * P2  Record and next head are written before `published` is stored, and read after it is loaded.
 * C1  A writer that dies before storing `published` leaves the record unpublished. Bytes that it
 *     overwrote are below `oldest`, where no reader accepts any. Its successor begins at
 *     `published`, whose head is intact (I1), and `oldest` stays where it is: no reservation moves
 *     back.
 * C2  A writer that dies between `published` and the bell: readers look again after a slice, and
 *     the successor rings the bell.
 * C3  A writer that dies leaves `state` at open and its role free (seats.ts). Waiting readers check
 *     this before each sleep and after each slice.
 * C4  A reader that dies needs no repair: it leaves no trace but a raised bell.
 *
 * Limits: a reader that stays slower than the writer receives only an occasional message. Bytes
 * seen in place (`poll`) may be torn until the reader has validated them.
 *
 * Load buffering: readers store nothing but bells, and so no store of theirs can pass their reads. A
 * writer loads only what writers stored, after it has acquired their role from the kernel.
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
import type { RegionType } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import type { Seat } from "../region/seats.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The control block of a circular buffer. */
export const CIRCULAR_BUFFER_CONTROL = layout("circular_buffer_control", {
  oldest: { type: "u64", atomic: true, line: true, doc: "the writer: the first intact record" },
  published: { type: "u64", atomic: true, line: true, doc: "the writer: the end of the last one" },
  bell: { type: "u32", line: true, doc: "rung by the writer; raised by readers that wait" },
  state: { type: "u32", line: true, doc: "the writer: 0 never existed, 1 open, 2 closed" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of a reader's event loop; 0 if none" },
}, { version: 2 });

/** The region type of circular buffers. */
export const CIRCULAR_BUFFER: RegionType = {
  name: "circular",
  title: "circular buffer",
  control: CIRCULAR_BUFFER_CONTROL,
  mirrored: true,
};

/** The role of the writer. */
const WRITER_ROLE = 0;

/** The bytes in a unit of positions. */
export const UNIT = 8;

/** The bytes of a head. */
export const HEAD_BYTES = 32;
const LENGTH_AT = 24;

/** The last position that a writer may reach. */
export const LAST_POSITION: number = 2 ** 53 - 2 ** 32;

/**
 * The value at which the count of payload bytes wraps to 0; a message added to it is still exact.
 */
const PAYLOAD_LIMIT = 2 ** 52;

/** Adds to a count of payload bytes. */
export function addPayload(payload: number, length: number): number {
  const sum = payload + length;
  return sum < PAYLOAD_LIMIT ? sum : sum - PAYLOAD_LIMIT;
}

/** Returns the payload bytes between two counts. */
export function payloadBetween(from: number, to: number): number {
  return to < from ? to - from + PAYLOAD_LIMIT : to - from;
}

/** Returns the units of a record with this payload, its own head included; at most 2^30 bytes. */
export function unitsOf(length: number): number {
  return (HEAD_BYTES + length + UNIT - 1) >>> 3;
}

/** Returns the longest message whose record fits together with the next head. */
export function longestMessage(capacity: number): number {
  return capacity - 2 * HEAD_BYTES;
}

/** A head, as copied out of the ring or before it is stored there. */
export class Head {
  readonly #numbers = new Float64Array(4);

  /** The number of earlier messages. */
  get sequence(): number {
    return this.#numbers[0]!;
  }

  /** The number of earlier payload bytes, modulo 2^52. */
  get payload(): number {
    return this.#numbers[1]!;
  }

  /** The position of the previous record, -1 for the first. */
  get previous(): number {
    return this.#numbers[2]!;
  }

  /** The number of payload bytes that follow. */
  get length(): number {
    return this.#numbers[3]! + 0; // turns -0 into 0: a peer may store it, and calls reject it
  }

  /**
   * Whether the counts are in range. Callers check the length, as only they know whether it is
   * valid.
   */
  get isSound(): boolean {
    return isCount(this.sequence, LAST_POSITION) && isCount(this.payload, PAYLOAD_LIMIT - 1);
  }

  /**
   * Loads the head at a byte offset of the data. It also prefetches the next cache line, which
   * holds the payload. Otherwise that line would cross from the writer's processor only after this
   * one.
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

  /** Becomes the head of the next record, after the one at `position`, and stores itself there. */
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

/** Loads the length in the head at a byte offset. */
export function loadLength(ring: Ring, offset: number): number {
  return loadDouble(ring.mapping, ring.dataOffset + offset + LENGTH_AT);
}

/** The words and the data of an attached circular buffer. */
export interface Ring {
  readonly name: string;
  /** The name in messages, such as `circular buffer "demo"`. */
  readonly what: string;
  readonly region: Region;
  readonly mapping: Mapping;
  /** The offset of the data in the mapping. */
  readonly dataOffset: number;
  readonly capacity: number;
  /** The capacity in units. */
  readonly units: number;
  readonly oldest: Word64;
  readonly published: Word64;
  /** The low half of `published`, which changes with it: waiters watch this word. */
  readonly publishedLow: Word32;
  readonly bell: Doorbell;
  readonly writer: Seat;
}

/** Finds the words and the data of a region. */
export function ringOf(name: string, region: Region): Ring {
  const { mapping, controlOffset, dataOffset, dataBytes } = region;
  const { oldest, published, bell, state, loop } = CIRCULAR_BUFFER_CONTROL.fields;
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
    bell: new Doorbell(mapping, bell, controlOffset, loop),
    writer: { role: WRITER_ROLE, state: new Word32(mapping, state, controlOffset) },
  };
}

/** Fills the data of a new region: the first head, and nothing published. */
export function initialise(mapping: Mapping, dataOffset: number): void {
  new Head().storeFirst(mapping, dataOffset);
}

/** Makes the error for a state that no correct writer stores. */
export function corruptRing(ring: Ring, state: string): CorruptRegionError {
  return corrupt(ring.what, state);
}

/** Makes the error for a head with impossible counts. */
export function corruptHead(ring: Ring, position: number, head: Head): CorruptRegionError {
  return corruptRing(ring, `the head at ${position} has the sequence ${head.sequence}`);
}

/** Returns the byte offset that is `units` after `offset`, within the data. */
export function offsetAfter(ring: Ring, offset: number, units: number): number {
  const next = offset + units * UNIT;
  return next < ring.capacity ? next : next - ring.capacity;
}
