/**
 * An exercise as the reader sees it: the task, the judgement of the file, hints and the solution.
 * While somebody looks, a watcher judges the file at each change.
 *
 * @module
 */

import { type Chapter, keyOf } from "./chapters.ts";
import { type DiffLine, diffOf, moduleComment, withoutModuleComment } from "./diff.ts";
import { HINTS } from "./hints.ts";
import { judgeFile, type Judgement } from "./judge.ts";
import type { Workshop } from "./workshop.ts";

const ROOT = new URL("../../", import.meta.url);

/** How often the file is looked at. Editors replace files, which a watch on one would lose. */
const LOOK_MS = 200;
/** After so many attempts the solution opens. */
export const ATTEMPTS = 3;

/** An exercise, ready to be shown. */
export interface Exercise {
  readonly chapter: number;
  readonly title: string;
  readonly task: string;
  /** The path of the reader's file, from the root of the repository. */
  readonly file: string;
  readonly judging: boolean;
  readonly judgement?: Judgement;
  readonly attempts: number;
  readonly solved: boolean;
  /** The hints that are open, of three. */
  readonly hints: readonly string[];
  /** The solution beside the reader's answer, once it may be seen. */
  readonly solution?: readonly DiffLine[];
}

/** Judges the reader's answer to one exercise, and tells listeners what it sees. */
export class Bench {
  readonly #workshop: Workshop;
  readonly #chapter: Chapter;
  readonly #listeners = new Set<(exercise: Exercise) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #seen = "";
  #judgement: Judgement | undefined;
  #judging: Promise<void> | undefined;

  constructor(workshop: Workshop, chapter: Chapter) {
    this.#workshop = workshop;
    this.#chapter = chapter;
  }

  /** What there is to show now. */
  get exercise(): Exercise {
    const file = this.#workshop.begin(this.#chapter);
    const { attempts, solved, hints } = this.#workshop.workOf(this.#chapter);
    const mine = Deno.readTextFileSync(file);
    const mayOpen = solved || attempts >= ATTEMPTS;
    return {
      chapter: this.#chapter.number,
      title: this.#chapter.exercise.replace(/\.$/, ""), // as the titles of steps
      task: moduleComment(this.#workshop.shippedText(this.#chapter)),
      file: file.pathname.replace(ROOT.pathname, ""),
      judging: this.#judging !== undefined,
      ...this.#judgement !== undefined && { judgement: this.#judgement },
      attempts,
      solved,
      hints: HINTS[keyOf(this.#chapter)]!.slice(0, hints),
      ...mayOpen && {
        solution: diffOf(
          withoutModuleComment(mine),
          withoutModuleComment(this.#workshop.solutionOf(this.#chapter)),
        ),
      },
    };
  }

  /** Calls the listener at each change, until the function that it returns is called. */
  watch(listener: (exercise: Exercise) => void): () => void {
    this.#listeners.add(listener);
    listener(this.exercise);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    this.#look();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Opens the next hint. */
  openHint(): void {
    this.#workshop.openHint(this.#chapter);
    this.#tell();
  }

  /** Begins again with the exercise as shipped. */
  reset(): void {
    this.#workshop.reset(this.#chapter);
    this.#look();
  }

  /** Judges the file if it has changed since it was last judged. */
  #look(): void {
    if (this.#judging !== undefined) return;
    const text = this.#text();
    if (text === undefined || text === this.#seen) return;
    this.#seen = text;
    this.#judging = this.#judge(text);
    this.#tell();
  }

  async #judge(text: string): Promise<void> {
    const judgement = await judgeFile(this.#workshop.fileOf(this.#chapter), this.#chapter);
    this.#judgement = judgement;
    this.#judging = undefined;
    this.#workshop.noteJudgement(this.#chapter, text, judgement);
    this.#tell();
  }

  /** The file; undefined while an editor replaces it. */
  #text(): string | undefined {
    try {
      return Deno.readTextFileSync(this.#workshop.begin(this.#chapter));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #tell(): void {
    const { exercise } = this;
    for (const listener of this.#listeners) listener(exercise);
  }
}
