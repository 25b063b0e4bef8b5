/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { type Answer, READY, type Words } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Answer>[] {
  const give = (words: Words, number: number) => {
    for (let k = 0; k < words.readers; k++) {
      words.compareExchange(k, words.load(k), number << 2 | READY);
    }
  };
  const giveNew = (words: Words, number: number) => {
    for (let k = 0; k < words.readers; k++) {
      const before = words.load(k);
      if (before >>> 2 !== number) words.compareExchange(k, before, number << 2 | READY);
    }
  };
  const right: Answer = {
    publish: (words, number) => {
      words.setJournal(number);
      giveNew(words, number);
      words.setSequence(number);
    },
    finish: (words) => {
      const number = words.journal();
      if (number !== words.sequence() + 1) return;
      giveNew(words, number);
      words.setSequence(number);
    },
  };
  const [given, killed] = ["every reader gets", "the writer is killed anywhere"];
  const [once, again, later] = [
    "readers are quick",
    "the writer that finishes",
    "a reader that joins",
  ];
  const [high] = ["all of that with a number that reaches the highest bit"];
  const giveSigned = (words: Words, number: number) => {
    for (let k = 0; k < words.readers; k++) {
      const before = words.load(k);
      if (before >> 2 !== number) words.compareExchange(k, before, number << 2 | READY);
    }
  };
  return [
    {
      mistake: "publishes nothing",
      answer: { publish: () => {}, finish: () => {} },
      fails: given,
    },
    {
      mistake: "never moves the sequence",
      answer: { ...right, publish: give },
      fails: given,
    },
    {
      mistake: "moves only the sequence",
      answer: { ...right, publish: (words, number) => words.setSequence(number) },
      fails: given,
    },
    {
      mistake: "reads the words for ever",
      answer: {
        publish: (words, number) => {
          for (;;) words.load(number);
        },
        finish: () => {},
      },
      fails: given,
    },
    {
      mistake: "finishes nothing",
      answer: { ...right, finish: () => {} },
      fails: killed,
    },
    {
      mistake: "writes the journal after the readers have it",
      answer: {
        ...right,
        publish: (words, number) => {
          giveNew(words, number);
          words.setJournal(number);
          words.setSequence(number);
        },
      },
      fails: killed,
    },
    {
      mistake: "gives the sample to readers that have had it",
      answer: {
        ...right,
        finish: (words) => {
          const number = words.journal();
          if (number !== words.sequence() + 1) return;
          give(words, number);
          words.setSequence(number);
        },
      },
      fails: once,
    },
    {
      mistake: "moves the sequence before the readers have it",
      answer: {
        ...right,
        finish: (words) => {
          const number = words.journal();
          if (number !== words.sequence() + 1) return;
          words.setSequence(number);
          giveNew(words, number);
        },
      },
      fails: again,
    },
    {
      mistake: "compares numbers with their sign",
      answer: {
        ...right,
        finish: (words) => {
          const number = words.journal();
          if (number !== words.sequence() + 1) return;
          giveSigned(words, number);
          words.setSequence(number);
        },
      },
      fails: high,
    },
    {
      mistake: "moves the sequence first, and keeps no journal",
      answer: {
        publish: (words, number) => {
          words.setSequence(number);
          giveNew(words, number);
        },
        finish: (words) => giveNew(words, words.sequence()),
      },
      fails: later,
    },
  ];
}
