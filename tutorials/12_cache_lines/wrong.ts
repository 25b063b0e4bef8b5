/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { Place, Word } from "./check.ts";

/** What differs between an answer and the right one. */
interface Mistake {
  readonly group?: (word: Word, index: number) => string;
  readonly sort?: (a: Word, b: Word) => number;
  readonly begin?: (end: number) => number;
  readonly take?: (word: Word) => number;
  readonly leavesOut?: (word: Word) => boolean;
}

/** Makes the right answer, with a mistake. */
function answerWith({
  group = ({ storedBy, polledBy }) => `${storedBy} ${polledBy}`,
  sort = (a, b) => b.bytes - a.bytes,
  begin = (end) => Math.ceil(end / 64) * 64,
  take = ({ bytes }) => bytes,
  leavesOut = () => false,
}: Mistake): Place {
  return (words) => {
    const offsets: Record<string, number> = {};
    let end = 0;
    for (const each of Map.groupBy(words, group).values()) {
      end = begin(end);
      for (const word of each.sort(sort)) {
        if (leavesOut(word)) continue;
        offsets[word.name] = end;
        end += take(word);
      }
    }
    return offsets;
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Place>[] {
  const answers: [mistake: string, Mistake, fails: string][] = [
    ["puts one word behind the other", { group: () => "", sort: () => 0 }, "each word has a place"],
    ["leaves out words that never change", {
      leavesOut: ({ storedBy }) => storedBy === "nobody",
    }, "each word has a place"],
    ["puts the small words first", { sort: (a, b) => a.bytes - b.bytes }, "each word has a place"],
    ["gives each word 4 bytes", {
      take: () => 4,
      sort: (a, b) => a.bytes - b.bytes,
      group: (_word, index) => `${index >> 2}`,
    }, "each word has a place"],
    ["puts all words of a party at one place", { take: () => 0 }, "no two words overlap"],
    [
      "sorts by size, and forgets the parties",
      { group: () => "" },
      "words that different parties store",
    ],
    ["begins a group at a multiple of 16 bytes", {
      begin: (end) => Math.ceil(end / 16) * 16,
    }, "words that different parties store"],
    ["groups by the polling party only", {
      group: ({ polledBy }) => polledBy,
    }, "words that different parties store"],
    ["groups by the storing party only", {
      group: ({ storedBy }) => storedBy,
    }, "words that different parties poll"],
    ["leaves the first line empty", {
      begin: (end) => Math.ceil((end + 1) / 64) * 64,
    }, "it takes as few lines"],
    ["gives each word a line", { group: ({ name }) => name }, "it takes as few lines"],
    ["begins a line whenever the parties change", {
      group: (() => {
        let [last, count] = ["", 0];
        return ({ storedBy, polledBy }: Word) => {
          if (last !== `${storedBy} ${polledBy}`) count++;
          last = `${storedBy} ${polledBy}`;
          return `${count}`;
        };
      })(),
    }, "it takes as few lines"],
  ];
  return answers.map(([mistake, how, fails]) => ({ mistake, answer: answerWith(how), fails }));
}
