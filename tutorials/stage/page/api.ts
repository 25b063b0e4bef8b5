/// <reference lib="dom" />
/**
 * Where frames come from: the server that runs the steps, or, in a built site, recordings.
 *
 * @module
 */

import type { Exercise } from "../exercises.ts";
import type { Act, Card } from "../processes.ts";
import type { Course } from "../server.ts";
import type { Frame } from "../story.ts";

/** A name for this tab, so that each tab has processes of its own. */
const tab = sessionStorage.getItem("tab") ?? crypto.randomUUID();
sessionStorage.setItem("tab", tab);

async function post<T>(
  path: string,
  body: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ tab, ...body }),
    signal: signal ?? null,
  });
  const answer = await response.json().catch(() => ({ error: response.statusText }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** The chapters and the progress. */
export async function course(): Promise<Course> {
  const response = await fetch("/api/course");
  if (!response.ok) throw new Error(await response.text());
  return await response.json();
}

/** Runs a step: up to its question, or, with an answer, to its end. */
export function runStep(
  chapter: number,
  step: number,
  answer: number | undefined,
  signal: AbortSignal,
): Promise<Frame> {
  return post("/api/step", { chapter, step, answer }, signal);
}

/** Ends the step of a chapter that runs. */
export function leaveStep(chapter: number): Promise<unknown> {
  return post("/api/leave", { chapter });
}

/** The processes of a chapter. */
export function cards(chapter: number): Promise<Card[]> {
  return post("/api/cards", { chapter });
}

/** Stops, continues or kills a process. */
export function act(pid: number, act: Act): Promise<unknown> {
  return post("/api/process", { pid, act });
}

/** Opens the next hint of an exercise. */
export function openHint(chapter: number): Promise<unknown> {
  return post("/api/hint", { chapter });
}

/** Begins an exercise again. */
export function reset(chapter: number): Promise<unknown> {
  return post("/api/reset", { chapter });
}

/** Calls the listener with an exercise at each change; returns a function that ends that. */
export function watchExercise(chapter: number, hear: (exercise: Exercise) => void): () => void {
  const events = new EventSource(`/api/exercise/${chapter}`);
  events.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  return () => events.close();
}
