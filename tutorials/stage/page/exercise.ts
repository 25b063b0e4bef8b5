/// <reference lib="dom" />
/**
 * An exercise: the reader edits a file in an editor of their own, and this page shows what the judge
 * says each time the file is saved.
 *
 * @module
 */

import type { Exercise } from "../exercises.ts";
import type { CourseChapter } from "../server.ts";
import { openHint, reset, watchExercise } from "./api.ts";
import { announce, byId, el, redraw } from "./dom.ts";
import { drawPicture } from "./pictures.ts";
import { drawLines, drawText } from "./lines.ts";
import { inline } from "./prose.ts";

/** An exercise on the page. */
export class ExerciseView {
  readonly #chapter: CourseChapter;
  readonly #next: CourseChapter | undefined;
  readonly #stop: () => void;
  #isResetting = false;
  #isSolutionOpen = false;
  #last: Exercise | undefined;

  constructor(chapter: CourseChapter, next: CourseChapter | undefined) {
    this.#chapter = chapter;
    this.#next = next;
    document.title = `${chapter.number}/exercise ${chapter.exercise}`;
    this.#stop = watchExercise(chapter.number, (exercise) => this.#draw(exercise));
  }

  /** Watches no more. */
  close(): void {
    this.#stop();
  }

  #draw(exercise: Exercise): void {
    const wasJudging = this.#last?.judging !== false;
    this.#last = exercise;
    const isSolved = exercise.judgement?.verdict === "solved";
    if (wasJudging && !exercise.judging) announce(titleOf(exercise));
    redraw(
      byId("main"),
      el(
        "article.exercise-page",
        {},
        el(
          "div.text.prose",
          {},
          el("h1", {}, exercise.title),
          ...task(exercise.task),
          el("p", {}, "Edit this file in your own editor. It is judged each time you save it."),
          copyable(exercise.file),
          this.#help(exercise),
        ),
        el(
          "div.stage",
          {},
          verdict(exercise),
          isSolved && this.#chapter.can && el("p.can", {}, `You can now ${this.#chapter.can}`),
          this.#solution(exercise),
        ),
      ),
    );
    byId("top").querySelector(".place")!.textContent = `Exercise ${this.#chapter.number}`;
    byId("top").querySelector(".score")!.textContent = exercise.solved ? "✓ solved" : "";
    this.#drawNavigation();
  }

  #help({ chapter, hints, attempts }: Exercise): HTMLElement {
    const again = () => this.#draw(this.#last!);
    return el(
      "section.help",
      { "aria-label": "help" },
      ...hints.map((hint, i) =>
        el("p.hint", {}, el("strong", {}, `Hint ${i + 1}. `), ...inline(hint))
      ),
      el(
        "p.acts",
        {},
        hints.length < 3
          ? el(
            "button",
            { type: "button", "data-key": "hint", click: () => openHint(chapter) },
            `Hint ${hints.length + 1} of 3`,
          )
          : "",
        this.#isResetting
          ? el("button.danger", {
            type: "button",
            "data-key": "discard",
            click: () => {
              this.#isResetting = false;
              again(); // nothing is judged if the file is as shipped
              reset(chapter);
            },
          }, "Yes, discard my answer")
          : el("button", {
            type: "button",
            "data-key": "reset",
            click: () => {
              this.#isResetting = true;
              again();
            },
          }, "Reset"),
        this.#isResetting
          ? el("button", {
            type: "button",
            "data-key": "reset", // the focus goes from the question to the answer that does nothing
            click: () => {
              this.#isResetting = false;
              again();
            },
          }, "No")
          : "",
      ),
      el("p.soft", {}, attempts === 0 ? "No attempts yet." : `${attemptsOf(attempts)} so far.`),
    );
  }

  #solution({ solution, solved, attempts }: Exercise): HTMLElement {
    if (solution === undefined) {
      return el(
        "p.soft",
        {},
        `The solution opens when your answer is right, or after ${
          attemptsOf(3 - attempts, "more ")
        }.`,
      );
    }
    const toggle = () => {
      this.#isSolutionOpen = !this.#isSolutionOpen;
      this.#draw(this.#last!);
    };
    const lines = solution.map(({ side, text }) =>
      el(
        `div.diff.${side}`,
        {},
        el("span.sign", {}, side === "mine" ? "−" : side === "theirs" ? "+" : " "),
        text,
      )
    );
    return el(
      "section",
      { "aria-label": "solution" },
      el(
        "button",
        {
          type: "button",
          "data-key": "solution",
          "aria-expanded": `${this.#isSolutionOpen}`,
          click: toggle,
        },
        this.#isSolutionOpen ? "Hide the solution" : "Compare with the solution",
      ),
      this.#isSolutionOpen
        ? el(
          "div.panel.code",
          {},
          el("h3", {}, solved ? "− yours, + one solution" : "− yours, + a solution"),
          el("pre.scroll", { tabindex: 0 }, ...lines),
        )
        : undefined,
    );
  }

  #drawNavigation(): void {
    const { number, steps } = this.#chapter;
    const back = `/${number}/${steps.length}`;
    const next = this.#next;
    byId("steps").replaceChildren(
      el("a.button", { href: back }, "← Chapter"),
      el("nav", {}, el("span.count", {}, `Exercise of chapter ${number}`)),
      el(
        "a.button.primary.next",
        { href: next === undefined ? "/" : `/${next.number}/1` },
        next === undefined ? "All chapters" : `Chapter ${next.number} →`,
      ),
    );
  }
}

