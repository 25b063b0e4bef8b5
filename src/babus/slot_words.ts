/**
 * What a slot is made of: its last messages, each in an entry of its own, and where they lie.
 *
 * ```
 *                          age 2     age 1     age 0     being written, or free
 *   | header | control | entry 5 | entry 6 | entry 7 | entry 4 |   the number in an entry: its stamp
 *                      |  room for each: the first page(s) of a message have memory, if any has  |
 * ```
 *
 * Messages are numbered from 1, and number n lies in entry n % entries. There is at least one entry
 * more than messages that can be looked back at, so what is being written is none of them. Of the
 * file only what was written has memory: room for large messages costs nothing until there are some.
 *
 * Any number of writers, one at a time (write_lock.ts). Nobody waits for a reader.
 *
 * I1  The stamp of an entry is the number of the message that lies there, whole; or 0.
 * I2  Who holds the writers' lock writes message `published` + 1, and nothing else. So of a write
 *     that was given up, or whose writer died, the next one uses the number and the entry again.
 * I3  `published` never decreases. Of the entries of messages published - depth + 1 to published none
 *     is touched before `published` has grown.
 * P1  The writer makes the stamp 0, with a full barrier, before it writes the first byte of a message;
 *     the reader reads the stamp again after the last byte it copied, behind a barrier. If the stamp
 *     is that of the message then, no byte was changed since it was published: stamps never come
 *     again.
 * P2  All of a message is written before its stamp, and that before `published`; all is read after
 *     `published` was loaded.
 * P3  `published` is stored, then the bell is looked at (doorbell.ts, P1): who looks and then sleeps
 *     is woken for what it did not see.
 * C1  A writer dies before it has stored `published`: its message was never there, and what its entry
 *     held before could no longer be looked back at (I3). The next writer begins there again (I2).
 * C2  It dies between `published` and the bell: who sleeps looks again after a slice; the next write
 *     rings the bell that is still up.
 * C3  It dies with the writers' lock: see there.
 * C4  A reader that dies is not missed: readers leave no trace but a raised bell.
 *
 * On ARM: payload, length and time are plain accesses. P1 needs the two barriers, as a sequentially
 * consistent store alone lets plain stores that follow pass it, and a load those before it.
 *
 * Not promised: that a reader which is slower than `depth` writes sees every message, only that it
 * can tell which ones it missed; that what is seen in place is whole before it was validated; that a
 * peer which lies about what has memory costs no more than an error where /dev/shm is full: it could
 * cut the file off as well.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import { isCount, LINE_BYTES, roundUp } from "../layout/sizes.ts";
import { corrupt } from "../memory/corrupt.ts";
import {
  claimView,
  copyOutThenLoad,
  loadDouble,
  peekView,
  storeDouble,
  Word32,
  Word64,
} from "../memory/word.ts";
import { pageSize } from "../os/page.ts";
import type { RegionKind } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The control block of a slot. */
export const SLOT_CONTROL = layout("slot_control", {
  depth: { type: "u32", doc: "how many of the last messages can be looked back at" },
  max_bytes: { type: "f64", doc: "the largest message" },
  published: { type: "u64", atomic: true, line: true, doc: "the number of the last message" },
  bell: { type: "u32", line: true, doc: "rung by writers; raised by those who wait for news" },
  owner: { type: "u32", line: true, doc: "the seat of the one that writes, plus 1; 0 for nobody" },
  owner_bell: { type: "u32", atomic: true, doc: "rung by the one that has written" },
});

/** What there is of each message besides its bytes. */
export const SLOT_ENTRY = layout("slot_entry", {
  stamp: { type: "u64", atomic: true, line: true, doc: "the number of the message; 0 if none" },
  length: { type: "f64", doc: "its bytes" },
  time: { type: "f64", doc: "when it was published, in nanoseconds of the monotonic clock" },
  committed: { type: "f64", doc: "how many bytes have memory" },
});

/** How slots are told from other regions. */
export const SLOT: RegionKind = {
  name: "slot",
  title: "slot",
  control: SLOT_CONTROL,
  mirrored: false,
  sparse: true,
};

/** The deepest slot. */
export const DEPTH_MAX = 1024;

/** The largest message. */
export const MESSAGE_BYTES_MAX: number = 2 ** 31;

/** All messages of a slot together. */
export const SLOT_BYTES_MAX: number = 2 ** 34;

/** The number of no message; those before it are exact. */
const LAST_SEQUENCE = 2 ** 53 - 1;

/** A reader of the newest message is overtaken only by so many writes. */
const FEWEST_ENTRIES = 4;

/** What decides where everything lies. */
export interface Shape {
  readonly depth: number;
  readonly maxBytes: number;
}

/** Where everything lies, from the beginning of the data. */
export interface Plan extends Shape {
  readonly entries: number;
  readonly messagesAt: number;
  /** The bytes from one message to the next. */
  readonly stride: number;
  readonly bytes: number;
}

/** Whether a slot can have this shape. */
export function isShape({ depth, maxBytes }: Shape): boolean {
  return isCount(depth, DEPTH_MAX) && depth > 0 && isCount(maxBytes, MESSAGE_BYTES_MAX) &&
    maxBytes > 0 && planOf({ depth, maxBytes }).bytes <= SLOT_BYTES_MAX;
}

/** Lays a slot out; messages that can have a page or more begin on a page. */
export function planOf({ depth, maxBytes }: Shape): Plan {
  const page = pageSize();
  const entries = Math.max(depth + 1, FEWEST_ENTRIES);
  const stride = roundUp(maxBytes, maxBytes < page ? LINE_BYTES : page);
  const messagesAt = roundUp(entries * SLOT_ENTRY.size, page);
  return { depth, maxBytes, entries, messagesAt, stride, bytes: messagesAt + entries * stride };
}

