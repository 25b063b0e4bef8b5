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

const STORED = "progress";

/** The furthest step of each chapter, by its key, and the predictions. */
interface Progress {
  last?: string;
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

let loading: Promise<Outline[]> | undefined;

function outlines(): Promise<Outline[]> {
  return loading ??= load<Outline[]>("course");
}

/** The chapters and the progress. */
export async function course(): Promise<Course> {
  const { last, steps, predictions } = progress();
  const chapters = (await outlines()).map((chapter) => ({
    ...chapter,
    step: steps[chapter.key] ?? 0,
    predictions: predictions[chapter.key] ?? {},
    solved: false,
    attempts: 0,
  }));
  const resumed = chapters.find((chapter) => chapter.key === last);
  return { chapters, ...resumed !== undefined && { last: resumed.number } };
}

const recordings = new Map<number, Promise<RecordedStep[]>>();

/** Returns a recorded step: up to its question, or, with an answer, to its end. */
export async function runStep(chapter: number, step: number, answer?: number): Promise<Frame> {
  let steps = recordings.get(chapter);
  if (steps === undefined) recordings.set(chapter, steps = load<RecordedStep[]>(`${chapter}`));
  const { frame, verdicts } = (await steps)[step - 1]!;
  if (verdicts !== undefined && answer === undefined) {
    const { after: _, ended: __, ...asked } = frame;
    await note(chapter, step);
    return { ...asked, done: false, shown: [] };
  }
  const verdict = verdicts && verdictOn(verdicts, answer!);
  await note(chapter, step, verdict?.right);
  return verdict === undefined ? frame : { ...frame, verdict };
}

function verdictOn(verdicts: Verdicts, answer: number): Verdict {
  if (verdicts.kind !== "number") return verdicts.each[answer]!;
  const { from, to, right, often, otherwise } = verdicts;
  // The others were judged as -1.
  const digits = answer.toString(otherwise.said.startsWith("0x") ? 16 : 10);
  const said = otherwise.said.replace("-1", digits);
  if (answer >= from && answer <= to) return { ...right, said };
  return often.find(({ number }) => number === answer)?.verdict ?? { ...otherwise, said };
}

async function note(chapter: number, step: number, isRight?: boolean): Promise<void> {
  const { key } = (await outlines()).find(({ number }) => number === chapter)!;
  const all = progress();
  all.last = key;
  all.steps[key] = Math.max(step, all.steps[key] ?? 0);
  if (isRight !== undefined) (all.predictions[key] ??= {})[step] ??= isRight;
  localStorage.setItem(STORED, JSON.stringify(all));
}

/** No step runs. */
export function leaveStep(_chapter: number): Promise<unknown> {
  return Promise.resolve();
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
