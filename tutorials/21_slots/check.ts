/**
 * The checks of the exercise, with entries in real memory and a writer that acts before any operation
 * of the answer, and in the middle of any copy.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { type Check, expect, runChecks, Wrong } from "../check.ts";
import { Film } from "../film.ts";

/** A slot as the answer sees it. Each call is one operation. */
export interface SlotView {
  /** How many messages it keeps. */
  readonly depth: number;
  /** How many entries it has: one more. Message n is in entry n % entries. */
  readonly entries: number;
  /** The number of the newest complete message; 0 if there is none. */
  sequence(): number;
  /** The number of the complete message in an entry; 0 while it is written. */
  stamp(entry: number): number;
  /** Copies the text of an entry. */
  copy(entry: number): string;
}

/** A message, and how many were lost just before it. */
export interface Read {
  readonly number: number;
  readonly text: string;
  readonly lost: number;
}

/** An answer. */
export type Since = (slot: SlotView, seen: number) => readonly Read[];

/** Checks an answer and prints the results. */
export function checkSince(since: Since): void {
  runChecks(import.meta.url, checksOf(since));
}

/** The checks that an answer must pass. */
export function checksOf(since: Since): Check[] {
  return [
    {
      what: "it returns the messages after `seen`, oldest first",
      check: () => quiet(since, [[3, 0], [3, 1], [3, 3], [0, 0]]),
      hint: "from `seen + 1` to `sequence()`, each in entry `n % slot.entries`.",
    },
    {
      what: "it tells how many are lost, in the first message after the gap",
      check: () => quiet(since, [[7, 2], [10, 0], [9, 5]]),
      hint:
        "the slot keeps `depth` messages. What is between `seen` and the oldest of them is lost.",
    },
    {
      what: "a writer that died in the middle of a message harms nobody",
      check: () => afterADeath(since),
      hint: "the dead writer's message has no number yet. It is in the entry after the newest.",
    },
    {
      what: "messages that are written meanwhile, at any moment: each text is whole",
      check: () => atAnyMoment(since, expectWhole),
      hint: "a stamp that was right before the copy says nothing about the end of the copy.",
    },
    {
      what: "of those, every gap is reported, and no message that stayed is left out",
      check: () => atAnyMoment(since, expectFair),
      hint: "a message that was overwritten while you copied is lost, too: count from the last " +
        "number that you return.",
    },
  ];
}

const DEPTH = 3;
const ENTRIES = DEPTH + 1;
const MOST_OPERATIONS = 200;
/** More than a right answer does. */
const MOMENTS = 40;
const TEXT_BYTES = 16;

/** What the writer does before which operation of the answer. */
interface Deed {
  readonly before: number;
  readonly messages: number;
}

function textOf(number: number): string {
  return `${number} `.repeat(TEXT_BYTES).slice(0, TEXT_BYTES);
}

/** A slot in memory, its writer, and a film of all operations. */
class Scene implements Disposable {
  readonly #memory = Mapping.anonymous(pageSize(), "a slot");
  readonly #stamps = Array.from(
    { length: ENTRIES },
    (_, i) => new Word32(this.#memory, { path: `stamp ${i}`, offset: 64 * i }),
  );
  readonly #film = new Film(["reader", "writer"], {
    sequence: () => this.#published,
    ...Object.fromEntries(this.#stamps.map((stamp, i) => [`stamp ${i}`, () => stamp.load()])),
  });
  readonly #deed: Deed | undefined;
  #published = 0;
  #operations = 0;

  constructor(published: number, deed?: Deed) {
    for (let i = 0; i < published; i++) this.write();
    this.#deed = deed;
  }

  get published(): number {
    return this.#published;
  }

  /** Whether the writer had its moment. */
  get isOver(): boolean {
    return this.#deed === undefined || this.#operations > this.#deed.before;
  }

  /** The writer writes a message; it dies after half of the text, if it is so. */
  write(dies = false): void {
    const number = this.#published + 1;
    const entry = number % ENTRIES;
    this.#stamps[entry]!.store(0);
    this.#put(entry, textOf(number).slice(0, dies ? TEXT_BYTES / 2 : TEXT_BYTES));
    if (!dies) {
      this.#stamps[entry]!.store(number);
      this.#published = number;
    }
    this.#film.add("writer", `${dies ? "dies in" : "writes"} message ${number}`);
  }

  /** Lets the answer read. */
  read(since: Since, seen: number): readonly Read[] {
    this.#film.add("reader", `since(slot, ${seen})`);
    return since(this.#view(), seen);
  }

  /** Fails, with what happened. */
  wrong(why: string): Wrong {
    return new Wrong(why, this.#film.picture("The last operations, and the words after each"));
  }

  #view(): SlotView {
    return {
      depth: DEPTH,
      entries: ENTRIES,
      sequence: () => {
        this.#begin();
        this.#film.add("reader", `sequence() → ${this.#published}`);
        return this.#published;
      },
      stamp: (entry) => {
        this.#begin(entry);
        const stamp = this.#stamps[entry]!.load();
        this.#film.add("reader", `stamp(${entry}) → ${stamp}`);
        return stamp;
      },
      copy: (entry) => {
        this.#begin(entry);
        const first = this.#get(entry, 0);
        this.#act(); // in the middle of the copy
        const text = first + this.#get(entry, TEXT_BYTES / 2);
        this.#film.add("reader", `copy(${entry}) → "${text.trimEnd().replaceAll("\0", "·")}"`);
        return text;
      },
    };
  }

  #begin(entry?: number): void {
    if (entry !== undefined) {
      expect(
        Number.isInteger(entry) && entry >= 0 && entry < ENTRIES,
        `There are entries 0 to ${ENTRIES - 1}, and you ask for entry ${entry}.`,
      );
    }
    this.#act();
    if (this.#operations > MOST_OPERATIONS) {
      throw this.wrong(`After ${MOST_OPERATIONS} operations it has not ended.`);
    }
  }

  /** Counts a moment, and lets the writer act if it is the one. */
  #act(): void {
    if (this.#operations++ !== this.#deed?.before) return;
    for (let i = 0; i < this.#deed.messages; i++) this.write();
  }

  #put(entry: number, text: string): void {
    const at = 1024 + TEXT_BYTES * entry;
    this.#memory.bytes.set(new TextEncoder().encode(text), at);
  }

  #get(entry: number, from: number): string {
    const at = 1024 + TEXT_BYTES * entry + from;
    return new TextDecoder().decode(this.#memory.bytes.subarray(at, at + TEXT_BYTES / 2));
  }

  [Symbol.dispose](): void {
    this.#memory.close();
  }
}

