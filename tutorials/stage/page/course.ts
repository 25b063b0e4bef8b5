/// <reference lib="dom" />
/**
 * The list of chapters, with the reader's progress.
 *
 * @module
 */

import type { Course, CourseChapter } from "../server.ts";
import { el } from "./dom.ts";

/** Draws the first page. */
export function drawCourse({ chapters, last }: Course): HTMLElement {
  const at = chapters.find(({ number }) => number === last);
  const first = `/${chapters[0]!.number}/1`;
  const hours = chapters.reduce((sum, { minutes = 0 }) => sum + minutes, 0) / 60;
  return el(
    "div.course",
    {},
    el(
      "div.hero",
      {},
      el("h1", {}, "Shared memory, from the first page"),
      el(
        "p.prose",
        {},
        "Start with one page of memory and its address. Build the ring that this library is made " +
          "of. Kill processes, lose wake-ups, and see what survives. Everything is real: real " +
          "addresses, real bytes, the kernel's own lists.",
      ),
      el(
        "p.begin",
        {},
        at === undefined ? el("a.button.primary", { href: first }, "Begin") : el(
          "a.button.primary",
          { href: `/${at.number}/${Math.max(1, at.step)}` },
          `Resume chapter ${at.number}, step ${Math.max(1, at.step)}`,
        ),
        el("a.button", { href: "/play/" }, "Be the scheduler"),
      ),
      el(
        "p.soft",
        {},
        `${chapters.length} chapters, about ${
          hours.toFixed(1)
        } hours. All times are estimates: a ` +
          "minute for 200 words, and two for each exercise.",
      ),
    ),
    ...Map.groupBy(chapters, ({ part }) => part).entries().map(([part, own]) =>
      el("section", {}, el("h2.part", {}, part), el("ol.chapters", {}, ...own.map(chapterItem)))
    ),
  );
}

function chapterItem(chapter: CourseChapter): HTMLElement {
  const { number, title, lead, steps, step, minutes, can, solved, attempts, exercise } = chapter;
  const isRead = step >= steps.length;
  return el(
    "li.panel.chapter",
    {},
    el("span.number", { "aria-hidden": true }, `${number}`),
    el(
      "div",
      {},
      el("h3", {}, el("a", { href: `/${number}/1` }, title)),
      el("p", {}, isRead && can ? `You can now ${can}` : lead),
      progressOf(chapter, steps.length, minutes),
      el(
        "p.exercise",
        {},
        el("span.mark", { "aria-hidden": true }, solved ? "✓" : attempts > 0 ? "…" : "○"),
        " ",
        el("a", { href: `/${number}/exercise` }, "Exercise"),
        `: ${exercise}`,
        el("span.told", {}, solved ? " Solved." : ""),
      ),
    ),
  );
}

function progressOf(
  { number, step, predictions }: CourseChapter,
  steps: number,
  minutes: number,
): HTMLElement {
  const answers = Object.values(predictions);
  const right = answers.filter((isRight) => isRight).length;
  const score = answers.length === 0 ? "" : `${right} of ${answers.length} predictions right`;
  return el(
    "p.progress",
    {},
    el("progress", { max: steps, value: step, "aria-label": "steps seen" }),
    step === 0
      ? `${steps} steps, about ${minutes} minutes`
      : el("a", { href: `/${number}/${step}` }, `step ${step} of ${steps}`),
    score,
  );
}