function attemptsOf(count: number, more = ""): string {
  return `${count} ${more}attempt${count === 1 ? "" : "s"}`;
}

/** The comment of the exercise: prose, and indented lines as they are. */
function task(text: string): HTMLElement[] {
  const blocks = text.split(/\n\s*\n/).slice(1); // the first line is the title
  return blocks.map((block) =>
    /^ {4}/.test(block)
      ? el("div.panel.names", {}, drawLines(block.replaceAll(/^ {4}/gm, "").split("\n"), 2))
      : el("p", {}, ...inline(block.replace(/\s*Run\s+it\s+with\s+`[^`]*`\.?/, "").trim()))
  );
}

function copyable(file: string): HTMLElement {
  const button = el("button", {
    type: "button",
    "data-key": "copy",
    click: async () => {
      await navigator.clipboard.writeText(file);
      button.textContent = "Copied";
    },
  }, "Copy");
  return el("p.file", {}, el("code", {}, file), button);
}

const TITLES = {
  judging: "… judging",
  solved: "✓ Solved. All checks pass.",
  wrong: "✗ Not yet",
  mistyped: "✗ The types are wrong",
  endless: "✗ It had not ended in time",
  crashed: "✝ The kernel has ended it",
  broken: "✗ It could not be judged",
} as const;

function stateOf({ judging, judgement }: Exercise): keyof typeof TITLES {
  return judging ? "judging" : judgement?.verdict ?? "judging";
}

function titleOf(exercise: Exercise): string {
  return TITLES[stateOf(exercise)];
}

function verdict(exercise: Exercise): HTMLElement {
  const { judging, judgement } = exercise;
  const failed = judgement?.checks.findIndex(({ passed }) => !passed);
  const { failure, text } = judgement ?? {};
  return el(
    `section.panel.judgement.${stateOf(exercise)}`,
    { "aria-label": "judgement", "aria-busy": judging },
    el("h2", {}, titleOf(exercise)),
    el(
      "ol.checks",
      {},
      ...(judgement?.checks ?? []).map(({ what, passed }, i) =>
        el(
          passed ? "li.passed" : i === failed ? "li.failed" : "li.waiting",
          {},
          el("span.sign", { "aria-hidden": true }, passed ? "✓" : i === failed ? "✗" : "·"),
          what,
        )
      ),
    ),
    ...failure === undefined ? [] : drawText(failure.message),
    failure?.picture && drawPicture(failure.picture),
    text === undefined ? undefined : el("pre", {}, text),
    failure &&
      el("details", {}, el("summary", {}, "A hint to this check"), el("p", {}, failure.hint)),
  );
}