function listed(reads: readonly Read[]): string {
  return reads.map(({ number, lost }) => `${number} (lost ${lost})`).join(", ") || "nothing";
}

/** Nothing happens while the answer reads. */
function quiet(since: Since, cases: readonly (readonly [last: number, seen: number])[]): void {
  for (const [last, seen] of cases) {
    using scene = new Scene(last);
    expectAll(scene, scene.read(since, seen), seen);
  }
}

function expectAll(scene: Scene, reads: readonly Read[], seen: number): void {
  const last = scene.published;
  const first = Math.max(seen, last - DEPTH) + 1;
  const wanted = Array.from({ length: last - first + 1 }, (_, i) => ({
    number: first + i,
    text: textOf(first + i),
    lost: i === 0 ? first - 1 - seen : 0,
  }));
  if (listed(reads) !== listed(wanted)) {
    throw scene.wrong(
      `The newest is ${last}, and ${seen} was seen.\nYou return ${listed(reads)}.\n` +
        `Expected: ${listed(wanted)}.`,
    );
  }
  expectWhole(scene, reads);
}

function expectWhole(scene: Scene, reads: readonly Read[]): void {
  const torn = reads.find(({ number, text }) => text !== textOf(number));
  if (torn !== undefined) {
    throw scene.wrong(`You return "${torn.text.trimEnd()}" as message ${torn.number}.`);
  }
}

function afterADeath(since: Since): void {
  for (const [last, seen] of [[2, 0], [6, 3], [8, 8]] as const) {
    using scene = new Scene(last);
    scene.write(true);
    expectAll(scene, scene.read(since, seen), seen);
  }
}

/** The writer writes one to five messages before each operation in turn, and in each copy. */
function atAnyMoment(
  since: Since,
  expectRight: (scene: Scene, reads: readonly Read[], around: Around) => void,
): void {
  for (let messages = 1; messages <= 5; messages++) {
    for (const [last, seen] of [[3, 0], [7, 4], [8, 3]] as const) {
      for (let before = 0; before < MOMENTS; before++) {
        using scene = new Scene(last, { before, messages });
        expectRight(scene, scene.read(since, seen), { last, seen });
        if (!scene.isOver) break;
      }
    }
  }
}

/** The newest message when the answer began, and the number that was seen. */
interface Around {
  readonly last: number;
  readonly seen: number;
}

/** What is returned is in order, every gap is told, and what stayed is there. */
function expectFair(
  scene: Scene,
  reads: readonly Read[],
  { last, seen }: Around,
): void {
  let before = seen;
  for (const { number, lost } of reads) {
    if (number <= before) throw scene.wrong(`You return ${listed(reads)}, which is out of order.`);
    if (lost !== number - before - 1) {
      throw scene.wrong(
        `You return ${listed(reads)}, after ${seen}. Before ${number}, ${
          number - before - 1
        } are missing.`,
      );
    }
    before = number;
  }
  for (let number = scene.published - DEPTH + 1; number <= last; number++) {
    if (number <= seen || reads.some((read) => read.number === number)) continue;
    throw scene.wrong(`You return ${listed(reads)}. Message ${number} was there all the time.`);
  }
}
