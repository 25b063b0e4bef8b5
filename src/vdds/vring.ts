/**
 * The VRing: samples in shared memory that one writer passes to many readers by index.
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
 * One 32-bit word for each reader and descriptor, `row[k][d]`, holds the truth. It has 2 bits of
 * state, and 30 bits for the stamp of the last sample there for this reader. The word is in
 * DESC[d], on a cache line that travels from the writer to the reader anyway:
 *
 *   state    meaning                       changed by, and to
 *   none     never given, or given back    the writer: ready; a late joiner: asking
 *   ready    given, not taken yet          the reader takes it: held; the writer drops it: none
 *   held     being read in place           the reader gives it back: none
 *   asking   a late joiner wants it        the joiner: ready, or back to none; the writer: either
 *
 * Every change of a word is one CAS. AVAIL, the USED rings and the reference counts are hints that
 * find a descriptor without a search. A party that follows a hint confirms it by a CAS of the word,
 * or loads all words. After a death a hint may be missing or wrong; the party then searches the
 * rows. A reader that releases many samples stores several hints together, but stores them at once
 * while the writer sleeps.
 *
 * I1  A descriptor is free if it is `none` for all readers, not pinned and not out. The writer
 *     keeps privately which descriptors are out: taken for a loan, for the next sample or to be
 *     filled. One that is out is not taken again until it is published or given back, which happens
 *     once. A word becomes `ready` in two ways only: the writer gives a descriptor that it found
 *     free, or a joiner gives itself one that is pinned, after asking. So no sample is written
 *     while it is read.
 * I2  A word belongs to the holder of role 1 + k. The writer takes `ready` and `asking` from any
 *     reader. It takes `held` only while it holds that reader's role itself: the reader is dead.
 * I3  `none` keeps the stamp. So the word shows whether a reader was given a sample, until the
 *     descriptor is used again: a publish that is done twice delivers nothing twice.
 * I4  Stamps repeat after 2^30 - 1 samples. A CAS that meets a repeated word is still right: it
 *     takes, or drops, the sample that is there now; the full number is in DESC. Only I3 could err,
 *     so the writer clears such a word before the journal names the sample.
 * I5  The writer's row has `ready` for pinned samples: the last ones, kept for late joiners. A pin
 *     is set before the writer checks which readers are online, and cleared before the writer
 *     checks whether the descriptor is free.
 *
 * P1  SAMPLE, DESC and DETAIL are written before a word is made `ready`; the reader that makes it
 *     `held` reads them. DETAIL has what most readers never load: the origin of a sample that a
 *     bridge republished, and how much memory the sample has.
 * P2  They are read before a word is made `none`; the writer loads the words before it writes.
 * P3  A joiner makes its word `asking` and then loads the pin; the writer unpins and then loads the
 *     words. Either the joiner sees that the pin is gone, or the writer sees the request and
 *     cancels it, or finds it answered: never neither.
 * P4  A joiner goes online and then loads the pins; the writer pins and then checks which readers
 *     are online. So of two samples in a row a joiner never gets the older as history and misses
 *     the newer.
 * P5  All words change, then `sequence`, then the USED rings, then each bell is loaded
 *     (doorbell.ts, P1). So a reader loads its ring, then `sequence`, and then its row. It finds
 *     all samples up to that number in the row, and later ones in the ring from there on. A word
 *     becomes `none`, then the space bell is loaded; the writer raises that and then loads all
 *     words, not only AVAIL, before it sleeps.
 *
 * P6  The writer takes a descriptor and stores 0 in DESC.sequence, with a barrier, before it
 *     writes any part of the next sample there. An observer loads the parts that it needs, and then
 *     DESC.sequence again. If that still is the sample's number, nothing was overwritten.
 * P7  SAMPLE, DESC, DETAIL and `sequence` are written, then `latest`. An observer loads `latest`,
 *     then all DESC.sequence up to the one it wants: a sample that none names was overwritten, or
 *     never sent. The store of `latest` is in order with all stores before and after it, and so
 *     the barrier of P6 too for a next descriptor that is taken just before.
 *
 * An observer has no row and stores nothing, so the other parties neither see it nor act
 * differently. It copies each sample, and counts a sample as lost that was overwritten before the
 * copy was complete. `latest` may lag behind `sequence`; after a death the successor stores it
 * (C2).
 *
 * C1  The writer dies before the journal names the sample: the descriptor is free by all words. So
 *     are all others that were out: no word says that they were, and the successor finds them. It
 *     invalidates a sample that has the number of its own first one, before it publishes that.
 * C2  It dies after that, before `sequence` shows the sample as published: the successor repeats
 *     the publish (I3) before its own first one. If it dies later, all words hold the sample. The
 *     successor puts it into the USED rings of the readers that have not taken it, perhaps once
 *     more. Every surviving reader gets the sample, once.
 * C3  It dies between pinning and unpinning: the pins are its row, which the successor adopts.
 * C4  A reader dies: the samples that it was given or held stay in its row, and its seat is dead
 *     (seats.ts). A writer that such a sample blocks repairs the seat, or a joiner takes it.
 *     Clearing the row is the repair.
 * C5  A reader dies while it gives a sample back: the word shows whether it did. The count of
 *     references or the entry in AVAIL may be missing; the writer finds the descriptor when it
 *     searches, before it sleeps, or after a slice.
 * C6  The writer dies while it clears a dead reader's row: the kernel releases both roles.
 *
 * A writer with an old view of the online readers may still give a sample to a row whose reader has
 * left. That does no harm: the row is cleared as after a death, or its next reader gets one more
 * sample.
 *
 * On ARM: words are changed by read-modify-writes, which are sequentially consistent; samples,
 * DESC, entries, the journal and `sequence` are plain. Bytes written before a CAS are visible to a
 * party that acquires its result, and reads before the CAS that gives back are complete. A drop and
 * a take are CASes of the same word, so one of them fails, however early the bytes behind it were
 * fetched. A reader that searches has a barrier between `sequence` and the words; the kernel shows
 * a dead writer's stores to the next holder of its role. P3 and P4 are stores and loads of words
 * only.
 *
 * A publisher may loan all unpinned descriptors but one, which it leaves for the next sample, and
 * always one. A loan that waited for loans of its own publisher would wait for ever. (iceoryx2 adds
 * memory for a fixed number of loans when the service is created; here loans share the depth.)
 *
 * Limits: a late joiner may get a history with gaps while samples are dropped. A sample whose
 * publisher died while publishing it may appear only when the next publisher opens.
 *
 * Every party checks a peer's values when it loads them: indexes against the depth, lengths against
 * the allocated memory, numbers against stamps. A corrupt row harms only its own reader.
 *
 * Load buffering: a reader's CAS to `none` releases its reads of the sample, and the writer stores into
 * a sample only after it has acquired all words of it (P2). The writer's stores precede the CAS that
 * gives the sample away. What else depends on loads are hints, which a CAS confirms. Observers store
 * nothing.
 *
 * @module
 */

