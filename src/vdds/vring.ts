/**
 * The VRing: samples in shared memory that one writer hands to many readers by their index.
 *
 * ```
 *          take one out               +----------------+               put back by the last
 *      +------------------------------| AVAIL: indexes |<---------------------------+
 *      v                              +----------------+                            |
 *   writer: fills SAMPLE[d],                                                        |
 *      |    describes it in DESC[d]                                                 |
 *      |            +---------+  +-----------+                                      |
 *      +--- d --+-->| row[0]  |  | USED[0]   |--- d ---> reader 0: reads SAMPLE[d] -+
 *               |   +---------+  +-----------+                                      |
 *               +-->| row[1]  |  | USED[1]   |--- d ---> reader 1: reads SAMPLE[d] -+
 *                   +---------+  +-----------+
 * ```
 *
 * The truth is one 32-bit word for each reader and descriptor, `row[k][d]`: 2 bits of state and the
 * stamp (30 bits) of the last sample that lay there for this reader. It lies in DESC[d], on the line
 * that goes from the writer to the reader in any case:
 *
 *   none     nothing, or given back        who leaves it, by one CAS
 *   ready    given, not taken yet          the reader takes it (held); the writer drops it (none)
 *   held     being read in place           the reader gives it back (none)
 *   asking   a late joiner wants it        the joiner (ready, or back to none); the writer (any)
 *
 * AVAIL, the USED rings and the reference counts are hints, by which a descriptor is found without a
 * search. Whoever follows one does so by a CAS of the word, or looks at all words. A hint may be
 * missing or wrong after a death, and then the rows are searched: nothing is believed of it. A reader
 * that is handed many samples gives the hints of several together; while the writer sleeps, at once.
 *
 * I1  A descriptor is free if it is `none` to all readers, not pinned and not in the writer's hands.
 *     Only the writer makes a word `ready`, and only of a descriptor that it has found free, or that
 *     is pinned and asked for. So samples are never written while anyone reads them.
 * I2  A word belongs to the holder of role 1 + k. Of another reader the writer takes only `ready` and
 *     `asking`; `held` it takes only while it holds that role itself: the reader is dead.
 * I3  `none` keeps the stamp. So whether a reader was given a sample can be told for as long as the
 *     descriptor has not been used again: a publish that is done twice gives nothing twice.
 * I4  Stamps come again after 2^30 - 1 samples. A CAS that finds the same word again after so many
 *     does what is right all the same: it takes, or drops, what lies there now; the full number is in
 *     DESC. Only I3 could err, and so the writer clears such a word when it takes the descriptor.
 * I5  The writer's row has `ready` for what is pinned: the last samples, kept for late joiners.
 *     A pin is set before the writer looks who is there, and it is gone before the writer looks
 *     whether the descriptor is free.
 *
 * P1  SAMPLE and DESC are written before a word is made `ready`; who makes it `held` reads them.
 * P2  They are read before a word is made `none`; the writer looks at the words before it writes.
 * P3  A joiner makes its word `asking` and then looks at the pin; the writer unpins and then looks at
 *     the words. Either the joiner sees that the pin is gone, or the writer sees who asks and calls
 *     it off, or finds it answered: never neither.
 * P4  A joiner is online and then looks for pins; the writer pins and then looks who is online. So of
 *     two samples in a row a joiner never gets the older as history and misses the newer.
 * P5  All words change, then `sequence`, then the USED rings, then each bell is looked at
 *     (doorbell.ts, P1). So who looks at its ring, then at `sequence`, and then at its row finds all
 *     samples up to that in the row, or in the ring from there on. A word becomes `none`, then the
 *     space bell is looked at; the writer raises that and then looks at all words, not only at AVAIL,
 *     before it sleeps.
 *
 * C1  The writer dies before the journal names the sample: the descriptor is free by all words.
 * C2  It dies after that, before `sequence` says that the sample is published: the successor does the
 *     publish again (I3) before its first own. If it dies later, all have got the sample, and the
 *     successor puts it into the USED rings of those who have not taken it, perhaps once more.
 *     All who lived through it get the sample, once.
 * C3  It dies between pinning and unpinning: pins are its row, which the successor takes over.
 * C4  A reader dies: the samples that it was given or held stay in its row, and its seat is dead
 *     (seats.ts). A writer that finds such a sample in its way repairs the seat, or a joiner takes it.
 *     Clearing the row is the repair.
 * C5  A reader dies while it gives back: the word says whether it did. The count of references or the
 *     entry in AVAIL may be missing; the writer finds the descriptor when it searches, before it
 *     sleeps, or after a slice.
 * C6  The writer dies while it clears a dead reader's row: the kernel releases both roles.
 *
 * A writer whose view of who is online is old may still give to a row whose reader has left. That
 * does no harm: it is cleared as after a death, or the next reader of that row gets a sample more.
 *
 * On ARM: words are changed by read-modify-writes, which are sequentially consistent; samples, DESC,
 * entries, the journal and `sequence` are plain. What is written before a CAS is visible to whoever
 * acquires its result, and what is read before the CAS that gives back has been read. A drop and a
 * take are CASes of the same word, so one of them fails, however early the bytes behind it were
 * fetched. A reader that searches has a barrier between `sequence` and the words; what a dead writer
 * has stored, the kernel shows to whoever gets its role. P3 and P4 are stores and loads of words only.
 *
 * Not promised: that a late joiner gets a history without gaps while samples are dropped; that a
 * sample which a publisher died in the middle of publishing is there before the next publisher is.
 *
 * What a peer stored is checked when it is read: indexes against the depth, lengths against what has
 * memory, numbers against stamps. A reader's row that makes no sense costs that reader only.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import { loadDouble, storeDouble, Word32, Word64, type WordPlace } from "../memory/word.ts";
import type { RegionKind } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { presenceIn, type Seat, Seats } from "../region/seats.ts";
import { Doorbell } from "../wait/doorbell.ts";
import {
  ALONE,
  countIn,
  descriptorOf,
  entryOf,
  type Plan,
  stampOf,
  State,
  stateOf,
  TOPIC_CONTROL,
  TOPIC_DESCRIPTOR,
  TOPIC_READER,
  usedRingAt,
  wordOffset,
} from "./vring_layout.ts";

/** How topics are told from other regions. */
export const TOPIC: RegionKind = {
  name: "topic",
  title: "topic",
  control: TOPIC_CONTROL,
  mirrored: false,
  sparse: true,
};

