/**
 * The questions of quiz.ts about processes that die: tutorials 0, 7 and 9.
 *
 * @module
 */

import type { Dice, Question } from "./quiz.ts";

/** A byte that is increased past its largest number. */
export function askForWrap(dice: Dice): Question {
  const [from, times] = [200 + dice(56), 1 + dice(90)];
  return {
    question: `A shared byte is ${from}. A process adds 1 to it, ${times} times, and is killed. ` +
      "Which number does another process read?",
    answer: `${(from + times) % 256}: ${
      from + times < 256 ? "what it stored stays" : "after 255 comes 0, and what it stored stays"
    }`,
  };
}

/** Two processes at one byte; a process that was killed does nothing more. */
export function askForByte(dice: Dice): Question {
  let byte = dice(50);
  const from = byte;
  const killed = 1 + dice(3);
  const story = Array.from({ length: 4 }, (_, i) => {
    const who = i < killed ? dice(2) : 0;
    const stored = 100 + dice(100);
    byte = who === 0 ? stored : byte + 1;
    const what = who === 0 ? `the first stores ${stored}` : "the second adds 1";
    return i + 1 === killed ? `${what}, the second is killed` : what;
  });
  return {
    question: `A shared byte is ${from}. ${story.join(", ")}. Which number does a third process ` +
      "read that starts now?",
    answer: `${byte}: the last store counts, whichever process made it`,
  };
}
