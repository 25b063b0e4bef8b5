/**
 * The questions of quiz.ts about tutorials 2, 6, 12 and 16.
 *
 * @module
 */

import { hex } from "./picture.ts";
import type { Dice, Question } from "./quiz.ts";

const PAGE = 4096;
const LINE = 64;

/** Which entries a walk of two levels reads. */
export function askForEntries(dice: Dice): Question {
  const [first, second, offset] = [dice(1024), dice(1024), dice(PAGE)];
  const address = first * 2 ** 22 + second * PAGE + offset;
  return {
    question: `Two levels of ten bits each, and pages of 4 KiB. Which entry of the first table, ` +
      `which of the second, and which byte of the frame does ${hex(address)} mean?`,
    answer: `entry ${first}, entry ${second}, byte ${offset} (${hex(offset)})`,
  };
}

/** What an access finds, with a TLB that does not notice changes. */
export function askForStale(dice: Dice): Question {
  const [before, after] = [3 + dice(5), 8 + dice(5)];
  const [isUsed, isTold] = [dice(2) === 0, dice(2) === 0];
  const found = isUsed && !isTold ? before : after;
  return {
    question: `A page leads to frame ${before}. ` +
      `${isUsed ? "A program has just loaded a byte of it" : "No program has used it yet"}. Its ` +
      `entry gets frame ${after}${isTold ? ", and is invalidated in the TLB" : ""}. From which ` +
      "frame does the next load come?",
    answer: `frame ${found}: ` +
      (found === before
        ? "the TLB has the translation, and nobody has told it"
        : isTold
        ? "the TLB has dropped the translation, so the walk finds the new one"
        : "the TLB did not know the page, so the walk finds the new one"),
  };
}

/** What a repeat appends, which may overlap itself. */
export function askForRepeat(dice: Dice): Question {
  const letters = Array.from({ length: 4 }, () => "abcdefgh"[dice(8)]!);
  const [distance, length] = [1 + dice(4), 3 + dice(6)];
  const pattern = letters.slice(4 - distance);
  const appended = Array.from({ length }, (_, i) => pattern[i % distance]).join("");
  return {
    question:
      `The last bytes are "${letters.join("")}". What does a repeat of "${distance} back, ` +
      `${length} bytes" append?`,
    answer: `"${appended}"` +
      (length > distance ? ": it continues into what it has just written" : ""),
  };
}

/** Into how many pieces a range is cut in a plain ring. */
export function askForPieces(dice: Dice): Question {
  const before = 1 + dice(300);
  const length = 1 + dice(400);
  return {
    question:
      `A plain ring has ${PAGE} bytes. A repeat of ${length} bytes begins to read ${before} ` +
      "bytes before the end. Into how many pieces is the copy cut, and in a mirror ring?",
    answer: length > before
      ? `two, of ${before} and ${length - before} bytes; one in a mirror ring`
      : "one in both: it ends at or before the end of the memory",
  };
}

/** Whether two words share a line, and who is disturbed. */
export function askForLine(dice: Dice): Question {
  const [one, other] = [8 * dice(24), 8 * dice(24) + 4];
  const [a, b] = [one, other].map((offset) => Math.floor(offset / LINE));
  return {
    question:
      `Lines have ${LINE} bytes. One process stores a word at offset ${one}, another one a ` +
      `word at offset ${other}. On which lines are they, and does each disturb the other?`,
    answer: a === b
      ? `both on line ${a}: each store takes the line from the other process`
      : `on lines ${a} and ${b}: no`,
  };
}

/** How often the word that announces messages is stored. */
export function askForStores(dice: Dice): Question {
  const [size, messages] = [[4, 8, 16, 32][dice(4)]!, 20 + dice(180)];
  const full = Math.floor(messages / size);
  const left = messages % size;
  return {
    question:
      `A writer publishes in batches of ${size}. It sends ${messages} messages and then has ` +
      "no more. How often does it store `head`?",
    answer: left === 0
      ? `${full} times: ${full} full batches`
      : `${full + 1} times: ${full} full batches, and one of ${left} at the end`,
  };
}

/** Where the windows of a leapfrog ring are. */
export function askForWindow(dice: Dice): Question {
  const passed = PAGE * (2 + dice(20)) + dice(PAGE);
  const unread = dice(PAGE);
  const first = Math.ceil(passed / PAGE) - 2;
  return {
    question: `A leapfrog ring of ${PAGE} bytes has had ${passed} bytes written, one by one. ` +
      `${unread} of them are unread, and its range is large. In which page of the range is its ` +
      "first window, if it leaps only when a write needs it? (The first page is page 0.)",
    answer: `page ${first}: the last byte written is in page ${first + 1}, the second window`,
  };
}

/** What one address means in a leapfrog ring and in a mirror ring. */
export function askForBehind(dice: Dice): Question {
  const behind = PAGE * (3 + dice(5));
  return {
    question:
      `A view of a byte is kept, and then ${behind} more bytes pass through a ring of ${PAGE}. ` +
      "What does the view show in a leapfrog ring, and in a mirror ring?",
    answer:
      "0 in a leapfrog ring: the window has left; in a mirror ring, a byte of a newer message",
  };
}
