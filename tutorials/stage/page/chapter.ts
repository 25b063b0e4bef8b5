/// <reference lib="dom" />
/**
 * A step of a chapter: prose on one side, the code that runs and its pictures on the other.
 *
 * @module
 */

import type { CourseChapter } from "../server.ts";
import type { Frame, Picture, Shown } from "../story.ts";
import { leaveStep, runStep } from "./api.ts";
import { CardTable } from "./cards.ts";
import { announce, byId, type Child, el } from "./dom.ts";
import { drawPicture } from "./pictures.ts";
import { correctTo } from "./place.ts";
import { prose } from "./prose.ts";
import { drawAsked, drawQuestion, markAnswer, wordsOf } from "./question.ts";

/** One chapter on the page. */
export class ChapterView {
  readonly #chapter: CourseChapter;
  readonly #steps: readonly string[];
  readonly #go: (path: string) => void;
  readonly #cards: CardTable;
  /** What each step has shown, to be shown again as a recording. */
  readonly #recorded = new Map<number, Frame>();
  readonly #predictions: Record<string, boolean>;
  #step = 0;
  /** Counts the runs; one that is not the last was left by the reader. */
  #run = 0;
  #waiting = new AbortController();
  #isBusy = false;
  /** What to say of an address that names no step. */
  #lost = "";

  constructor(chapter: CourseChapter, go: (path: string) => void) {
    this.#chapter = chapter;
    this.#steps = chapter.steps;
    this.#go = go;
    this.#cards = new CardTable(chapter.number);
    this.#predictions = { ...chapter.predictions };
  }

