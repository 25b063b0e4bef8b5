/**
 * The checks of the exercise. They kill the writer before each of its operations in turn, while
 * readers of all kinds take the sample and release it.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { Film } from "../film.ts";
import type { Picture } from "../stage/story.ts";
import { textOf } from "./small_ring.ts";

/** The last two bits of a reader's word: the state of the sample for it. */
export const NONE = 0;
export const READY = 1;
export const HELD = 2;

/** The words as the answer sees them, 32 bits each. Each call is one operation. */
export interface Words {
  /** How many readers there are. */
  readonly readers: number;
  /** The word of a reader: `number << 2 | state`. */
  load(reader: number): number;
  /** Changes the word of a reader if it is `before`; returns the value before. */
  compareExchange(reader: number, before: number, after: number): number;
  journal(): number;
  setJournal(number: number): void;
  sequence(): number;
  setSequence(number: number): void;
}

/** An answer. */
export interface Answer {
  readonly publish: (words: Words, number: number) => void;
  readonly finish: (words: Words) => void;
}

/** Checks an answer and prints the results. */
export function checkPublish(answer: Answer): void {
  runChecks(import.meta.url, checksOf(answer));
}

/** The checks that an answer must pass. */
export function checksOf(answer: Answer): Check[] {
  return [
    {
      what: "every reader gets the sample, and `sequence` moves",
      check: () => tryAll(answer, ["lazy"], { publish: Infinity }),
      hint: "a reader's word still has an older number. Make it `number << 2 | READY`.",
    },
    {
      what: "the writer is killed anywhere: all readers get the sample, or none does",
      check: () => tryAll(answer, ["lazy"], {}),
      hint:
        "leave a note before the first reader gets anything: which number are you publishing? " +
        "It was not finished if `sequence` has not reached it.",
    },
    {
      what: "readers are quick, or hold the sample, and no reader gets it twice",
      check: () => tryAll(answer, ["lazy", "quick", "holding"], {}),
      hint: "a word with this number means that the reader got it, whatever the state.",
    },
    {
      what: "the writer that finishes it is killed too",
      check: () => {
        for (let at = 0; at < MOST_OPERATIONS; at++) {
          if (!tryAll(answer, ["lazy", "quick", "holding"], { finish: at })) return;
        }
      },
      hint: "store `sequence` last. Until then the note must stay true.",
    },
    {
      what: "all of that with a number that reaches the highest bit of the word",
      check: () => tryAll(answer, ["lazy", "quick", "holding"], {}, 2 ** 29),
      hint: "the words are never negative, and `word >> 2` can be. `word >>> 2` cannot.",
    },
    {
      what: "a reader that joins later gets no sample that was finished before",
      check: () => comeLater(answer),
      hint: "its word has no number at all. Was there anything to finish?",
    },
  ];
}

const READERS = 3;
const MOST_OPERATIONS = 60;

/** A reader does nothing, takes and releases a sample at once, or takes it and holds it. */
type Temper = "lazy" | "quick" | "holding";

/** The operation before which `publish` is killed, and that of the first `finish`. */
interface Kills {
  readonly publish?: number;
  readonly finish?: number;
}

/**
 * Publishes this sample to every mixture of tempers, killed everywhere; returns whether `finish`
 * was ever killed.
 */
function tryAll(
  answer: Answer,
  tempers: readonly Temper[],
  kills: Kills,
  number = 7,
): boolean {
  let everKilled = false;
  const mixtures = tempers.flatMap((a) => tempers.flatMap((b) => tempers.map((c) => [a, b, c])));
  for (const mixture of mixtures) {
    for (let at = kills.publish ?? 0;; at++) {
      const scene = new Scene(mixture, number - 1);
      const { wasKilled, finishWasKilled } = tryOnce(answer, scene, { ...kills, publish: at });
      everKilled ||= finishWasKilled;
      if (!wasKilled) break;
    }
  }
  return everKilled;
}

function tryOnce(answer: Answer, scene: Scene, kills: Kills) {
  const before = scene.sequence;
  const number = before + 1;
  const wasKilled = scene.run("publish", (words) => answer.publish(words, number), kills.publish);
  let finishWasKilled = false;
  if (wasKilled && kills.finish !== undefined) {
    finishWasKilled = scene.run("finish", answer.finish, kills.finish);
  }
  scene.run("finish", answer.finish);
  scene.settle();
  const got = scene.countOf(number);
  const all = got.every((count) => count === 1);
  const none = wasKilled && got.every((count) => count === 0);
  const last = all ? number : before;
  expect(
    all || none,
    `The readers have had the sample ${got.join(", ")} times.`,
    () => scene.picture,
  );
  expect(
    scene.sequence === last,
    `The last sample is ${last}, and \`sequence\` is ${scene.sequence}.`,
    () => scene.picture,
  );
  scene.run("publish", (words) => answer.publish(words, last + 1));
  scene.settle();
  expect(
    scene.countOf(last + 1).every((count) => count === 1),
    `The readers have had the next sample, ${last + 1}, ${
      scene.countOf(last + 1).join(", ")
    } times.`,
    () => scene.picture,
  );
  return { wasKilled, finishWasKilled };
}

