/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { Repeat } from "./check.ts";

/** What differs between an answer and the right one. */
interface Mistake {
  readonly from?: (position: number, mask: number) => number;
  readonly piece?: (distance: number, done: number, length: number) => number;
  /** How far the place to copy from moves. */
  readonly moves?: (done: number) => number;
  readonly head?: (head: number, length: number, mask: number) => number;
  readonly until?: (length: number) => number;
}

/** Makes the right answer, with a mistake. */
function answerWith({
  from: placeOf = (position, mask) => position & mask,
  piece: pieceOf = (distance, done, length) => Math.min(distance + done, length - done),
  moves = () => 0,
  head: headOf = (head, length) => head + length,
  until = (length) => length,
}: Mistake): Repeat {
  return (ring, head, distance, length) => {
    const mask = ring.capacity - 1;
    const from = placeOf(head - distance, mask);
    for (let done = 0; done < until(length);) {
      const piece = pieceOf(distance, done, length);
      ring.copy(from + distance + done, from + moves(done), piece);
      done += Math.max(1, piece);
    }
    return headOf(head, length, mask);
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Repeat>[] {
  const answers: [mistake: string, Mistake, fails: string][] = [
    ["copies nothing", { until: () => 0 }, "a repeat that does not overlap"],
    [
      "copies from the head",
      { from: (position, mask) => position + 40 & mask },
      "a repeat that does",
    ],
    ["does not mask", { from: (position) => position }, "a repeat that begins before the end"],
    ["copies all at once", { piece: (_d, _done, length) => length }, "a repeat that overlaps"],
    ["copies a piece more than needed", {
      piece: (distance, done) => distance + done,
    }, "a repeat that begins"],
    ["copies the first distance only", {
      piece: (distance, _done, length) => Math.min(distance, length),
      until: () => 1,
    }, "a repeat that overlaps"],
    ["lets the place to copy from move too", { moves: (done) => done }, "a repeat that overlaps"],
    ["returns the place of the head", {
      head: (head, length, mask) => head + length & mask,
    }, "it returns the new head"],
    ["returns the old head", { head: (head) => head }, "it returns the new head"],
    ["copies byte by byte", { piece: () => 1, moves: (done) => done }, "few calls"],
    ["copies one distance at a time", {
      piece: (distance, done, length) => Math.min(distance, length - done),
    }, "few calls"],
  ];
  const inTwoHalves: Repeat = (ring, head, distance, length) => {
    const half = length >> 1;
    const repeat = answerWith({});
    return repeat(ring, repeat(ring, head, distance, half), distance, length - half);
  };
  return [
    ...answers.map(([mistake, how, fails]) => ({ mistake, answer: answerWith(how), fails })),
    { mistake: "cuts each repeat in two halves", answer: inTwoHalves, fails: "few calls" },
  ];
}
