/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Choose } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Choose>[] {
  const search = (first: (last: number) => number): Choose => (ring, mind) => {
    mind.bits |= ring.takeHints();
    for (let i = 0; i < ring.lanes; i++) {
      const lane = (first(mind.last) + i) % ring.lanes;
      if ((mind.bits & 1 << lane) === 0) continue;
      if (ring.has(lane)) return mind.last = lane;
      mind.bits &= ~(1 << lane);
    }
  };
  const [found, idle, turns] = ["it finds a message", "without a hint", "in turns"];
  const [followed, moment] = ["it serves a hinted lane", "it forgets no message"];
  return [
    {
      mistake: "finds nothing",
      answer: () => undefined,
      fails: found,
    },
    {
      mistake: "always chooses lane 0",
      answer: () => 0,
      fails: found,
    },
    {
      mistake: "takes the highest bit for the sign",
      answer: (ring) => {
        const bits = ring.loadHints();
        return bits > 0 ? Math.floor(Math.log2(bits)) : undefined; // not the sign
      },
      fails: found,
    },
    {
      mistake: "looks into every lane without a hint",
      answer: (ring) => {
        for (let lane = 0; lane < ring.lanes; lane++) if (ring.has(lane)) return lane;
      },
      fails: idle,
    },
    {
      mistake: "forgets the hints that it has not followed",
      answer: (ring) => {
        const bits = ring.takeHints();
        for (let lane = 0; lane < ring.lanes; lane++) {
          if ((bits & 1 << lane) !== 0 && ring.has(lane)) return lane;
        }
      },
      fails: followed,
    },
    {
      mistake: "begins at lane 0 each time",
      answer: search(() => 0),
      fails: turns,
    },
    {
      mistake: "serves the last lane again",
      answer: search((last) => Math.max(last, 0)),
      fails: turns,
    },
    {
      mistake: "clears hints that it has not followed",
      answer: (ring, mind) => { // clears what it has not followed
        mind.bits |= ring.loadHints();
        for (let i = 1; i <= ring.lanes; i++) {
          const lane = (mind.last + i) % ring.lanes;
          if ((mind.bits & 1 << lane) === 0) continue;
          if (ring.has(lane)) return mind.last = lane;
        }
        mind.bits = 0;
        ring.clearHints();
      },
      fails: moment,
    },
    {
      mistake: "spins until there is a hint",
      answer: (ring) => {
        while (ring.loadHints() === 0);
        return undefined;
      },
      fails: found,
    },
  ];
}
