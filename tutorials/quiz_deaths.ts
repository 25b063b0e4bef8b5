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

const FATES = [
  ["works", "alive", "alive", "alive"],
  ["was stopped a minute ago", "alive", "dead", "alive"],
  ["hangs in a loop that does not beat", "alive", "dead", "alive"],
  ["was killed a minute ago", "dead", "dead", "dead"],
  ["was killed a minute ago, and a new process has its pid", "alive", "dead", "dead"],
] as const;

/** What a pid, a heartbeat and a record lock say about a worker. */
export function askForSigns(dice: Dice): Question {
  const workers = [dice(3), 3 + dice(2)].map((fate) => FATES[fate]!);
  if (dice(2) === 0) workers.reverse();
  const story = workers.map(([fate], i) => `worker ${i + 1} ${fate}`).join("; ");
  const said = workers.map(([, ...signs], i) => `worker ${i + 1}: ${signs.join(", ")}`);
  return {
    question: `Of two workers, ${story}. What do its pid, a heartbeat that may be silent for a ` +
      "second, and its record lock say about each?",
    answer: said.join("; "),
  };
}

/** Who is listed in a room whose members hold a byte each. */
export function askForRollCall(dice: Dice): Question {
  const fates = Array.from({ length: 4 }, () => dice(3));
  const names = ["works", "is stopped", "was killed"];
  const story = fates.map((fate, place) => `place ${place} ${names[fate]}`).join(", ");
  const living = fates.flatMap((fate, place) => fate < 2 ? [place] : []);
  const free = fates.indexOf(2);
  return {
    question: `Four members hold a byte each. The member of ${story}. Which places does a roll ` +
      "call by record locks list, and which place does the next member get?",
    answer: `${living.join(", ") || "none"}; ${free === -1 ? "a fifth one" : free}`,
  };
}

/** What an heir reads after a death at one of the six operations of chapter 9. */
export function askForDeath(dice: Dice): Question {
  const [operation, coins, moved] = [1 + dice(6), 100 + dice(100), 1 + dice(99)];
  const isInside = operation >= 3 && operation <= 5;
  return {
    question: `Ann has ${coins} coins and Ben none. An owner moves ${moved} in six operations: 1 ` +
      "record lock, 2 number, 3 take, 4 give, 5 post, 6 unlock. If it is killed before operation " +
      `${operation}, what is \`recovered\` for its heir, and how many coins are there?`,
    answer: `${isInside}; ${operation === 4 ? coins - moved : coins}`,
  };
}

/** What the second and the third of three owners read. */
export function askForHeirs(dice: Dice): Question {
  const ends = [dice(3), dice(3)].map((end) =>
    ["is killed inside", "is stopped inside, and killed later", "releases the lock"][end]!
  );
  const dirty = ends.map((end) => end !== "releases the lock");
  return {
    question: `Three owners follow each other at a lock. The first ${ends[0]}, the second ` +
      `${ends[1]}. What is \`recovered\` for the second and for the third?`,
    answer: `${dirty[0]}, ${dirty[1]}: only a release sets the number to 1`,
  };
}
