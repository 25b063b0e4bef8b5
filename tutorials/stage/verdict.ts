/**
 * Explains what became of a prediction: the reader's answer with its mistake, and the right answer.
 *
 * @module
 */

import type { Verdict } from "./story.ts";

/** A part of a verdict: `What: this. Why.` */
export interface VerdictPart {
  readonly right: boolean;
  readonly head: string;
  /** Ends with a full stop, or with a sign of its own. */
  readonly what: string;
  readonly why: string;
}

/** Returns the parts of a verdict; one, if the reader has said what is right. */
export function partsOf({ right, said, wrong = "", answer, because }: Verdict): VerdictPart[] {
  const isSame = right && said === answer;
  const mine = { right, head: "You said", what: sentence(said), why: isSame ? because : wrong };
  if (isSame) return [mine];
  const head = right ? "It is" : "The right answer";
  return [mine, { right: true, head, what: sentence(answer), why: because }];
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
