/**
 * A small vring: three samples, one writer, two readers, and every operation on its own.
 *
 * The work of a party is a generator that stops after each operation and describes it. So you can
 * watch the operations one by one. To kill a party, the program does not ask for its next one.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";

export const DEPTH = 3;
export const READERS = 2;

/** The state of a descriptor for one reader: the last two bits of a word. */
export const State = { none: 0, ready: 1, held: 2 } as const;

/** A word: the number of a sample and a state. */
export function wordOf(sample: number, state: number): number {
  return (sample << 2 | state) >>> 0;
}

/** A word as text. */
export function textOf(word: number): string {
  const state = ["none", "ready", "held"][word & 3]!;
  return word >>> 2 === 0 ? state : `${state} ${word >>> 2}`;
}

/** What an operation did, and to what. */
export interface Operation {
  /** The part of the vring that it is about. */
  readonly about: "sample" | "index" | "count" | "word" | "journal";
  readonly text: string;
}

/** Does one operation after the other, and describes each. */
export type Operations<T = void> = Generator<Operation, T>;

function on(about: Operation["about"], text: string): Operation {
  return { about, text };
}

const LINE = 64;
const ENTRIES = 8; // more than are needed here: a reader that is even further behind must search
const SAMPLE_BYTES = 64;

/** The shared memory. Words that different parties store are in different lines. */
export class SmallRing {
  readonly memory = Mapping.anonymous(pageSize(), "a small vring");
  /** The number of the last sample that was published to all. */
  readonly sequence = this.#word("sequence", 0);
  /** The sample that the writer is publishing: number << 2 | descriptor. */
  readonly journal = this.#word("journal", 1);
  /** How many descriptors were ever put into AVAIL. */
  readonly available = this.#word("available", 2);
  /** How many were ever put into each USED ring. */
  readonly used = this.#words("used", 3, READERS);
  /** How many parties have not released a descriptor. */
  readonly references = this.#words("references", 5, DEPTH);
  /** A word for each reader and descriptor. */
  readonly rows = Array.from(
    { length: READERS },
    (_, k) => this.#words("row", 8 + DEPTH * k, DEPTH),
  );
  /** The entries of AVAIL: descriptors. */
  readonly availableEntries = this.#entries(16);
  /** The entries of each USED ring: number << 2 | descriptor. */
  readonly usedEntries = [this.#entries(17), this.#entries(18)];
  /** The number and the length of each sample. */
  readonly descriptions = [this.#entries(19), this.#entries(20), this.#entries(21)];

  constructor() {
    for (let d = 0; d < DEPTH; d++) this.availableEntries[d] = d;
    this.available.store(DEPTH);
  }

  #word(path: string, line: number): Word32 {
    return new Word32(this.memory, { path, offset: LINE * line });
  }

  #words(path: string, line: number, count: number): Word32[] {
    return Array.from({ length: count }, (_, i) => this.#word(path, line + i));
  }

  #entries(line: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.bytes.buffer, LINE * line, ENTRIES);
  }

  /** The bytes of a sample. */
  sample(d: number): Uint8Array<ArrayBuffer> {
    const start = LINE * 32 + SAMPLE_BYTES * d;
    return this.memory.bytes.subarray(start, start + SAMPLE_BYTES);
  }

  /** The text of a sample. */
  read(d: number): string {
    return new TextDecoder().decode(this.sample(d).subarray(0, this.descriptions[d]![1]));
  }

  /** Releases one reference; the last one puts the descriptor into AVAIL. */
  *dropReference(d: number): Operations {
    const left = this.references[d]!.sub(1) - 1;
    yield on("count", `count of ${d}: ${left}`);
    if (left === 0) yield* this.pushAvailable(d);
  }

  *pushAvailable(d: number): Operations {
    const index = this.available.add(1);
    this.availableEntries[index % ENTRIES] = d;
    yield on("index", `puts ${d} into AVAIL`);
  }
}

/** The writer, with its private state. */
export class Writer {
  readonly ring: SmallRing;
  /** How many entries of AVAIL it has taken. */
  taken: number;

  /** Skips all entries of AVAIL and searches the rows instead, unless it is the first writer. */
  constructor(ring: SmallRing, taken = ring.available.load()) {
    this.ring = ring;
    this.taken = taken;
  }

  *publish(text: string): Operations {
    const d = yield* this.take();
    if (d !== undefined) yield* this.send(d, text);
  }

