/// <reference lib="dom" />
/**
 * The list of chapters, with the reader's progress.
 *
 * @module
 */

import type { Course } from "../server.ts";
import { el } from "./dom.ts";

type ChapterInfo = Course["chapters"][number];

/** Draws the first page. */
export function drawCourse({ chapters, last, playground }: Course): HTMLElement {
  const at = chapters.find(({ number }) => number === last);
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
        at?.steps === undefined ? el("a.button.primary", { href: "/1/1" }, "Begin") : el(
          "a.button.primary",
          { href: `/${at.number}/${Math.max(1, at.step)}` },
          `Resume chapter ${at.number}, step ${Math.max(1, at.step)}`,
        ),
        playground && el("a.button", { href: "/play/" }, "Be the scheduler"),
      ),
      !playground && el(
        "p.soft",
        {},
        "A playground, in which you are the scheduler, is here once you have built it: ",
        el("code", {}, "deno task learn build"),
      ),
    ),
    el("ol.chapters", {}, ...chapters.map(chapterItem)),
  );
}

function chapterItem(chapter: ChapterInfo): HTMLElement {
  const { number, title, lead, steps, solved, attempts, exercise } = chapter;
  return el(
    "li.panel.chapter",
    {},
    el("span.number", { "aria-hidden": true }, `${number}`),
    el(
      "div",
      {},
      el("h2", {}, steps ? el("a", { href: `/${number}/1` }, title) : title),
      el("p", {}, lead),
      steps ? progressOf(chapter, steps.length) : inTerminal(chapter),
      el(
        "p.exercise",
        {},
        el("span.mark", { "aria-hidden": true }, solved ? "✓" : attempts > 0 ? "…" : "○"),
        el("a", { href: `/${number}/exercise` }, "Exercise"),
        `: ${exercise}`,
        el("span.told", {}, solved ? " Solved." : ""),
      ),
    ),
  );
}

function progressOf({ number, step, predictions }: ChapterInfo, steps: number): HTMLElement {
  const answers = Object.values(predictions);
  const right = answers.filter((isRight) => isRight).length;
  const score = answers.length === 0 ? "" : `${right} of ${answers.length} predictions right`;
  return el(
    "p.progress",
    {},
    el("progress", { max: steps, value: step, "aria-label": "steps seen" }),
    step === 0
      ? `${steps} steps`
      : el("a", { href: `/${number}/${step}` }, `step ${step} of ${steps}`),
    score,
  );
}

function inTerminal({ folder }: ChapterInfo): HTMLElement {
  return el(
    "p.terminal",
    {},
    "Told in a terminal: ",
    el("code", {}, `deno run --allow-ffi tutorials/${folder}/step.ts`),
  );
}