  /** Shows a step: as recorded if the reader has gone back to it, and otherwise by running it. */
  async open(wanted: number): Promise<void> {
    const step = Math.min(Math.max(1, Math.trunc(wanted) || 1), this.#steps.length);
    this.#lost = step === wanted ? "" : "The address named no step of this chapter.";
    if (step !== wanted) correctTo(`/${this.#chapter.number}/${step}`);
    const isBack = step < this.#step;
    const isFirst = this.#step === 0;
    this.#step = step;
    await this.#leave();
    const recorded = this.#recorded.get(step);
    if (isBack && recorded !== undefined) this.#draw(recorded, true);
    else {
      if (isFirst) this.#drawCards();
      await this.#perform(undefined);
    }
    if (this.#lost !== "") announce(this.#lost);
    await this.#cards.look();
  }

  /** Ends what goes on in the background. */
  close(): void {
    this.#cards.close();
    this.#leave();
  }

  /** Draws the processes alone: one that is stopped from its card lets the first step wait. */
  #drawCards(): void {
    byId("main").replaceChildren(el("article.step", {}, this.#cards.element));
    this.#cards.look();
  }

  /** Ends the step that runs, if one does. */
  async #leave(): Promise<void> {
    if (!this.#isBusy) return;
    this.#run++;
    this.#waiting.abort();
    this.#settle();
    await leaveStep(this.#chapter.number).catch(() => {});
  }

  #settle(): void {
    this.#isBusy = false;
    document.body.classList.remove("busy");
  }

  /** Acts on a key; true if it was one of ours. */
  key(key: string): boolean {
    if (key === "ArrowRight" || key === "ArrowLeft") this.#turn(key === "ArrowRight" ? 1 : -1);
    else if (/^[1-9]$/.test(key)) {
      document.querySelector<HTMLElement>(`[data-choice="${Number(key) - 1}"]`)?.click();
    } else return false;
    return true;
  }

  #turn(by: 1 | -1): void {
    if (this.#isBusy && by === 1) return;
    const question = document.querySelector(".question");
    if (by === 1 && question !== null) {
      question.classList.remove("nudge");
      requestAnimationFrame(() => question.classList.add("nudge"));
      question.querySelector<HTMLElement>("button, input")?.focus();
      announce("Answer first: the step runs after your prediction.");
      return;
    }
    const next = this.#step + by;
    if (next > this.#steps.length) this.#go(`/${this.#chapter.number}/exercise`);
    else if (next >= 1) this.#go(`/${this.#chapter.number}/${next}`);
  }

  async #perform(answer: number | undefined): Promise<void> {
    const step = this.#step;
    const run = ++this.#run;
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    this.#isBusy = true;
    document.body.classList.add("busy");
    try {
      const frame = await runStep(this.#chapter.number, step, answer, signal);
      if (run !== this.#run) return;
      if (frame.done) this.#recorded.set(step, frame);
      if (frame.verdict !== undefined) this.#predictions[step] ??= frame.verdict.right;
      this.#draw(frame, false);
    } catch (error) {
      if (run !== this.#run) return;
      byId("main").replaceChildren(
        el("p.failed", { role: "alert" }, `${(error as Error).message}`),
      );
    } finally {
      if (run === this.#run) this.#settle();
    }
  }

  async #answer(value: number): Promise<void> {
    if (this.#isBusy) return;
    markAnswer(value);
    const run = this.#run + 1;
    await this.#perform(value);
    if (run !== this.#run) return;
    document.querySelector(".verdict")?.scrollIntoView({ block: "nearest" });
    const verdict = this.#recorded.get(this.#step)?.verdict;
    if (verdict !== undefined) announce(wordsOf(verdict));
    await this.#cards.look();
  }

  #draw(frame: Frame, isRecorded: boolean): void {
    document.title = `${this.#chapter.number}/${frame.step} ${frame.title}`;
    byId("main").replaceChildren(
      el(
        "article.step",
        {},
        this.#text(frame),
        this.#stage(frame),
        frame.after && el("div.after.prose", {}, ...prose(frame.after)),
        this.#cards.element,
      ),
    );
    makeRoom();
    scrollTo(0, 0);
    this.#drawTop();
    this.#drawNavigation(frame, isRecorded);
    document.body.dataset["shown"] = `${frame.chapter}/${frame.step}/${
      frame.done ? "done" : "asked"
    }`;
  }

  #text(frame: Frame): HTMLElement {
    const { title, text, ask, done, verdict } = frame;
    const isRepeated = verdict?.right === true && this.#predictions[frame.step] === false;
    return el(
      "div.text.prose",
      {},
      el("h1", {}, title),
      ...prose(text),
      ask && (done ? drawAsked(ask, verdict) : drawQuestion(ask, (value) => this.#answer(value))),
      isRepeated && el("p.soft", {}, "Your first answer to this step counts, and it was wrong."),
    );
  }

  #stage(frame: Frame): HTMLElement {
    const own = ownPicturesOf(frame);
    const asked = frame.done ? undefined : frame.ask;
    const choose = (id: string) =>
      asked?.kind === "byte" && asked.picture === id
        ? (byte: number) => this.#answer(byte)
        : undefined;
    return el(
      "div.stage",
      {},
      codeOf(frame),
      ...own.length > 0
        ? own.map((picture) => drawPicture(picture))
        : [earlier(frame, (picture) => drawPicture(picture, choose(picture.id)))],
    );
  }

  #drawTop(): void {
    const { number, title } = this.#chapter;
    const answers = Object.values(this.#predictions);
    const right = answers.filter((isRight) => isRight).length;
    byId("top").querySelector(".place")!.replaceChildren(
      el("span.wide", {}, `Chapter ${number}: `),
      el("span.narrow", {}, `${number}. `),
      title,
    );
    byId("top").querySelector(".score")!.textContent = answers.length === 0
      ? ""
      : `✓ ${right} of ${answers.length}`;
  }

  #drawNavigation(frame: Frame, isBack: boolean): void {
    const { number } = this.#chapter;
    const { step } = frame;
    const isLast = step === this.#steps.length;
    const waits = !frame.done;
    // The button with the focus is drawn anew, and so is the answer of a question.
    const focused = document.activeElement;
    const hadBack = focused?.matches("#steps .back");
    const hadNext = focused?.matches("#steps .next") || focused === document.body && frame.verdict;
    byId("steps").replaceChildren(
      el(
        "button.back",
        { type: "button", disabled: step === 1, click: () => this.#turn(-1) },
        "← Back",
      ),
      el(
        "nav",
        { "aria-label": "steps" },
        el(
          "p.count",
          {},
          el("span", {}, `Step ${step} of ${this.#steps.length}`),
          el("span.recorded", {}, ...isBack ? this.#again() : [this.#lost]),
        ),
        el(
          "ol.dots",
          {},
          ...this.#steps.map((title, i) => {
            const at = i + 1;
            const answered = this.#predictions[at];
            const mark = answered === undefined ? "" : answered ? ".right" : ".wrong";
            return el(
              "li",
              {},
              el(`a.dot${mark}`, {
                href: `/${number}/${at}`,
                title: `${at}. ${title}`,
                "aria-label": `step ${at}: ${title}`,
                "aria-current": at === step ? "step" : undefined,
              }),
            );
          }),
        ),
      ),
      el(
        waits ? "button.next" : "button.primary.next",
        { type: "button", click: () => this.#turn(1) },
        isLast ? "Exercise →" : "Next →",
      ),
    );
    const again = hadNext ? ".next" : hadBack ? ".back" : undefined;
    if (again !== undefined) {
      byId("steps").querySelector<HTMLElement>(again)!.focus({ preventScroll: true });
    }
  }

  /** Says that a step is shown as it was recorded, and offers to run it again. */
  #again(): Child[] {
    return [
      el("span.badge", {}, "recorded"),
      el(
        "button.link",
        { type: "button", click: () => this.#perform(undefined) },
        "run it again",
        el("span.wide", {}, " in a fresh process"),
      ),
    ];
  }
}

/** In a wide window, moves parts from the column that is too high to the other one, if that helps. */
function makeRoom(): void {
  if (!matchMedia("(min-width: 861px)").matches) return;
  const height = () => document.documentElement.scrollHeight;
  for (const [part, column] of [[".stage > .code", ".text"], [".after", ".stage"]] as const) {
    const before = height();
    const moved = document.querySelector(part);
    if (before <= innerHeight || moved === null) continue;
    const [parent, next] = [moved.parentNode!, moved.nextSibling];
    document.querySelector(column)!.append(moved);
    if (height() >= before) parent.insertBefore(moved, next);
  }
}

function isPicture(shown: Shown): shown is Extract<Shown, { kind: "picture" }> {
  return shown.kind === "picture";
}

function ownPicturesOf({ shown }: Frame): Picture[] {
  const own = new Map<string, Picture>();
  for (const { picture } of shown.filter(isPicture)) own.set(picture.id, picture);
  return [...own.values()];
}

/** The pictures of an earlier step; folded, if the question of this one is not about them. */
function earlier(
  { before, beforeStep, ask }: Frame,
  draw: (picture: Picture) => HTMLElement,
): HTMLElement | undefined {
  if (before.length === 0) return undefined;
  return el(
    "details.earlier",
    { open: ask === undefined || ask.picture !== undefined },
    el("summary", {}, `From step ${beforeStep}`),
    ...before.map(withoutChanges).map(draw),
  );
}

function withoutChanges(picture: Picture): Picture {
  return { ...picture, changed: [] } as Picture;
}

function codeOf({ shown, ended }: Frame): HTMLElement | undefined {
  const lines = shown.filter((each) => each.kind === "code");
  if (lines.length === 0 && ended === undefined) return undefined;
  return el(
    "section.panel.code",
    { "aria-label": "the code that ran" },
    el("h3", {}, "The code that ran"),
    ...lines.map((line, i) =>
      el(
        "div.line",
        {},
        el("pre", {}, el("code", {}, line.source)),
        line.result === undefined
          ? ended !== undefined && i === lines.length - 1
            ? el("p.ended", {}, `✝ the process was ${ended}`)
            : undefined
          : el("p.result", {}, el("span.arrow", { "aria-label": "result" }, "→ "), line.result),
      )
    ),
    ended !== undefined && lines.length === 0
      ? el("p.ended", {}, `✝ the process was ${ended}`)
      : "",
  );
}
