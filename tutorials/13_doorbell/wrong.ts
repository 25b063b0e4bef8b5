/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { type Bell, BELLS, flag, onPosition, sequence } from "./bells.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Bell>[] {
  const mends = (bell: Partial<Bell>): Bell => ({ ...sequence, ...bell });
  return [
    {
      mistake: "never rings",
      answer: mends({ ring: () => {} }),
      fails: "ring wakes a sleeping reader",
    },
    {
      mistake: "never sleeps",
      answer: mends({ sleep: () => {} }),
      fails: "ring wakes a sleeping reader",
    },
    {
      mistake: "rings each time",
      answer: mends({ ring: ({ bell }) => bell.addAndWake() }),
      fails: "nobody sleeps: no system call",
    },
    {
      mistake: "wakes on the count each time",
      answer: onPosition,
      fails: "nobody sleeps: no system call",
    },
    {
      mistake: "wakes without a new number",
      answer: mends({ ring: ({ bell }) => (bell.load() & 1) === 1 ? bell.wakeAll() : undefined }),
      fails: "no system call either",
    },
    {
      mistake: "sleeps without another look",
      answer: BELLS.unlooked!,
      fails: "one reader, one message",
    },
    {
      mistake: "lowers the flag after a reader could raise it again",
      answer: {
        sleep: ({ count, bell }, ready) => {
          const seen = count.load();
          bell.store(1);
          if (!ready()) count.sleepWhile(seen);
        },
        ring: ({ count, bell }) => {
          if (bell.load() === 0) return;
          bell.store(0);
          count.wakeAll();
        },
      },
      fails: "one reader that wants two messages",
    },
    {
      mistake: "has a flag for two readers",
      answer: flag,
      fails: "two readers",
    },
    {
      mistake: "lets each reader lower the flag",
      answer: { // the reader takes the flag down
        sleep: ({ count, bell }, ready) => {
          const seen = count.load();
          bell.store(1);
          if (!ready()) count.sleepWhile(seen);
          bell.store(0);
        },
        ring: ({ count, bell }) => bell.load() === 1 ? count.wakeAll() : undefined,
      },
      fails: "two readers",
    },
    {
      mistake: "adds and wakes in two operations",
      answer: BELLS.inTwoSteps!,
      fails: "the writer is killed anywhere",
    },
  ];
}
