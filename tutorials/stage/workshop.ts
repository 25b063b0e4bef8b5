/**
 * The reader's own files in `tutorials/mine/`, which git ignores: an answer to each exercise, and the
 * progress. The exercises as shipped stay as they are, so a reset is a copy.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Chapter, chapterOf, CHAPTERS, keyOf } from "./chapters.ts";
import type { Judgement } from "./judge.ts";

const TUTORIALS = new URL("../", import.meta.url);

/** What the reader has done with an exercise. */
export interface Work {
  /** How many different answers were judged and refused. */
  readonly attempts: number;
  readonly solved: boolean;
  /** How many hints were opened. */
  readonly hints: number;
  /** What the answer was that was judged last, as a hash. */
  readonly judged?: string;
}

/** What the reader has done with a chapter. */
export interface Reading {
  /** The furthest step that was shown. */
  readonly step: number;
  /** Predictions by step: whether the first answer was right. */
  readonly predictions: Readonly<Record<string, boolean>>;
}

/** All progress, by the key of the chapter. */
interface Progress {
  readonly readings: Readonly<Record<string, Reading>>;
  readonly works: Readonly<Record<string, Work>>;
  /** The chapter of the last step that was shown. */
  readonly last?: string;
}

type Named = Pick<Chapter, "folder">;

const NONE: Work = { attempts: 0, solved: false, hints: 0 };
const UNREAD: Reading = { step: 0, predictions: {} };

/** The folder of the reader's files. */
export class Workshop {
  readonly #folder: URL;

  /** Opens a folder; by default `tutorials/mine/`. */
  constructor(folder: URL = new URL("mine/", TUTORIALS)) {
    this.#folder = folder;
    this.#load(); // complains about a broken file at once
  }

  /** The chapter of the last step that was shown. */
  get last(): Chapter | undefined {
    const { last } = this.#load();
    return CHAPTERS.find((chapter) => keyOf(chapter) === last);
  }

  /** The name that the terminals of a chapter share. */
  nameFor(chapter: number): string {
    const [reader] = this.#folder.pathname.split("/").slice(-2);
    return reader === "mine" ? `learn-${chapter}` : `learn-${chapter}-${reader}`;
  }