  /** Takes a descriptor out of AVAIL, and looks whether it is free. */
  *take(): Operations<number | undefined> {
    const { ring } = this;
    if (this.taken === ring.available.load()) {
      yield on("index", "finds AVAIL empty");
      return yield* this.search();
    }
    const d = ring.availableEntries[this.taken++ % ENTRIES]!;
    yield on("index", `takes ${d} from AVAIL`);
    if (this.#isFree(d)) return d;
    yield on("word", `the words say: place ${d} is not free`);
    return yield* this.take();
  }

  /** Looks at all words, whatever AVAIL says. */
  *search(): Operations<number | undefined> {
    for (let d = 0; d < DEPTH; d++) {
      const words = this.ring.rows.map((row) => textOf(row[d]!.load())).join(", ");
      yield on("word", `words of place ${d}: ${words}`);
      if (this.#isFree(d)) return d;
    }
    return undefined;
  }

  #isFree(d: number): boolean {
    return this.ring.rows.every((row) => (row[d]!.load() & 3) === State.none);
  }

  /** Writes a sample, and publishes it to all. */
  *send(d: number, text: string): Operations {
    const { ring } = this;
    const number = ring.sequence.load() + 1;
    const { written } = new TextEncoder().encodeInto(text, ring.sample(d));
    ring.descriptions[d]!.set([number, written]);
    yield on("sample", `writes "${text}" into place ${d}`);
    ring.journal.store(number << 2 | d);
    yield on("journal", `journal: sample ${number}, place ${d}`);
    yield* this.deliver(d, number);
  }

  /** Publishes a sample to all readers that have not had it. */
  *deliver(d: number, number: number): Operations {
    const { ring } = this;
    ring.references[d]!.store(READERS + 1);
    yield on("count", `count of ${d}: ${READERS + 1}`);
    for (let k = 0; k < READERS; k++) yield* this.give(k, d, number);
    ring.sequence.store(number);
    yield on("journal", `sequence: ${number}`);
    yield* ring.dropReference(d);
  }

  *give(k: number, d: number, number: number): Operations {
    const { ring } = this;
    const word = ring.rows[k]![d]!;
    const before = word.load();
    if (before === wordOf(number, State.none)) {
      yield on("word", `reader ${k} had it: none ${number}`);
      return yield* ring.dropReference(d);
    }
    if (before === wordOf(number, State.held)) {
      return yield on("word", `reader ${k} has it: held ${number}`);
    }
    word.compareExchange(before, wordOf(number, State.ready));
    yield on("word", `word for reader ${k}: ready ${number}`);
    const index = ring.used[k]!.load();
    ring.usedEntries[k]![index % ENTRIES] = number << 2 | d;
    ring.used[k]!.store(index + 1);
    yield on("index", `puts ${d} into USED ${k}`);
  }

  /** Finishes the last writer's sample, which a successor does first. */
  *finish(): Operations {
    const { journal, sequence } = this.ring;
    const [number, last] = [journal.load() >>> 2, sequence.load()];
    yield on("journal", `journal ${number}, sequence ${last}`);
    if (number === last + 1) yield* this.deliver(journal.load() & 3, number);
    for (let d = 0; d < DEPTH; d++) {
      if (this.#isFree(d)) yield* this.ring.pushAvailable(d);
    }
  }

  /** Takes a sample back from all readers that have not taken it. */
  *drop(d: number): Operations {
    for (const [k, row] of this.ring.rows.entries()) {
      const before = row[d]!.load();
      if ((before & 3) !== State.ready) continue;
      yield on("word", `wants place ${d}: ${textOf(before)}`);
      const found = row[d]!.compareExchange(before, before & ~3);
      yield on(
        "word",
        found === before
          ? `word of reader ${k}: none ${before >>> 2}`
          : `too late: ${textOf(found)}`,
      );
    }
  }

  /** Clears the row of a reader. The caller holds the reader's role, so the reader is dead. */
  *clear(k: number): Operations {
    yield on("word", `gets the lock of reader ${k}`);
    for (const [d, word] of this.ring.rows[k]!.entries()) {
      const before = word.load();
      if ((before & 3) === State.none) continue;
      word.store(0);
      yield on("word", `word for place ${d}: ${textOf(before)} → none`);
      yield* this.ring.dropReference(d);
    }
  }
}

/** A reader, with its private state. */
export class Reader {
  readonly ring: SmallRing;
  readonly k: number;
  /** How many entries of its USED ring it has followed. */
  followed = 0;
  /** What it has read, in order. */
  readonly seen: string[] = [];

  constructor(ring: SmallRing, k: number) {
    this.ring = ring;
    this.k = k;
  }

  /** Takes the next sample, reads it, and releases it. */
  *receive(): Operations {
    const d = yield* this.take();
    if (d !== undefined) yield* this.release(d);
  }

  *take(): Operations<number | undefined> {
    const { ring, k } = this;
    while (this.followed !== ring.used[k]!.load()) {
      const entry = ring.usedEntries[k]![this.followed % ENTRIES]!;
      const [number, d] = [entry >>> 2, entry & 3];
      this.followed++;
      yield on("index", `takes ${d} from USED ${k}`);
      const word = ring.rows[k]![d]!;
      const ready = wordOf(number, State.ready);
      const found = word.compareExchange(ready, wordOf(number, State.held));
      if (found === ready) {
        yield on("word", `word for place ${d}: held ${number}`);
        this.seen.push(ring.read(d));
        yield on("sample", `reads "${this.seen.at(-1)}"`);
        return d;
      }
      yield on("word", `word for place ${d}: ${textOf(found)}, not ready ${number}`);
    }
    return undefined;
  }

  *release(d: number): Operations {
    const { ring, k } = this;
    const before = ring.rows[k]![d]!.load();
    ring.rows[k]![d]!.store(wordOf(before >>> 2, State.none)); // nobody else changes `held`
    yield on("word", `word for place ${d}: none ${before >>> 2}`);
    yield* ring.dropReference(d);
  }
}