/** The role of the writer. */
export const WRITER_ROLE = 0;

/** The role of a reader. */
export function readerRole(reader: number): number {
  return 1 + reader;
}

/** What a descriptor tells of its sample. */
export type Described = "sequence" | "length" | "committed";

/** What belongs to one reader. */
export interface ReaderWords {
  readonly k: number;
  readonly online: Word32;
  readonly used: Word32;
  readonly first: Word64;
  readonly bell: Doorbell;
  readonly row: readonly Word32[];
  /** Where in the mapping the last entry of the USED ring is once more. */
  readonly newestAt: number;
  /** Where in the mapping the USED ring begins. */
  readonly ringAt: number;
}

const { journal, sequence, published, delivered, dropped } = TOPIC_CONTROL.fields;

/** What the writer keeps for itself and its successor, by where it lies in META. */
export const Kept = {
  journal: journal.offset,
  /** The number of the last sample. */
  sequence: sequence.offset,
  // Counters; after the writer's death they may be one sample behind.
  published: published.offset,
  delivered: delivered.offset,
  dropped: dropped.offset,
} as const;

/** The shared words of a topic, for every party. */
export class VRing {
  /** Such as `topic "camera/front"`, for messages. */
  readonly what: string;
  readonly region: Region;
  readonly plan: Plan;
  readonly writer: Seat;
  /** The readers' seats: a row each. */
  readonly seats: Seats;
  readonly members: Word32;
  readonly rows: Word32;
  readonly available: Word32;
  readonly spaceBell: Doorbell;
  readonly membersBell: Doorbell;
  readonly references: readonly Word32[];
  readonly #mapping: Mapping;
  readonly #mask: number;
  // Where all begins, in the mapping.
  readonly #controlAt: number;
  readonly #descriptorsAt: number;
  readonly #descriptorBytes: number;
  readonly #availableEntriesAt: number;
  readonly #samplesAt: number;
  readonly #stride: number;
  readonly #readers: (ReaderWords | undefined)[] = [];
  #pins: readonly Word32[] | undefined;

