/// <reference lib="dom" />
/**
 * A prediction: the reader answers before the step runs.
 *
 * @module
 */

import type { Asked, Verdict } from "../story.ts";
import { partsOf } from "../verdict.ts";
import { el } from "./dom.ts";
import { inline } from "./prose.ts";

/** Draws a question. The answer to one about a byte comes from the picture. */
export function drawQuestion(asked: Asked, answer: (value: number) => void): HTMLElement {
  return el(
    "section.question",
    { "aria-label": "a prediction" },
    el("h2", {}, "Before it runs"),
    el("p.ask", {}, ...inline(asked.text)),
    asked.kind === "choice"
      ? choices(asked, answer)
      : asked.kind === "number"
      ? numberField(asked, answer)
      : el("p.soft", {}, "Click the byte, or reach it with Tab and the arrow keys."),
  );
}

/** Marks what the reader has chosen, as long as the step runs. */
export function markAnswer(value: number): void {
  const of = `[data-choice="${value}"], button.byte[data-index="${value}"]`;
  const chosen = document.querySelector(of);
  chosen?.classList.add("chosen");
  chosen?.setAttribute("aria-pressed", "true");
}

function choices({ options = [] }: Asked, answer: (value: number) => void): HTMLElement {
  const buttons = options.map((option, i) =>
    el(
      "button.choice",
      { type: "button", "data-choice": i, click: () => answer(i) },
      el("kbd", {}, `${i + 1}`),
      el("span", {}, ...inline(option)),
    )
  );
  return el("div.choices", {}, ...buttons);
}

function numberField({ unit }: Asked, answer: (value: number) => void): HTMLElement {
  const input = el("input", {
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    "aria-label": "your prediction",
    size: 12,
  }) as HTMLInputElement;
  const complaint = el("p.complaint", { role: "alert" });
  const submit = (event: Event) => {
    event.preventDefault();
    const value = numberOf(input.value);
    if (Number.isFinite(value)) answer(value);
    else complaint.textContent = "A number, please, such as 4096 or 0x1000.";
  };
  return el(
    "form.number-form",
    { submit },
    el("label", {}, input, unit ?? ""),
    el("button.primary", { type: "submit" }, "Run it"),
    complaint,
  );
}

function numberOf(text: string): number {
  const digits = text.trim().replaceAll(/[\s_,]/g, "");
  return digits === "" ? NaN : Number(digits);
}

/** Draws a question that was asked, and what became of the prediction, in the place of the question. */
export function drawAsked({ text, options = [] }: Asked, verdict?: Verdict): HTMLElement {
  const kind = verdict === undefined ? "" : verdict.right ? ".verdict.right" : ".verdict.wrong";
  const parts = verdict === undefined || options.length > 0 ? [] : partsOf(verdict);
  return el(
    `section.asked${kind}`,
    { "aria-label": "the prediction" },
    el("h2", {}, verdict === undefined ? "Before it ran" : titleOf(verdict)),
    el("p.ask", {}, ...inline(text)),
    options.length > 0 && el("ol", {}, ...options.map((option) => drawOption(option, verdict))),
    ...parts.map(({ head, what, why }) =>
      el("p", {}, `${head}: `, el("strong", {}, ...inline(what)), " ", ...inline(why))
    ),
    verdict === undefined && el("p.soft", {}, "You have not answered the question of this step."),
  );
}

/** Draws an option that there was; the reader's and the right one with a sign, a word and the reason. */
function drawOption(option: string, verdict: Verdict | undefined): HTMLElement {
  const isSaid = option === verdict?.said;
  const isRight = option === verdict?.answer;
  if (verdict === undefined || !isSaid && !isRight) {
    return el("li", {}, el("span", {}, ...inline(option)));
  }
  const why = isRight ? verdict.because : verdict.wrong ?? "";
  return el(
    isRight ? "li.right" : "li.wrong",
    {},
    el("span.sign", {}, isRight ? "✓" : "✗"),
    el(
      "span",
      {},
      el("strong", {}, ...inline(option)),
      " ",
      el("span.tag", {}, isSaid ? "your answer" : "right"),
      " ",
      ...inline(why),
    ),
  );
}

function titleOf({ right }: Verdict): string {
  return right ? "✓ You were right" : "✗ Not what happened";
}

/** A verdict in words, for people who listen to the page. */
export function wordsOf(verdict: Verdict): string {
  const parts = partsOf(verdict).map(({ head, what, why }) => `${head}: ${what} ${why}`);
  return [`${titleOf(verdict)}.`, ...parts].join(" ");
}