/** A message that was copied out whole. */
export interface Copied {
  readonly sequence: number;
  readonly time: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The words and entries of a slot, for readers and for the writer that holds the lock. */
export class SlotWords {
  /** Such as `slot "imu"`, for messages. */
  readonly what: string;
  readonly region: Region;
  readonly plan: Plan;
  readonly published: Word64;
  /** The half of `published` that changes: what waiters watch. */
  readonly publishedLow: Word32;
  readonly bell: Doorbell;
  readonly #stamps: readonly Word64[];
  readonly #views: Uint8Array<ArrayBuffer>[] = []; // of each entry: what it was shown as last

  constructor(name: string, region: Region, plan: Plan) {
    const { mapping, controlOffset } = region;
    const { published, bell } = SLOT_CONTROL.fields;
    this.what = `slot "${name}"`;
    this.region = region;
    this.plan = plan;
    this.published = new Word64(mapping, published, controlOffset);
    this.publishedLow = new Word32(mapping, published, controlOffset);
    this.bell = new Doorbell(mapping, bell, controlOffset);
    this.#stamps = Array.from(
      { length: plan.entries },
      (_, entry) => new Word64(mapping, SLOT_ENTRY.fields.stamp, this.#entryAt(entry)),
    );
  }

  #entryAt(entry: number): number {
    return this.region.dataOffset + entry * SLOT_ENTRY.size;
  }

  /** Where in the mapping a message lies. */
  messageAt(sequence: number): number {
    const { entries, messagesAt, stride } = this.plan;
    return this.region.dataOffset + messagesAt + sequence % entries * stride;
  }

  /** What is noted of a message. */
  #noted(sequence: number, field: "length" | "time" | "committed"): number {
    const at = this.#entryAt(sequence % this.plan.entries) + SLOT_ENTRY.fields[field].offset;
    return loadDouble(this.region.mapping, at) + 0; // -0 becomes 0
  }

  #note(sequence: number, field: "length" | "time" | "committed", value: number): void {
    const at = this.#entryAt(sequence % this.plan.entries) + SLOT_ENTRY.fields[field].offset;
    storeDouble(this.region.mapping, at, value);
  }

  /** The number of the last message. */
  last(): number {
    const published = this.published.load(); // .. P3; .. P2 and so all of it is there
    if (isCount(published, LAST_SEQUENCE)) return published;
    throw this.corrupt(`it tells of ${published} messages`);
  }

  // ---- for readers ----

  /** Copies a message out; undefined if it was overwritten before that was done. */
  copy(sequence: number): Copied | undefined {
    const found = this.look(sequence);
    if (found === undefined) return undefined;
    const { mapping } = this.region;
    const { length, time } = found;
    const bytes = new Uint8Array(length);
    const stamp = this.#stamps[sequence % this.plan.entries]!;
    const after = copyOutThenLoad(mapping, this.messageAt(sequence), bytes, length, stamp);
    return after === sequence ? { sequence, time, bytes } : undefined; // .. P1 after every byte
  }

  /**
   * The length and time of a published message, right if it is whole afterwards; undefined if it
   * was overwritten already.
   */
  look(sequence: number): { readonly length: number; readonly time: number } | undefined {
    const length = this.#noted(sequence, "length");
    const time = this.#noted(sequence, "time");
    const committed = this.#noted(sequence, "committed");
    const fits = isCount(length, this.plan.maxBytes) && length <= committed;
    if (fits && time >= 0 && time < Infinity) return { length, time };
    if (!this.isWhole(sequence)) return undefined;
    throw this.corrupt(
      `message ${sequence} claims ${length} bytes, of which ${committed} have memory, and to be ` +
        `from ${time} ns`,
    );
  }

  /** A message in place. */
  peek(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    const entry = sequence % this.plan.entries;
    const { mapping } = this.region;
    const last = this.#views[entry];
    return this.#views[entry] = peekView(mapping, this.messageAt(sequence), length, last);
  }

  /** Whether nothing of a message has been overwritten up to now. */
  isWhole(sequence: number): boolean {
    return this.#stamps[sequence % this.plan.entries]!.loadLast() === sequence; // .. P1
  }

  // ---- for the writer that holds the lock ----

  /** Makes room for a message of this length; gives its number. */
  reserve(length: number): number {
    const sequence = this.last() + 1; // I2
    if (sequence > LAST_SEQUENCE) throw this.corrupt("its numbers are used up");
    this.#stamps[sequence % this.plan.entries]!.storeFirst(0); // P1 before any byte is changed ..
    if (!(this.#noted(sequence, "committed") >= length)) this.#commit(sequence, length);
    return sequence;
  }

  /** Room in place for a message that was reserved. */
  claim(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    const entry = sequence % this.plan.entries;
    const { mapping } = this.region;
    const last = this.#views[entry];
    return this.#views[entry] = claimView(mapping, this.messageAt(sequence), length, last);
  }

  /** Gets memory for a message, where none has been so large. */
  #commit(sequence: number, length: number): void {
    const committed = Math.min(roundUp(length, pageSize()), this.plan.maxBytes);
    this.region.allocate(this.messageAt(sequence), committed);
    this.#note(sequence, "committed", committed);
  }

  /** Lets all see the message that was written. */
  publish(sequence: number, length: number, time: number): void {
    this.#note(sequence, "length", length);
    this.#note(sequence, "time", time);
    this.#stamps[sequence % this.plan.entries]!.store(sequence); // P2 all above comes before ..
    this.bell.publish(this.published, sequence); // P3 published before the look at the bell ..
  }

  /** The error for what no correct peer stores. */
  corrupt(state: string): CorruptRegionError {
    return corrupt(this.what, state);
  }
}
