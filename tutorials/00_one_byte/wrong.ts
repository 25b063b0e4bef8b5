/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Play } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Play>[] {
  const grows = "when it is your turn, the number grows";
  const stays = "when it is not your turn";
  let mine: number | undefined;
  return [
    { mistake: "does nothing", answer: () => {}, fails: grows },
    {
      mistake: "adds 1 to the turn and not to the number",
      answer: (bytes) => {
        if (bytes[0] === 1) bytes[0]++;
      },
      fails: grows,
    },
    {
      mistake: "keeps the turn",
      answer: (bytes) => {
        if (bytes[0] === 1) bytes[1]!++;
      },
      fails: "and the turn is given back",
    },
    {
      mistake: "does not look whose turn it is",
      answer: (bytes) => {
        bytes[1]!++;
        bytes[0] = 0;
      },
      fails: stays,
    },
    {
      mistake: "waits in a loop until it has the turn",
      answer: (bytes) => {
        while (bytes[0] !== 1);
        bytes[1]!++;
        bytes[0] = 0;
      },
      fails: stays,
      inChild: true,
    },
    {
      mistake: "gives the turn back before it stores the number",
      answer: (bytes) => {
        if (bytes[0] !== 1) return;
        bytes[0] = 0;
        bytes[1]!++;
      },
      fails: "the number is right as soon as",
    },
    {
      mistake: "counts in a variable of its own",
      answer: (bytes) => {
        if (bytes[0] !== 1) return;
        mine ??= bytes[1]!;
        bytes[1] = ++mine;
        bytes[0] = 0;
      },
      fails: "ten rounds",
    },
    {
      mistake: "forgets that a byte ends at 255",
      answer: (bytes) => {
        if (bytes[0] !== 1) return;
        bytes[1] = Math.min(255, bytes[1]! + 1);
        bytes[0] = 0;
      },
      fails: "turns that come late",
    },
    {
      mistake: "stores a note in a byte that is not its own",
      answer: (bytes) => {
        if (bytes[0] !== 1) return;
        bytes[1]!++;
        bytes[2] = 1;
        bytes[0] = 0;
      },
      fails: grows,
    },
  ];
}
