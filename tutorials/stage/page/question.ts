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
      : el("p.how", {}, "Click the byte, or reach it with Tab and the arrow keys."),
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

/** Draws a question that was asked, with the options that there were. */
export function drawAsked({ text, options = [] }: Asked): HTMLElement {
  return el(
    "section.asked",
    { "aria-label": "the prediction" },
    el("h2", {}, "Before it ran"),
    el("p.ask", {}, ...inline(text)),
    options.length > 0 &&
      el("ol", {}, ...options.map((option) => el("li", {}, ...inline(option)))),
  );
}

/** Draws what became of the prediction: what the reader said, and what is right. */
export function drawVerdict(verdict: Verdict): HTMLElement {
  const { right } = verdict;
  return el(
    right ? "section.verdict.right" : "section.verdict.wrong",
    { role: "status" },
    el("h2", {}, right ? "✓ You were right" : "✗ Not what happened"),
    ...partsOf(verdict).map(({ head, what, why }) =>
      el("p", {}, `${head}: `, el("strong", {}, ...inline(what)), " ", ...inline(why))
    ),
  );
}
