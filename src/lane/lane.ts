/**
 * A lane: bytes from one sender to one receiver, through a ring whose data is mapped twice.
 *
 * ```
 *        tail          taken               head            tail + capacity
 *   ...... | shown       | readable          | free            |
 *          |<---- used, at most the capacity ---->|
 * ```
 *
 * Positions are 32-bit counts of bytes that wrap. The capacity is a power of two of at most 2^30,
 * so `(head - tail) mod 2^32` bytes are used, and the byte is at `position mod capacity`. All of
 * the capacity can be used: full (distance = capacity) differs from empty (distance = 0).
 *
 * I1  tail <= head <= tail + capacity, as distances. Only the sender writes `head`, only the
 *     receiver `tail` and `taken`. Each keeps a private copy of its own position, and of the
 *     other's as last loaded. That copy is never ahead of the truth, so no unreleased byte is
 *     overwritten, and no unpublished byte is read.
 * I2  `taken` is not beyond `head`, and lags behind `tail` by less than 2^31 + capacity. So it
 *     never seems to be ahead.
 * I3  `counts` holds two pairs of a position and the number of pieces (messages) released up to it.
 *     The one whose position is `tail` is true. The receiver writes the other one and then stores
 *     `tail`. So pieces have numbers that outlive the receiver, and no sender takes part.
 * I4  A receiver may read ahead of `tail`, which it stores later, or for a part of what it read. It
 *     goes back to `tail` for the rest, which was shown.
 * P1  Bytes are written before `head` is stored, and read after it is loaded: complete.
 * P2  Bytes are read before `tail` is stored, and overwritten after it is loaded: no longer needed.
 * P3  `head` is stored before the data bell is loaded (doorbell.ts, P1), `tail` before the space
 *     bell.
 * P4  A pair of `counts` is written before `tail` is stored, by plain stores: the store of `tail`
 *     releases them, also on Arm. A successor takes the receiver's role from the kernel, then loads
 *     `tail`, and then the pairs.
 * C1  The sender dies before `head` is stored: its bytes are in free space, and are lost.
 * C2  The receiver dies after it took bytes in place and before it released them: [tail, taken) may
 *     have been seen. Its successor receives them again, marked as redelivered.
 * C3  The receiver dies after copying and before `tail` is stored: its caller never had the copy.
 *     The successor receives the bytes as new.
 * C4  Either dies between its position and the bell: the other checks again after a slice, and a
 *     successor rings the bells of its role.
 * C5  The receiver dies between a pair and `tail`: the other pair still belongs to `tail`. If it dies
 *     within the pair, its position is that of two releases ago or the next one, never `tail`.
 * C6  A peer corrupts both pairs, or the lane was emptied: no pair belongs to `tail`. The numbers
 *     jump ahead by more messages than the lane can hold, so none is used twice, and nothing is lost.
 *
 * Each end checks a peer's position when it loads it. If the position is outside I1 and I2, or has
 * moved backwards, it throws a CorruptRegionError and keeps its private copy.
 *
 * Load buffering (ARM lets a store pass an earlier load): each store that lets the other end go on is
 * a release, so the loads before it are done. The receiver has read its bytes before `tail`, and the
 * sender writes over them only after it has acquired that `tail`, or an earlier one that showed room.
 * The sender loads nothing of a message, and stores it after that acquire.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import { isCount } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import { loadDouble, receiveOut, sendIn, storeDouble, Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The words of a lane. */
export const LANE = layout("lane", {
  head: { type: "u32", line: true, doc: "the sender: bytes published" },
  tail: { type: "u32", line: true, doc: "the receiver: bytes released" },
  taken: { type: "u32", line: true, doc: "the receiver: bytes shown in place, at least tail" },
  counts: {
    type: layout.array("f64", 4),
    doc: "the receiver: twice a position and the number of messages released up to it",
  },
});

/** The bytes of a pair in `counts`. */
const PAIR = 16;

/** The largest count. */
const MOST = Number.MAX_SAFE_INTEGER;

