/// <reference lib="dom" />
/**
 * Replaces page/api.ts in the static pages: frames come from recordings, and the reader's progress
 * stays in the browser.
 *
 * @module
 */

import type { Exercise } from "../exercises.ts";
import type { Act, Card } from "../processes.ts";
import type { Outline } from "../outline.ts";
import type { Course } from "../server.ts";
import type { Frame, Verdict } from "../story.ts";
import type { RecordedStep } from "./record.ts";
import type { Verdicts } from "./record_child.ts";

const STORED = "recorded";

/** The furthest step of each chapter, and the predictions. */
interface Progress {
  last?: number;
  readonly steps: Record<string, number>;
  readonly predictions: Record<string, Record<string, boolean>>;
}

function progress(): Progress {
  const stored = localStorage.getItem(STORED);
  return stored === null ? { steps: {}, predictions: {} } : JSON.parse(stored);
}

async function load<T>(file: string): Promise<T> {
  const response = await fetch(`recorded/${file}.json`);
  if (!response.ok) throw new Error(`Cannot load recorded/${file}.json: ${response.status}`);
  return await response.json();
}

/** The chapters and the progress. */
export async function course(): Promise<Course> {
  const { last, steps, predictions } = progress();
  const chapters = (await load<Outline[]>("course")).map((chapter) => ({
    ...chapter,
    step: steps[chapter.number] ?? 0,
    predictions: predictions[chapter.number] ?? {},
    solved: false,
    attempts: 0,
  }));
  return { chapters, ...last !== undefined && { last } };
}

const recordings = new Map<number, Promise<RecordedStep[]>>();

/** Returns a recorded step: up to its question, or, with an answer, to its end. */
export async function runStep(chapter: number, step: number, answer?: number): Promise<Frame> {
  let steps = recordings.get(chapter);
  if (steps === undefined) recordings.set(chapter, steps = load<RecordedStep[]>(`${chapter}`));
  const { frame, verdicts } = (await steps)[step - 1]!;
  if (verdicts !== undefined && answer === undefined) {
    const { after: _, ended: __, ...asked } = frame;
    note(chapter, step);
    return { ...asked, done: false, shown: [] };
  }
  const verdict = verdicts && verdictOn(verdicts, answer!);
  note(chapter, step, verdict?.right);
  return verdict === undefined ? frame : { ...frame, verdict };
}

function verdictOn(verdicts: Verdicts, answer: number): Verdict {
  if (verdicts.kind !== "number") return verdicts.each[answer]!;
  const { from, to, right, often, otherwise } = verdicts;
  if (answer >= from && answer <= to) return right;
  return often.find(({ number }) => number === answer)?.verdict ?? otherwise;
}

function note(chapter: number, step: number, isRight?: boolean): void {
  const all = progress();
  all.last = chapter;
  all.steps[chapter] = Math.max(step, all.steps[chapter] ?? 0);
  if (isRight !== undefined) (all.predictions[chapter] ??= {})[step] ??= isRight;
  localStorage.setItem(STORED, JSON.stringify(all));
}

/** No process runs. */
export function cards(_chapter: number): Promise<Card[]> {
  return Promise.resolve([]);
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("Nothing runs in these pages; in a clone, use deno task learn"));
}

export const act: (pid: number, act: Act) => Promise<unknown> = refuse;
export const openHint: (chapter: number) => Promise<unknown> = refuse;
export const reset: (chapter: number) => Promise<unknown> = refuse;

/** Exercises are files in a clone. */
export function watchExercise(_chapter: number, _hear: (exercise: Exercise) => void): () => void {
  return () => {};
}