import type { CorruptRegionError } from "../errors.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { Mapping } from "../memory/mapping.ts";
import { loadDouble, storeDouble, Word32, Word64 } from "../memory/word.ts";
import type { RegionType } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { presenceIn, type Seat, Seats } from "../region/seats.ts";
import { type Doorbell, FencedDoorbell } from "../wait/doorbell.ts";
import { Descriptors } from "./descriptors.ts";
import {
  descriptorOf,
  entryOf,
  stampOf,
  State,
  stateOf,
  TOPIC_CONTROL,
  TOPIC_READER,
  type TopicOffsets,
  usedRingAt,
} from "./vring_layout.ts";

/** The region type of topics. */
export const TOPIC: RegionType = {
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

/** The words of one reader. */
export interface ReaderWords {
  readonly k: number;
  readonly online: Word32;
  readonly used: Word32;
  readonly first: Word64;
  readonly bell: Doorbell;
  readonly row: readonly Word32[];
  /** The offset in the mapping of the copy of the USED ring's last entry. */
  readonly newestAt: number;
  /** The offset in the mapping of the USED ring. */
  readonly ringAt: number;
}

const { journal, sequence, published, delivered, dropped } = TOPIC_CONTROL.fields;

/** The offsets in META of the values that the writer keeps for itself and its successor. */
export const Kept = {
  journal: journal.offset,
  /** The number of the last sample. */
  sequence: sequence.offset,
  // Counters; after the writer's death they may be one sample behind.
  published: published.offset,
  delivered: delivered.offset,
  dropped: dropped.offset,
} as const;

/** The shared words of a topic, as every party uses them. */
export class VRing {
  /** The name in messages, such as `topic "camera/front"`. */
  readonly what: string;
  readonly region: Region;
  readonly plan: TopicOffsets;
  readonly writer: Seat;
  /** The readers' seats: a row each. */
  readonly seats: Seats;
  readonly members: Word32;
  readonly rows: Word32;
  readonly available: Word32;
  /** The low half of the number of the last sample that observers may copy. */
  readonly latest: Word32;
  readonly spaceBell: Doorbell;
  readonly descriptors: Descriptors;
  readonly #mapping: Mapping;
  readonly #mask: number;
  // The offsets in the mapping.
  readonly #controlAt: number;
  readonly #availableEntriesAt: number;
  readonly #readers: (ReaderWords | undefined)[] = [];

  constructor(topic: string, region: Region, plan: TopicOffsets) {
    const { mapping, controlOffset: control } = region;
    const { fields } = TOPIC_CONTROL;
    this.what = `topic "${topic}"`;
    this.region = region;
    this.plan = plan;
    this.#mapping = mapping;
    this.#mask = plan.entries - 1;
    this.#controlAt = control;
    this.#availableEntriesAt = region.dataOffset + plan.availableAt;
    this.writer = { role: WRITER_ROLE, state: new Word32(mapping, fields.writer, control) };
    this.rows = new Word32(mapping, fields.rows, control);
    this.seats = new Seats(region, {
      firstRole: readerRole(0),
      count: plan.readers,
      used: this.rows,
    });
    this.members = new Word32(mapping, fields.members, control);
    this.latest = new Word32(mapping, fields.latest, control);
    this.available = new Word32(mapping, fields.available, control);
    this.spaceBell = new FencedDoorbell(mapping, fields.space_bell, control, fields.space_loop);
    this.descriptors = new Descriptors(mapping, plan, region.dataOffset);
  }

  /** Returns the words of a reader. */
  reader(k: number): ReaderWords {
    return this.#readers[k] ??= this.#makeReader(k);
  }

  #makeReader(k: number): ReaderWords {
    const { region, plan } = this;
    const { mapping, dataOffset } = region;
    const at = dataOffset + plan.readersAt + k * TOPIC_READER.size;
    const { online, newest, used, first, bell, loop } = TOPIC_READER.fields;
    return {
      k,
      online: new Word32(mapping, online, at),
      used: new Word32(mapping, used, at),
      first: new Word64(mapping, first, at),
      bell: new FencedDoorbell(mapping, bell, at, loop),
      row: this.descriptors.rowOf(k),
      newestAt: at + newest.offset,
      ringAt: dataOffset + usedRingAt(plan, k),
    };
  }

  /** Loads a value that the writer keeps in META. */
  kept(place: number): number {
    return loadDouble(this.#mapping, this.#controlAt + place) + 0; // -0 becomes 0
  }

  /** Stores a value that the writer keeps in META. */
  keep(place: number, value: number): void {
    storeDouble(this.#mapping, this.#controlAt + place, value);
  }

  /** Adds to a counter of the writer. */
  count(counter: number, amount: number): void {
    this.keep(counter, this.kept(counter) + amount);
  }

  /** Whether the writer is asleep, or about to be. Then a reader must ring at once. */
  isWriterAsleep(): boolean {
    return (this.spaceBell.word.load() & 1) === 1;
  }

  /** Stores a hint for the writer that a descriptor is free. */
  pushAvailable(d: number): void {
    this.#putAvailable(this.available.add(1), d);
  }

  /** Stores hints for several descriptors at once. */
  pushAllAvailable(descriptors: Uint16Array, count: number): void {
    const index = this.available.add(count);
    for (let i = 0; i < count; i++) this.#putAvailable((index + i) >>> 0, descriptors[i]!);
  }

  #putAvailable(index: number, d: number): void {
    storeDouble(this.#mapping, this.#availableAt(index), entryOf(index, d));
  }

  /** Returns the descriptor in AVAIL at an index; returns -1 if none is stored there yet. */
  availableAt(index: number): number {
    return this.#entryAt(this.#availableAt(index), index);
  }

  #availableAt(index: number): number {
    return this.#availableEntriesAt + 8 * (index & this.#mask);
  }

  /** Stores a hint for a reader about a new sample; `used` must be stored after it. */
  storeUsed(reader: ReaderWords, index: number, entry: number): void {
    storeDouble(this.#mapping, reader.ringAt + 8 * (index & this.#mask), entry);
    storeDouble(this.#mapping, reader.newestAt, entry);
  }

  /** Returns the descriptor that a USED ring has at an index for a stamp; -1 if it has none. */
  usedAt(reader: ReaderWords, index: number, stamp: number): number {
    return this.#entryAt(reader.ringAt + 8 * (index & this.#mask), stamp);
  }

  /**
   * Returns the descriptor of the last entry, which is on the line of `used`; -1 if it has none.
   */
  newestUsed(reader: ReaderWords, stamp: number): number {
    return this.#entryAt(reader.newestAt, stamp);
  }

  #entryAt(at: number, stamp: number): number {
    const d = loadDouble(this.#mapping, at) - entryOf(stamp, 0);
    return this.descriptors.has(d) ? d : -1;
  }

  /** Returns the descriptor in an entry, or -1. */
  descriptorIn(entry: number): number {
    const d = descriptorOf(entry);
    return this.descriptors.has(d) ? d : -1;
  }

  /** Drops one reference to a sample, and hints to the writer if it was the last one. */
  dropReference(d: number, stamp: number): void {
    if (this.descriptors.isLastReference(d, stamp)) this.pushAvailable(d);
  }

  /** Gives back all samples of a reader. The caller holds its role. */
  clear(k: number): void {
    const reader = this.reader(k);
    if (reader.online.exchange(0) !== 0) this.members.add(1);
    for (let d = 0; d < this.plan.depth; d++) {
      const word = reader.row[d]!;
      let before = word.load();
      while (before !== 0) { // ends soon: only a writer with an old view gives once more
        const found = word.compareExchange(before, 0);
        if (found === before) break;
        before = found;
      }
      const had = stateOf(before);
      if (had === State.ready || had === State.held) this.dropReference(d, stampOf(before));
    }
  }

  /** Counts the readers that are online and alive. */
  countReaders(): number {
    let count = 0;
    const rows = this.seats.used;
    for (let k = 0; k < rows; k++) {
      if (this.reader(k).online.load() !== 0 && this.seats.isHeld(k)) count++;
    }
    return count;
  }

  /** Whether the topic has a living writer. */
  hasWriter(): boolean {
    return presenceIn(this.region, this.writer) === "open";
  }

  /** Counts the descriptors that some reader has, taken or not. */
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

  /** Makes the error for a state that no correct peer stores. */
  corrupt(state: string): CorruptRegionError {
    return corrupt(this.what, state);
  }
}