/** A bell that can be rung after a change. */
export interface Ringable {
  ring(): void;
  /** Stores a value and then rings. */
  publish(word: Word32, value: number): void;
}

/** The place of a lane in memory. */
export interface LanePlace {
  /** The name of its owner in messages, such as `ring "demo"`. */
  readonly what: string;
  readonly mapping: Mapping;
  /** The offset of its words in the mapping. */
  readonly control: number;
  /** The offset of its data in the mapping, which is mapped twice. */
  readonly data: number;
  readonly capacity: number;
  /** Rung for a receiver that waits for data: one bell may serve many lanes. */
  readonly dataBell: Ringable;
  /** Rung for a sender that waits for space. */
  readonly spaceBell: Ringable;
}

/** The words of a lane, for either end. */
class LaneEnd {
  readonly place: LanePlace;
  readonly capacity: number;
  readonly head: Word32;
  readonly tail: Word32;
  readonly taken: Word32;
  protected readonly mask: number;

  constructor(place: LanePlace) {
    const { mapping, control, capacity } = place;
    this.place = place;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.head = new Word32(mapping, LANE.fields.head, control);
    this.tail = new Word32(mapping, LANE.fields.tail, control);
    this.taken = new Word32(mapping, LANE.fields.taken, control);
  }

  /** Returns the distance from tail to head; throws unless it is from `least` to `most`. */
  protected distance(tail: number, head: number, least: number, most: number): number {
    const distance = (head - tail) >>> 0;
    if (distance >= least && distance <= most) return distance;
    throw this.corrupt(`its tail is ${tail} and its head is ${head}`);
  }

  protected corrupt(state: string): CorruptRegionError {
    return corrupt(this.place.what, state);
  }
}

/** Returns the positions of a lane, for a party that holds the role of its receiver. */
export function laneWords(place: LanePlace): { readonly head: Word32; readonly tail: Word32 } {
  return new LaneEnd(place);
}

/** The sending end of a lane. The caller holds the sender's role. */
export class LaneSender extends LaneEnd {
  #head: number;
  #free: number; // as of the last load of the tail
  readonly #bell: Doorbell | undefined; // the data bell, if it is nothing more

  /** Continues where the last sender stopped. */
  constructor(place: LanePlace) {
    super(place);
    this.#head = this.head.load();
    this.#free = this.capacity - this.distance(this.tail.load(), this.#head, 0, this.capacity);
    const { dataBell } = place;
    this.#bell = dataBell instanceof Doorbell ? dataBell : undefined;
    dataBell.ring(); // C4
  }

