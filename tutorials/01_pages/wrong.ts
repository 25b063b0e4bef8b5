/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { PagesTouched } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<PagesTouched>[] {
  return [
    {
      mistake: "takes the byte after the last one for the last",
      answer: (a, n, p) => Math.floor((a + n) / p) - Math.floor(a / p) + 1,
      fails: "one page, from its first",
    },
    {
      mistake: "returns a part of a page",
      answer: (_a, n, p) => n / p,
      fails: "a few bytes in the middle of a page",
    },
    {
      mistake: "thinks of one page only",
      answer: () => 1,
      fails: "two bytes, one on each side of an edge",
    },
    {
      mistake: "counts no more than two pages",
      answer: (a, n, p) => Math.min(2, Math.ceil((a % p + n) / p)),
      fails: "more than two pages",
    },
    {
      mistake: "adds a page where the range ends at an edge",
      answer: (a, n, p) => Math.ceil((a % p + n) / p) + Number(n === p + 7),
      fails: "up to the edge",
    },
    {
      mistake: "forgets that no byte touches no page",
      answer: (a, n, p) => Math.floor((a + n - 1) / p) - Math.floor(a / p) + 1,
      fails: "no byte at all",
    },
    {
      mistake: "counts for ever",
      answer: () => {
        for (;;);
      },
      fails: "one page, from its first",
      inChild: true,
    },
  ];
}
