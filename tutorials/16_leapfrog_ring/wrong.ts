/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { Reach, Ring } from "./check.ts";

/** What differs between an answer and the right one. */
interface Mistake {
  readonly windows?: number;
  readonly hidesFirst?: boolean;
  readonly hidesLeft?: boolean;
  readonly forgetsLeft?: boolean;
  readonly leapsTo?: number;
  readonly fits?: number;
  readonly back?: (ring: Ring) => number;
  readonly headBack?: boolean;
  readonly startsWith?: number;
  readonly keepsSecond?: boolean;
}

/** Makes the right answer, with a mistake. */
function answerWith({
  windows = 2,
  hidesFirst = true,
  hidesLeft = true,
  forgetsLeft = true,
  leapsTo = 2,
  fits = 3,
  back = ({ first, capacity, start }) => first + capacity - start,
  headBack = true,
  startsWith = 2,
  keepsSecond = true,
}: Mistake): Reach {
  return (ring, length) => {
    const { start, end, capacity, first } = ring;
    if (ring.head + length <= first + windows * capacity) return;
    if (hidesFirst) ring.hide(first);
    if (hidesLeft && ring.left !== 0) ring.hide(ring.left);
    if (first + fits * capacity <= end) {
      ring.show(first + leapsTo * capacity);
      ring.first = first + capacity;
      if (forgetsLeft) ring.left = 0;
      return;
    }
    const moved = back(ring);
    ring.left = first + capacity;
    if (!keepsSecond) ring.hide(ring.left);
    for (let i = 0; i < startsWith; i++) ring.show(start + i * capacity);
    ring.tail -= moved;
    if (headBack) ring.head -= moved;
    ring.first = start;
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Reach>[] {
  const answers: [mistake: string, Mistake, fails: string][] = [
    ["leaps too early", { windows: 1 }, "nothing moves"],
    ["never leaps", { windows: 1000 }, "the first window leaps"],
    ["leaps onto the second window", { leapsTo: 1 }, "the first window leaps"],
    ["does not hide the first window", { hidesFirst: false }, "the first window leaps"],
    ["knows no end", { fits: -1000 }, "at the end of the range"],
    ["starts over one window too early", { fits: 4 }, "at the end of the range"],
    ["moves only `tail` back", { headBack: false }, "at the end of the range"],
    ["shows one window at the start", { startsWith: 1 }, "at the end of the range"],
    ["moves the positions to the start of the range", {
      back: ({ tail, start }) => tail - start,
    }, "unread bytes keep their values"],
    ["hides the second window at once", { keepsSecond: false }, "at the end of the range"],
    ["never hides the window that stayed", { hidesLeft: false }, "the window that has stayed"],
    [
      "remembers the window that stayed for ever",
      { forgetsLeft: false },
      "the window that has stayed",
    ],
  ];
  return answers.map(([mistake, how, fails]) => ({ mistake, answer: answerWith(how), fails }));
}
