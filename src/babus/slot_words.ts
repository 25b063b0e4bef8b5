/**
 * The words and entries of a slot: its last messages, each in an entry of its own.
 *
 * ```
 *                          age 2     age 1     age 0     being written, or free
 *   | header | control | entry 5 | entry 6 | entry 7 | entry 4 |   the number in an entry: its stamp
 *                      |  room for each: the first page(s) of a message have memory, if any has  |
 * ```
 *
 * Messages are numbered from 1, and message n is in entry n % entries. A slot has at least one
 * entry more than its depth, so the message being written replaces none that can be read. Only
 * written parts of the file have memory: room for large messages costs nothing until one is
 * written.
 *
 * A slot has any number of writers, one at a time (write_lock.ts). No writer waits for a reader.
 *
 * I1  The stamp of an entry is the number of the complete message in it; or 0.
 * I2  The holder of the writers' lock writes message `published` + 1, and nothing else. So after a
 *     write that was abandoned, or whose writer died, the next write reuses the number and the
 *     entry.
 * I3  `published` never decreases. The entries of messages published - depth + 1 to published are
 *     not touched before `published` has grown.
 * P1  The writer makes the stamp 0, with a full barrier, before it writes the first byte of a
 *     message; the reader reads the stamp again after the last byte it copied, behind a barrier. If
 *     the stamp is that of the message then, no byte has changed since it was published: stamps
 *     never repeat.
 * P2  All of a message is written before its stamp, and the stamp before `published`; all is read
 *     after `published` was loaded.
 * P3  `published` is stored, then the bell is loaded (doorbell.ts, P1): a reader that checks and
 *     then sleeps is woken for a message it did not see.
 * C1  A writer dies before it has stored `published`: its message never existed, and the entry's
 *     previous message was already out of reach (I3). The next writer begins there again (I2).
 * C2  It dies between `published` and the bell: sleeping readers check again after a slice; the
 *     next write rings the bell, which is still raised.
 * C3  It dies while it holds the writers' lock: see write_lock.ts.
 * C4  A reader that dies needs no repair: it leaves no trace but a raised bell.
 *
 * On ARM: payload, length and time are plain accesses. P1 needs the two barriers: a sequentially
 * consistent store alone lets later plain stores pass it, and a load lets earlier ones pass it.
 *
 * Limits: a reader that is slower than `depth` writes misses messages, and learns which. Bytes seen
 * in place may be torn until they are validated. A peer that lies about allocated memory can make a
 * touch find none where /dev/shm is full, as after a truncation: see memory/mapping.ts.
 *
 * Load buffering: readers store nothing but bells. A writer loads and stores between the CAS that
 * acquires the lock and the release that frees it (write_lock.ts, P1), and no store leaves that.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import { isCount, LINE_BYTES, roundUp } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import {
  claimView,
  copyIn,
  copyOut,
  copyOutThenLoad,
  loadDouble,
  peekView,
  storeDouble,
  Word32,
  Word64,
} from "../memory/word.ts";
import { isTime, ORIGIN, type Origin, originIn } from "../origin.ts";
import { time } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import type { RegionType } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The control block of a slot. */
export const SLOT_CONTROL = layout("slot_control", {
  depth: { type: "u32", doc: "the number of last messages that can be read" },
  max_bytes: { type: "f64", doc: "the largest message" },
  published: { type: "u64", atomic: true, line: true, doc: "the number of the last message" },
  bell: { type: "u32", line: true, doc: "rung by writers; raised by waiting readers" },
  owner: {
    type: "u32",
    line: true,
    doc: "the seat of the writer that holds the lock, plus 1; 0 if free",
  },
  owner_bell: { type: "u32", atomic: true, doc: "rung by the writer that releases the lock" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of a reader's event loop; 0 if none" },
});

/** The words of each message, besides its bytes. */
export const SLOT_ENTRY = layout("slot_entry", {
  stamp: { type: "u64", atomic: true, line: true, doc: "the number of the message; 0 if none" },
  length: { type: "f64", doc: "its bytes; 2^32 more with an origin" },
  time: { type: "f64", doc: "the time of the publish in ms since 1970" },
  committed: { type: "f64", doc: "the number of bytes with memory" },
  origin: { type: ORIGIN, doc: "the first publisher, if a bridge republished it" },
});

/** The region type of slots. */
export const SLOT: RegionType = {
  name: "slot",
  title: "slot",
  control: SLOT_CONTROL,
  mirrored: false,
  sparse: true,
};

/** The length of a message with an origin is this much greater. */
const MARK = 2 ** 32;

/** The deepest slot. */
export const DEPTH_MAX = 1024;

/** The largest message. */
export const MESSAGE_BYTES_MAX: number = 2 ** 31;

/** The largest size of all messages of a slot. */
export const SLOT_BYTES_MAX: number = 2 ** 34;

/** The end of message numbers; numbers below it are exact. */
const LAST_SEQUENCE = 2 ** 53 - 1;

/** The fewest entries: a reader of the newest message is overtaken only after as many writes. */
const FEWEST_ENTRIES = 4;

/** The sizes that determine the layout. */
export interface Shape {
  readonly depth: number;
  readonly size: number;
}

/** The geometry of a slot: offsets from the beginning of the data. */
export interface SlotOffsets extends Shape {
  readonly entries: number;
  readonly messagesAt: number;
  /** The bytes from one message to the next. */
  readonly stride: number;
  readonly bytes: number;
}

/** Whether a slot can have this shape. */
export function isShape({ depth, size }: Shape, page: number = pageSize()): boolean {
  return isCount(depth, DEPTH_MAX) && depth > 0 && isCount(size, MESSAGE_BYTES_MAX) &&
    size > 0 && planOf({ depth, size }, page).bytes <= SLOT_BYTES_MAX;
}

/** Lays a slot out; messages that can have a page or more begin on a page. */
export function planOf({ depth, size }: Shape, page: number = pageSize()): SlotOffsets {
  const entries = Math.max(depth + 1, FEWEST_ENTRIES);
  const stride = roundUp(size, size < page ? LINE_BYTES : page);
  const messagesAt = roundUp(entries * SLOT_ENTRY.size, page);
  return { depth, size, entries, messagesAt, stride, bytes: messagesAt + entries * stride };
}

/** The properties of a message, as its entry states them. */
export interface Facts {
  length: number;
  time: number;
  origin: Origin | undefined;
}

/** The words and entries of a slot, for readers and for the writer that holds the lock. */
export class SlotWords {
  /** The name in messages, such as `slot "robot/imu"`. */
  readonly what: string;
  readonly region: Region;
  readonly plan: SlotOffsets;
  readonly published: Word64;
  /** The low half of `published`, which changes with it: waiters watch this word. */
  readonly publishedLow: Word32;
  readonly bell: Doorbell;
  readonly #stamps: readonly Word64[];
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // for each entry: its last view
  readonly #facts: Facts = { length: 0, time: 0, origin: undefined }; // one, reused

  constructor(what: string, region: Region, plan: SlotOffsets) {
    const { mapping, controlOffset } = region;
    const { published, bell, loop } = SLOT_CONTROL.fields;
    this.what = what;
    this.region = region;
    this.plan = plan;
    this.published = new Word64(mapping, published, controlOffset);
    this.publishedLow = new Word32(mapping, published, controlOffset);
    this.bell = new Doorbell(mapping, bell, controlOffset, loop);
    this.#stamps = Array.from(
      { length: plan.entries },
      (_, entry) => new Word64(mapping, SLOT_ENTRY.fields.stamp, this.#entryAt(entry)),
    );
  }

  #entryAt(entry: number): number {
    return this.region.dataOffset + entry * SLOT_ENTRY.size;
  }

  /** Returns the offset of a message in the mapping. */
  messageAt(sequence: number): number {
    const { entries, messagesAt, stride } = this.plan;
    return this.region.dataOffset + messagesAt + sequence % entries * stride;
  }

  /** Loads a field of a message's entry. */
  #load(sequence: number, field: "length" | "time" | "committed"): number {
    const at = this.#entryAt(sequence % this.plan.entries) + SLOT_ENTRY.fields[field].offset;
    return loadDouble(this.region.mapping, at) + 0; // -0 becomes 0
  }

  #store(sequence: number, field: "length" | "time" | "committed", value: number): void {
    const at = this.#entryAt(sequence % this.plan.entries) + SLOT_ENTRY.fields[field].offset;
    storeDouble(this.region.mapping, at, value);
  }

  /** Returns the number of the last message. */
  last(): number {
    const published = this.published.load(); // .. P3; .. P2 and so all of it is there
    this.region.mapping.checkWhole();
    if (isCount(published, LAST_SEQUENCE)) return published;
    throw this.corrupt(`its last message is ${published}`);
  }

  // ---- for readers ----

  /** Copies a message of this length; returns false if it was overwritten meanwhile. */
  copy(sequence: number, target: Uint8Array<ArrayBuffer>, length: number): boolean {
    const { mapping } = this.region;
    const stamp = this.#stamps[sequence % this.plan.entries]!;
    const after = copyOutThenLoad(mapping, this.messageAt(sequence), target, length, stamp);
    return after === sequence; // .. P1 after every byte
  }

  /**
   * Returns the properties of a published message, or undefined if it was already overwritten. They
   * are valid only if `isWhole` is true afterwards. The next call reuses the object.
   */
  look(sequence: number): Readonly<Facts> | undefined {
    const marked = this.#load(sequence, "length");
    const time = this.#load(sequence, "time");
    const committed = this.#load(sequence, "committed");
    const length = marked < MARK ? marked : marked - MARK;
    const origin = marked < MARK ? undefined : this.#loadOrigin(sequence);
    const fits = isCount(length, this.plan.size) && length <= committed;
    if (fits && isTime(time) && (marked < MARK || origin !== undefined)) {
      const facts = this.#facts;
      facts.length = length;
      facts.time = time;
      facts.origin = origin;
      return facts;
    }
    if (!this.isWhole(sequence)) return undefined;
    throw this.corrupt(
      `message ${sequence} has ${length} bytes, of which ${committed} have memory, and is from ` +
        `${time} ms` + (marked < MARK ? "" : ", with an origin"),
    );
  }

  #loadOrigin(sequence: number): Origin | undefined {
    const bytes = new Uint8Array(ORIGIN.size);
    copyOut(this.region.mapping, this.#originAt(sequence), bytes);
    return originIn(bytes);
  }

  #originAt(sequence: number): number {
    return this.#entryAt(sequence % this.plan.entries) + SLOT_ENTRY.fields.origin.offset;
  }

  /** Returns a view of a message in place. */
  peek(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    const entry = sequence % this.plan.entries;
    const { mapping } = this.region;
    const last = this.#views[entry];
    return this.#views[entry] = peekView(mapping, this.messageAt(sequence), length, last);
  }

  /** Whether no byte of a message has been overwritten up to now. */
  isWhole(sequence: number): boolean {
    return this.#stamps[sequence % this.plan.entries]!.loadLast() === sequence; // .. P1
  }

  // ---- for the writer that holds the lock ----

  /** Reserves room for a message of this length; returns its number. */
  reserve(length: number): number {
    const sequence = this.last() + 1; // I2
    if (sequence > LAST_SEQUENCE) throw this.corrupt("its numbers are used up");
    this.#stamps[sequence % this.plan.entries]!.storeFirst(0); // P1 before any byte is changed ..
    if (!(this.#load(sequence, "committed") >= length)) this.#commit(sequence, length);
    return sequence;
  }

  /** Returns a view to write a reserved message in place. */
  claim(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    const entry = sequence % this.plan.entries;
    const { mapping } = this.region;
    const last = this.#views[entry];
    return this.#views[entry] = claimView(mapping, this.messageAt(sequence), length, last);
  }

  /** Allocates memory for a message larger than any before in its entry. */
  #commit(sequence: number, length: number): void {
    const committed = Math.min(roundUp(length, pageSize()), this.plan.size);
    this.region.allocate(this.messageAt(sequence), committed);
    this.#store(sequence, "committed", committed);
  }

  /** Publishes the message that was written, with its origin if a bridge republishes it. */
  publish(sequence: number, length: number, origin?: Origin): void {
    if (origin !== undefined) this.#storeOrigin(sequence, origin);
    this.#store(sequence, "length", origin === undefined ? length : length + MARK);
    this.#store(sequence, "time", time());
    this.#stamps[sequence % this.plan.entries]!.store(sequence); // P2 all above comes before ..
    this.bell.publish(this.published, sequence); // P3 published before the look at the bell ..
  }

  #storeOrigin(sequence: number, origin: Origin): void {
    const bytes = new Uint8Array(ORIGIN.size);
    ORIGIN.write(bytes, origin);
    copyIn(this.region.mapping, this.#originAt(sequence), bytes);
  }

  /** Makes the error for a state that no correct peer stores. */
  corrupt(state: string): CorruptRegionError {
    return corrupt(this.what, state);
  }
}