  /** Where the playground is built. */
  get built(): URL {
    return new URL(".built/", this.#folder);
  }

  /** The file with the reader's answer. */
  fileOf({ folder, file = folder }: Chapter): URL {
    return new URL(`${file}.ts`, this.#folder);
  }

  /** Makes the file if it is missing; it begins as the exercise that is shipped. */
  begin(chapter: Chapter): URL {
    const file = this.fileOf(chapter);
    if (!exists(file)) this.reset(chapter);
    return file;
  }

  /** Replaces the answer by the exercise as it is shipped. */
  reset(chapter: Chapter): void {
    Deno.mkdirSync(this.#folder, { recursive: true });
    Deno.writeTextFileSync(this.fileOf(chapter), this.shippedText(chapter));
  }

  /** The exercise as shipped, with imports that are right in this folder. */
  shippedText(chapter: Chapter): string {
    return exerciseFor(chapter, this.#folder);
  }

  /** The solution that is shipped. */
  solutionOf({ folder }: Chapter): string {
    return Deno.readTextFileSync(new URL(`answers/${folder}.ts`, TUTORIALS));
  }

  workOf(chapter: Named): Work {
    return this.#load().works[keyOf(chapter)] ?? NONE;
  }

  readingOf(chapter: Named): Reading {
    return this.#load().readings[keyOf(chapter)] ?? UNREAD;
  }

  /**
   * Remembers the judgement of an answer. The exercise as shipped does not count as an attempt, and an
   * answer that is judged again counts once.
   */
  noteJudgement(chapter: Chapter, answer: string, { verdict }: Judgement): void {
    if (answer === this.shippedText(chapter)) return;
    const judged = createHash("sha256").update(answer).digest("hex").slice(0, 16);
    const isSolved = verdict === "solved";
    const isAttempt = !isSolved && verdict !== "mistyped";
    this.#noteWork(chapter, (work) => ({
      ...work,
      solved: work.solved || isSolved,
      attempts: work.attempts + Number(isAttempt && work.judged !== judged),
      judged,
    }));
  }

  /** Opens the next hint. */
  openHint(chapter: Chapter): void {
    this.#noteWork(chapter, (work) => ({ ...work, hints: Math.min(work.hints + 1, 3) }));
  }

  /** Remembers that a step was shown, and how a prediction came out; the first answer counts. */
  noteStep(chapter: Named, step: number, right?: boolean): void {
    const key = keyOf(chapter);
    this.#change((progress) => {
      const { step: furthest, predictions } = progress.readings[key] ?? UNREAD;
      const more = right === undefined || predictions[step] !== undefined ? {} : { [step]: right };
      const reading = { step: Math.max(step, furthest), predictions: { ...predictions, ...more } };
      const readings = { ...progress.readings, [key]: reading };
      return { ...progress, readings, last: key };
    });
  }

  #noteWork(chapter: Named, change: (work: Work) => Work): void {
    const key = keyOf(chapter);
    this.#change((progress) => {
      const works = { ...progress.works, [key]: change(progress.works[key] ?? NONE) };
      return { ...progress, works };
    });
  }

  get #file(): URL {
    return new URL("progress.json", this.#folder);
  }

  #load(): Progress {
    if (!exists(this.#file)) return { readings: {}, works: {} };
    try {
      return byKey(JSON.parse(Deno.readTextFileSync(this.#file)));
    } catch (error) {
      throw new Error(`Cannot read the progress in ${this.#file.pathname}: remove the file`, {
        cause: error,
      });
    }
  }

  /**
   * Reads, changes and replaces the progress under a lock on the folder, because several terminals
   * note steps at once. The rename leaves no half of a file if this process dies.
   */
  #change(change: (progress: Progress) => Progress): void {
    Deno.mkdirSync(this.#folder, { recursive: true });
    using lock = Deno.openSync(this.#folder);
    lock.lockSync(true); // the kernel releases it when the folder is closed
    const progress = change(this.#load());
    const fresh = new URL(`progress.json.${Deno.pid}`, this.#folder);
    Deno.writeTextFileSync(fresh, `${JSON.stringify(progress, null, 2)}\n`);
    Deno.renameSync(fresh, this.#file);
  }
}

/** Reads progress, which once had the numbers of chapters in place of their keys. */
function byKey({ readings, works, last }: Progress): Progress {
  const named = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).map(([key, value]) => [keyFor(key), value]));
  return {
    readings: named(readings),
    works: named(works),
    ...last !== undefined && { last: keyFor(`${last}`) },
  };
}

function keyFor(key: string): string {
  const chapter = /^\d+$/.test(key) ? chapterOf(key) : undefined;
  return chapter === undefined ? key : keyOf(chapter);
}

function exists(file: URL): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The exercise as shipped, with imports and commands that are right where the answer lives. */
function exerciseFor({ folder, file = folder }: Chapter, mine: URL): string {
  const shipped = new URL(`${folder}/`, TUTORIALS);
  const text = Deno.readTextFileSync(new URL("exercise.ts", shipped));
  const isInTutorials = mine.href.startsWith(TUTORIALS.href);
  return text
    .replaceAll(/from "(\.\.?\/[^"]+)"/g, (_, path: string) => {
      const target = new URL(path, shipped);
      return `from "${isInTutorials ? relative(mine, target) : target.href}"`;
    })
    .replaceAll(`tutorials/${folder}/exercise.ts`, `tutorials/mine/${file}.ts`);
}

/** The path from a folder to a file that have a folder in common. */
function relative(from: URL, to: URL): string {
  const [source, target] = [from, to].map(({ pathname }) => pathname.split("/"));
  let same = 0;
  while (source![same] === target![same]) same++;
  const up = source!.length - 1 - same;
  return `${up === 0 ? "./" : "../".repeat(up)}${target!.slice(same).join("/")}`;
}

/** Whether every chapter has a file that may be judged. */
export function chaptersBegun(workshop: Workshop): Chapter[] {
  return CHAPTERS.filter((chapter) => exists(workshop.fileOf(chapter)));
}