  constructor(topic: string, region: Region, plan: Plan) {
    const { mapping, controlOffset: control } = region;
    const { fields } = TOPIC_CONTROL;
    this.what = `topic "${topic}"`;
    this.region = region;
    this.plan = plan;
    this.#mapping = mapping;
    this.#mask = plan.entries - 1;
    this.#controlAt = control;
    this.#descriptorsAt = region.dataOffset + plan.descriptorsAt;
    this.#descriptorBytes = plan.descriptorBytes;
    this.#availableEntriesAt = region.dataOffset + plan.availableAt;
    this.#samplesAt = region.dataOffset + plan.samplesAt;
    this.#stride = plan.stride;
    this.writer = { role: WRITER_ROLE, state: new Word32(mapping, fields.writer, control) };
    this.rows = new Word32(mapping, fields.rows, control);
    this.seats = new Seats(region, {
      firstRole: readerRole(0),
      count: plan.readers,
      used: this.rows,
    });
    this.members = new Word32(mapping, fields.members, control);
    this.available = new Word32(mapping, fields.available, control);
    this.spaceBell = new Doorbell(mapping, fields.space_bell, control);
    this.membersBell = new Doorbell(mapping, fields.members_bell, control);
    this.references = this.#makeRow(TOPIC_DESCRIPTOR.fields.references);
  }

  /** What belongs to a reader. */
  reader(k: number): ReaderWords {
    return this.#readers[k] ??= this.#makeReader(k);
  }