  /** The number of used bytes, by the current tail. */
  get used(): number {
    return this.distance(this.tail.load(), this.#head, 0, this.capacity);
  }

  /** Whether `length` bytes are free; loads the tail only if it must. */
  hasRoom(length: number): boolean {
    if (this.#free >= length) return true;
    const tail = this.tail.load(); // .. P2 and so those bytes are no longer needed
    this.place.mapping.checkWhole();
    const usedBefore = this.capacity - this.#free;
    this.#free = this.capacity - this.distance(tail, this.#head, 0, usedBefore);
    return this.#free >= length;
  }

  /** The number of bytes ever sent, modulo 2^32. */
  get position(): number {
    return this.#head;
  }

  /** The offset in the mapping of the next bytes. */
  get offset(): number {
    return this.place.data + (this.#head & this.mask);
  }

  /** Publishes `length` bytes, and wakes a waiting receiver. */
  publish(length: number): void {
    this.advance(length);
    this.announce();
  }

  /** Counts bytes as written, for a batch that `announce` publishes. */
  advance(length: number): void {
    this.#head = (this.#head + length) >>> 0;
    this.#free -= length;
  }

  /**
   * Writes a message behind its length, in free space, and publishes everything up to it, which is
   * `bytes` more: in one call if one bell is all that is rung. Returns false if it is not.
   */
  send(message: Uint8Array, length: number, bytes: number): boolean {
    const bell = this.#bell;
    if (bell === undefined) return false;
    const { mapping } = this.place;
    const { offset } = this;
    const head = this.#head = (this.#head + bytes) >>> 0;
    this.#free -= bytes;
    bell.answer(sendIn(mapping, offset, message, length, this.head, head, bell.word)); // P1, P3
    return true;
  }

  /** Publishes everything up to here. */
  announce(): void {
    // P1 Everything written above is visible once this is seen ..; P3 and then the bell is loaded.
    this.place.dataBell.publish(this.head, this.#head);
  }
}

/** The receiving end of a lane. The caller holds the receiver's role. */
export class LaneReceiver extends LaneEnd {
  #tail: number;
  #available: number; // as of the last load of the head
  #taken: number;
  #redelivered: number; // readable bytes that a dead receiver may have seen
  #count: number; // pieces before the first readable byte
  readonly #pairs: number; // the offsets in the mapping of both pairs, added up
  #pair: number; // the offset of the one to write next
  readonly #bell: Doorbell | undefined; // the space bell, if it is nothing more

  /** Continues where the last receiver stopped. */
  constructor(place: LanePlace) {
    super(place);
    this.#tail = this.tail.load();
    this.#available = this.distance(this.#tail, this.head.load(), 0, this.capacity);
    this.#taken = this.taken.load();
    const shown = (this.#taken - this.#tail) >>> 0;
    if (shown > this.#available && shown <= this.capacity) {
      throw this.corrupt(`its tail is ${this.#tail} and ${this.#taken} was shown`);
    }
    this.#redelivered = shown <= this.#available ? shown : 0; // C2
    const counts = place.control + LANE.fields.counts.offset;
    this.#pairs = 2 * counts + PAIR;
    const [first, second] = [counts, counts + PAIR].map((at) => this.#countAt(at));
    const found = first ?? second;
    this.#pair = found === undefined || first === undefined ? counts : counts + PAIR;
    this.#count = found ?? this.#countBeyond(counts);
    const { spaceBell } = place;
    this.#bell = spaceBell instanceof Doorbell ? spaceBell : undefined;
    spaceBell.ring(); // C4
  }

  /** Returns the count of a pair if it belongs to the tail. */
  #countAt(pair: number): number | undefined {
    const { mapping } = this.place;
    const count = loadDouble(mapping, pair + 8);
    return loadDouble(mapping, pair) === this.#tail && isCount(count, MOST) ? count : undefined;
  }

  /** Returns a count beyond those of both pairs and of all messages that followed them (C6). */
  #countBeyond(counts: number): number {
    const known = [counts, counts + PAIR].map((at) => loadDouble(this.place.mapping, at + 8));
    return Math.max(0, ...known.filter((count) => isCount(count, MOST))) + this.capacity / 8;
  }

  /** The number of the next piece to read: 1 for the first one ever sent. */
  get sequence(): number {
    return this.#count + 1;
  }

  /** Returns the number of readable bytes, by the current head. */
  look(): number {
    const head = this.head.load(); // .. P1 and so those bytes are complete
    this.place.mapping.checkWhole();
    return this.#available = this.distance(this.#tail, head, this.#available, this.capacity);
  }

  /**
   * Returns the number of readable bytes: at least `wanted` if that many exist. Loads the head only
   * if it must.
   */
  available(wanted: number): number {
    return this.#available >= wanted ? this.#available : this.look();
  }

  /** The number of readable bytes that are known. */
  get known(): number {
    return this.#available;
  }

  /** The offset in the mapping of the first readable byte. */
  get offset(): number {
    return this.place.data + (this.#tail & this.mask);
  }

  /** The number of readable bytes that an earlier receiver may have seen and did not release. */
  get redelivered(): number {
    return this.#redelivered;
  }

  /** Records that the first `length` readable bytes are shown in place. */
  take(length: number): void {
    const shown = (this.#taken - this.#tail) >>> 0;
    if (shown > this.capacity || shown < length) {
      this.#taken = (this.#tail + length) >>> 0;
      this.taken.store(this.#taken); // C2
    }
    this.place.mapping.checkWhole(); // the length of the message was read before
  }

  /** Records that no bytes are shown any more: the unreleased ones have not been seen. */
  hide(): void {
    const seen = (this.#tail + this.#redelivered) >>> 0;
    const ahead = (this.#taken - seen) >>> 0;
    if (ahead === 0 || ahead > this.capacity) return; // `taken` is not ahead
    this.#taken = seen;
    this.taken.store(seen);
  }

  /** Releases the first `length` readable bytes, and wakes a sender that waits for space. */
  release(length: number): void {
    this.advance(length);
    this.announce();
  }

  /**
   * Copies a message of the first `bytes` readable bytes and releases them: in one call if one bell
   * is all that is rung. Returns false if it is not.
   */
  receive(target: Uint8Array<ArrayBuffer>, offset: number, length: number, bytes: number): boolean {
    const bell = this.#bell;
    if (bell === undefined) return false;
    const { mapping } = this.place;
    this.advance(bytes);
    const tail = this.#tail;
    const pair = this.#pair;
    this.#pair = this.#pairs - pair;
    bell.answer( // P2, P3, P4, C5
      receiveOut(mapping, offset, target, length, pair, this.#count, this.tail, tail, bell.word),
    );
    return true;
  }

  /** Counts bytes as read, which are one piece or more, for a batch that `announce` releases. */
  advance(length: number, pieces = 1): void {
    const tail = this.#tail;
    // Signed, it is below 0 if `taken` is ahead, by the capacity at most, or lags by 2^31.
    if (((tail - this.#taken) | 0) < -this.capacity) this.#catchUp();
    this.#tail = (tail + length) >>> 0;
    this.#available -= length;
    this.#count += pieces;
    if (this.#redelivered > 0) this.#redelivered = Math.max(0, this.#redelivered - length);
  }

  /** Moves `taken` to the tail, before it lags so far that it seems to be ahead (I2). */
  #catchUp(): void {
    this.#taken = this.#tail;
    this.taken.store(this.#taken);
  }

  /** Releases everything up to here. */
  announce(): void {
    const { mapping, spaceBell } = this.place;
    const tail = this.#tail;
    const pair = this.#pair;
    storeDouble(mapping, pair, tail); // P4, C5
    storeDouble(mapping, pair + 8, this.#count);
    this.#pair = this.#pairs - pair;
    // P2 Everything read above is no longer needed once this is seen ..; P3 and then the bell is
    // loaded.
    spaceBell.publish(this.tail, tail);
  }

  /** Releases everything up to here except the last `bytes`, which are `pieces` pieces (I4). */
  announceAllBut(bytes: number, pieces: number): void {
    const [tail, count] = [this.#tail, this.#count];
    this.#tail = (tail - bytes) >>> 0;
    this.#count = count - pieces;
    this.announce();
    this.#tail = tail;
    this.#count = count;
  }

  /** Goes back by `bytes` and `pieces` that were not released (I4). */
  rewind(bytes: number, pieces: number): void {
    this.#tail = (this.#tail - bytes) >>> 0;
    this.#available += bytes;
    this.#count -= pieces;
    const shown = (this.#taken - this.#tail) >>> 0;
    this.#redelivered = shown <= this.#available ? shown : 0;
  }
}

/**
 * Makes an end of a lane. If the positions are corrupt, first empties the lane by setting this
 * end's own position to the peer's. A new party owes nothing to the peer that corrupted them.
 *
 * @param onEmptied Called in that case.
 */
export function beginLane<E>(
  place: LanePlace,
  own: "head" | "tail",
  make: () => E,
  onEmptied?: () => void,
): E {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error;
    onEmptied?.();
  }
  const { head, tail, taken } = new LaneEnd(place);
  if (own === "head") head.store(tail.load());
  else {
    tail.store(head.load());
    taken.store(tail.load());
  }
  return make();
}