function comeLater(answer: Answer): void {
  const scene = new Scene(["quick", "quick", "quick"], 6);
  scene.run("publish", (words) => answer.publish(words, 7));
  scene.join(1);
  scene.run("finish", answer.finish);
  expect(
    scene.countOf(7)[1] === 0,
    "Reader 1 joined after sample 7, and you give it that sample.",
    () => scene.picture,
  );
}

/** Who changes words. */
type Party = "publish" | "finish";

/** Ends a writer. */
const KILLED = new Error("killed");

/** Words, readers, and a film of all operations. */
class Scene {
  readonly #tempers: readonly Temper[];
  readonly #rows: Uint32Array;
  readonly #had: number[][] = Array.from({ length: READERS }, () => []);
  readonly #film = new Film(["publish", "finish", "readers"], {
    ...Object.fromEntries(
      Array.from({ length: READERS }, (_, k) => [`word ${k}`, () => textOf(this.#rows[k]!)]),
    ),
    journal: () => this.#journal,
    sequence: () => this.#sequence,
  });
  #journal: number;
  #sequence: number;
  #left = 0;
  #dead = false;

  /** Readers of these tempers, which have had the samples up to `last`. */
  constructor(tempers: readonly Temper[], last: number) {
    this.#tempers = tempers;
    this.#rows = new Uint32Array(READERS).fill(last << 2 | NONE);
    this.#journal = this.#sequence = last;
  }

  get picture(): Picture {
    return this.#film.picture("The last operations, and the words after each");
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** How often each reader has had a sample. */
  countOf(number: number): number[] {
    return this.#had.map((had) => had.filter((each) => each === number).length);
  }

  /** Runs a writer up to an operation before which it is killed; returns whether it was killed. */
  run(name: Party, act: (words: Words) => void, killedAt = Infinity): boolean {
    this.#dead = false;
    this.#left = killedAt;
    let operations = 0;
    try {
      act(this.#wordsOf(name, () => {
        expect(
          operations++ < MOST_OPERATIONS,
          "After 60 operations it has not ended.",
          () => this.picture,
        );
      }));
    } catch (error) {
      if (!this.#dead) throw error;
    }
    return this.#dead;
  }

  /** A reader leaves, and another one takes its place. */
  join(k: number): void {
    this.#rows[k] = NONE;
    this.#film.add("readers", `${k} leaves, another joins`);
    this.#had[k] = [];
  }

  /** All readers take their samples and release them. */
  settle(): void {
    for (let k = 0; k < READERS; k++) {
      this.#takeIfReady(k);
      this.#giveBack(k);
    }
  }

  #wordsOf(name: Party, count: () => void): Words {
    const operation = <T>(what: string, does: () => T): T => {
      count();
      if (this.#dead || this.#left-- <= 0) {
        if (!this.#dead) this.#film.add(name, "is killed");
        this.#dead = true;
        throw KILLED;
      }
      const result = does();
      this.#film.add(name, result === undefined ? what : `${what} → ${result}`);
      this.#letReaders();
      return result;
    };
    return {
      readers: READERS,
      load: (k) => operation(`load(${k})`, () => this.#rows[this.#existing(k)]!),
      compareExchange: (k, before, after) =>
        operation(`compareExchange(${k}, ${before}, ${after})`, () => {
          const found = this.#rows[this.#existing(k)]!;
          if (found === before >>> 0) this.#change(k, after);
          return found;
        }),
      journal: () => operation("journal()", () => this.#journal),
      setJournal: (number) =>
        operation(`setJournal(${number})`, () => void (this.#journal = number)),
      sequence: () => operation("sequence()", () => this.#sequence),
      setSequence: (number) =>
        operation(`setSequence(${number})`, () => void (this.#sequence = number)),
    };
  }

  #existing(k: number): number {
    const isReader = Number.isInteger(k) && k >= 0 && k < READERS;
    expect(
      isReader,
      `There are readers 0 to ${READERS - 1}, and no reader ${k}.`,
      () => this.picture,
    );
    return k;
  }

  #change(k: number, after: number): void {
    const isHeld = (this.#rows[k]! & 3) === HELD;
    this.#rows[k] = after;
    expect(
      !isHeld,
      `Reader ${k} held the sample, and you have changed its word.`,
      () => this.picture,
    );
  }

  #letReaders(): void {
    for (const [k, temper] of this.#tempers.entries()) {
      if (temper !== "lazy") this.#takeIfReady(k);
      if (temper === "quick") this.#giveBack(k);
    }
  }

  #takeIfReady(k: number): void {
    const word = this.#rows[k]!;
    if ((word & 3) !== READY) return;
    this.#rows[k] = word & ~3 | HELD;
    this.#had[k]!.push(word >>> 2);
    this.#film.add("readers", `${k} takes ${word >>> 2}`);
  }

  #giveBack(k: number): void {
    const word = this.#rows[k]!;
    if ((word & 3) !== HELD) return;
    this.#rows[k] = word & ~3 | NONE;
    this.#film.add("readers", `${k} releases ${word >>> 2}`);
  }
}