  #makeReader(k: number): ReaderWords {
    const { region, plan } = this;
    const { mapping, dataOffset } = region;
    const at = dataOffset + plan.readersAt + k * TOPIC_READER.size;
    const { online, newest, used, first, bell } = TOPIC_READER.fields;
    return {
      k,
      online: new Word32(mapping, online, at),
      used: new Word32(mapping, used, at),
      first: new Word64(mapping, first, at),
      bell: new Doorbell(mapping, bell, at),
      row: this.#makeRow({ path: "row", offset: wordOffset(k) }),
      newestAt: at + newest.offset,
      ringAt: dataOffset + usedRingAt(plan, k),
    };
  }

  /** The writer's row. */
  get pins(): readonly Word32[] {
    return this.#pins ??= this.#makeRow(TOPIC_DESCRIPTOR.fields.pin);
  }

  #makeRow(place: WordPlace): Word32[] {
    return Array.from(
      { length: this.plan.depth },
      (_, d) => new Word32(this.#mapping, place, this.#descriptorAt(d)),
    );
  }

  #descriptorAt(d: number): number {
    return this.#descriptorsAt + d * this.#descriptorBytes;
  }

  /** Where in the mapping a sample begins. */
  sampleAt(d: number): number {
    return this.#samplesAt + d * this.#stride;
  }

  /** A field of a descriptor. */
  described(d: number, field: Described): number {
    return loadDouble(this.#mapping, this.#descriptorAt(d) + offsetOf(field)) + 0; // -0 becomes 0
  }

  /** Changes a field of a descriptor that is in the writer's hands. */
  describe(d: number, field: Described, value: number): void {
    storeDouble(this.#mapping, this.#descriptorAt(d) + offsetOf(field), value);
  }

  /** What the writer keeps at a place of META. */
  kept(place: number): number {
    return loadDouble(this.#mapping, this.#controlAt + place) + 0; // -0 becomes 0
  }

  /** Changes that, for the writer. */
  keep(place: number, value: number): void {
    storeDouble(this.#mapping, this.#controlAt + place, value);
  }

  /** Counts, for the writer. */
  count(counter: number, amount: number): void {
    this.keep(counter, this.kept(counter) + amount);
  }

  /** Whether the writer is asleep, or about to be: then it has to be told at once. */
  isWriterAsleep(): boolean {
    return (this.spaceBell.word.load() & 1) === 1;
  }

  /** A hint for the writer that a descriptor is free. */
  pushAvailable(d: number): void {
    this.#putAvailable(this.available.add(1), d);
  }

  /** The same of several. */
  pushAllAvailable(descriptors: Uint16Array, count: number): void {
    const index = this.available.add(count);
    for (let i = 0; i < count; i++) this.#putAvailable((index + i) >>> 0, descriptors[i]!);
  }

  #putAvailable(index: number, d: number): void {
    storeDouble(this.#mapping, this.#availableAt(index), entryOf(index, d));
  }

  /** The descriptor that was put into AVAIL at an index; -1 if it is not there, or not yet. */
  availableAt(index: number): number {
    return this.#entryAt(this.#availableAt(index), index);
  }

  #availableAt(index: number): number {
    return this.#availableEntriesAt + 8 * (index & this.#mask);
  }

  /** A hint for a reader about what it was given; `used` has to be stored behind it. */
  storeUsed(reader: ReaderWords, index: number, entry: number): void {
    storeDouble(this.#mapping, reader.ringAt + 8 * (index & this.#mask), entry);
    storeDouble(this.#mapping, reader.newestAt, entry);
  }

  /** The descriptor that the entry of a USED ring at an index has for a stamp; -1 if it has none. */
  usedAt(reader: ReaderWords, index: number, stamp: number): number {
    return this.#entryAt(reader.ringAt + 8 * (index & this.#mask), stamp);
  }

  /** The same of the last entry, which lies where `used` was looked at. */
  newestUsed(reader: ReaderWords, stamp: number): number {
    return this.#entryAt(reader.newestAt, stamp);
  }

  #entryAt(at: number, stamp: number): number {
    const d = loadDouble(this.#mapping, at) - entryOf(stamp, 0);
    return this.isDescriptor(d) ? d : -1;
  }

  /** Whether a number can be the index of a descriptor. */
  isDescriptor(d: number): boolean {
    return Number.isInteger(d) && d >= 0 && d < this.plan.depth;
  }

  /** The descriptor in an entry, or -1. */
  descriptorIn(entry: number): number {
    const d = descriptorOf(entry);
    return this.isDescriptor(d) ? d : -1;
  }

  /**
   * Gives one reference to a sample up; true for the last one, and then the writer must be given a
   * hint. The last one is left as it is.
   */
  isLastReference(d: number, stamp: number): boolean {
    const references = this.references[d]!;
    let seen = references.load();
    while (seen !== ALONE) {
      const count = countIn(seen, stamp);
      if (count === undefined) return false; // the descriptor is used again already
      if (count <= 1) return true;
      const found = references.compareExchange(seen, seen - 1);
      if (found === seen) return false;
      seen = found;
    }
    return true;
  }

  /** Gives one reference to a sample up; the writer has its hint if it was the last one. */
  dropReference(d: number, stamp: number): void {
    if (this.isLastReference(d, stamp)) this.pushAvailable(d);
  }

  /** Gives back all that a reader has. The caller holds its role. */
  clear(k: number): void {
    const reader = this.reader(k);
    if (reader.online.exchange(0) !== 0) this.members.add(1);
    for (let d = 0; d < this.plan.depth; d++) {
      const word = reader.row[d]!;
      let before = word.load();
      while (before !== 0) { // the writer may give once more if its view is old: not for long
        const found = word.compareExchange(before, 0);
        if (found === before) break;
        before = found;
      }
      const had = stateOf(before);
      if (had === State.ready || had === State.held) this.dropReference(d, stampOf(before));
    }
  }

  /** How many readers are there and alive. */
  countReaders(): number {
    let count = 0;
    const rows = this.seats.used;
    for (let k = 0; k < rows; k++) {
      if (this.reader(k).online.load() !== 0 && this.seats.isHeld(k)) count++;
    }
    return count;
  }

  /** Whether the writer is there and alive. */
  hasWriter(): boolean {
    return presenceIn(this.region, this.writer) === "open";
  }

  /** How many descriptors some reader has, taken or not. */
  countInFlight(): number {
    let count = 0;
    const rows = this.seats.used;
    for (let d = 0; d < this.plan.depth; d++) {
      for (let k = 0; k < rows; k++) {
        const state = stateOf(this.reader(k).row[d]!.load());
        if (state !== State.ready && state !== State.held) continue;
        count++;
        break;
      }
    }
    return count;
  }

  /** The error for what no correct peer stores. */
  corrupt(state: string): CorruptRegionError {
    return corrupt(this.what, state);
  }
}

const { sequence: numberOf, length, committed } = TOPIC_DESCRIPTOR.fields;

/** By comparing: an engine is slow to look up names that are not always the same. */
function offsetOf(field: Described): number {
  if (field === "sequence") return numberOf.offset;
  return field === "length" ? length.offset : committed.offset;
}
