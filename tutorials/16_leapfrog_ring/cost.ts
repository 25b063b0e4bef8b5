/**
 * Chapter 16: what the leaps cost, measured beside the mirror ring.
 *
 * @module
 */

import { LeapfrogRing, MirrorRing } from "../../mod.ts";
import { now } from "../../src/os/clock.ts";
import { pageSize } from "../../src/os/page.ts";
import { guesses, measureInTurn, type Spread, spreadPicture, verdictOf } from "../spread.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";

const MESSAGE = 1000;
const TIMES = 400;
const ROUNDS = 40;

/** The step that measures. */
export function whatItCosts(): Step {
  let spreads: Spread[] = [];
  return {
    title: "What a leap costs",
    text: `Each leap is two system calls. And the kernel must make every processor that runs this
      process drop the old addresses from its [[TLB]], as in chapter 2.

      We pass messages of ${MESSAGE} bytes through a mirror ring and through a leapfrog ring, of one page
      each, in ${ROUNDS} rounds in turn.`,
    ask: {
      kind: "choice",
      text: "Which one is faster?",
      options: guesses(() => spreads, [
        {
          text: "The mirror ring",
          right: "The mirror ring mapped its two windows once. The leapfrog ring maps for ever.",
          wrong: "On a quiet computer the mirror ring is faster. In this run other programs " +
            "have hidden it.",
        },
        {
          text: "No difference: both copy the same bytes",
          right: "In this run the spreads touch. On a quiet computer they do not.",
          wrong: "Both copy the same bytes. But every four messages, the leapfrog ring also " +
            "makes two system calls.",
        },
        {
          text: "The leapfrog ring: it needs no mask",
          right: "A surprise. Run it again.",
          wrong: "A mask is one instruction. A system call is thousands.",
        },
      ]),
    },
    run: (scene) => {
      const page = pageSize();
      using mirror = new MirrorRing(page);
      using leapfrog = new LeapfrogRing(page);
      const source = new Uint8Array(MESSAGE).fill(7);
      const target = new Uint8Array(MESSAGE);
      const pass = (ring: MirrorRing | LeapfrogRing) => () => {
        const begin = now();
        for (let i = 0; i < TIMES; i++) {
          ring.write(source);
          ring.read(target);
        }
        return (now() - begin) / TIMES;
      };
      spreads = measureInTurn(
        { "mirror ring": pass(mirror), "leapfrog ring": pass(leapfrog) },
        ROUNDS,
      );
      scene.show(spreadPicture("spread", spreads, "Nanoseconds for a message"));
      scene.look(() => verdictOf(spreads[0]!, spreads[1]!));
      const [one, other] = spreads as [Spread, Spread];
      const eachLeap = (other.median - one.median) * page / MESSAGE / 1000;
      scene.show(tablePicture("leaps", "The leaps", [
        ["leaps in all", "microseconds for each, by the medians"],
        [leapfrog.leaps, eachLeap.toFixed(1)],
      ]));
    },
    after:
      `This process uses one processor. Where its threads run on others too, each of them is interrupted at
      each leap. \`bench/README.md\` has a recorded measurement: 12 µs a leap alone, and 20 µs beside
      a busy Worker.`,
  };
}
