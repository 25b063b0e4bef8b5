/**
 * Chapter 16 for the stage: the leapfrog ring.
 *
 * @module
 */

import { LeapfrogRing } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { byHand } from "./by_hand.ts";
import { whatItCosts } from "./cost.ts";
import { anotherProcess, playPeer } from "./peer.ts";
import { stripPicture } from "./strip.ts";

const RANGE_PAGES = 8;

/** The story of chapter 16. */
export const story: Story = {
  cast: { peer: playPeer },
  steps: () => [
    anEndlessRow(),
    ...byHand(),
    ...theLibrary(),
    whatItCosts(),
    anotherProcess(),
    {
      title: "A ring to think with",
      text:
        `The leapfrog ring is an endless row of bytes, as one would draw it. The mirror ring only
        pretends to be one. It is many times faster, and processes can share it. So every ring of this
        library is a mirror ring.

        In the exercise, you move the windows, also at the end of the range.`,
    },
  ],
};

/** As many bytes are written in a second, in our thought. */
const SPEED = 1e9;
const ADDRESSES = 2 ** 47;

function anEndlessRow(): Step {
  const hours = () => ADDRESSES / SPEED / 3600;
  return {
    title: "An endless row",
    text:
      `The simplest queue is an endless row of bytes. One side writes, the other reads behind it, and
      no position ever turns back. Nobody has so much memory. But of [[address|addresses]] you have
      2^47, and one page of memory can move along beneath them.

      This chapter builds such a row. It works, and its price will surprise you.

      You write a gigabyte in each second, day and night, and never use an address twice.`,
    ask: {
      kind: "number",
      text: "After how many hours have you used up all addresses? A factor of 2 counts.",
      unit: "hours",
      within: 2,
      answer: () => Math.round(hours()),
      right: "2^47 bytes are 141,000 gigabytes. Even this row ends, in less than two days.",
      often: [
        {
          number: 1,
          because: "In an hour you write 3,600 gigabytes. There are many more addresses.",
        },
      ],
      otherwise: "2^47 bytes are 141,000 gigabytes, and an hour has 3,600 seconds.",
    },
    run: (scene) => {
      scene.look(() => Math.round(ADDRESSES / SPEED / 3600));
    },
  };
}

function theLibrary(): Step[] {
  const page = pageSize();
  let ring: LeapfrogRing | undefined;
  const rows: (string | number)[][] = [];
  const show = (scene: Scene, what: string) => {
    const made = ring!;
    const pageOf = (address: number) => ((address - made.start) / page).toFixed(1);
    rows.push([what, pageOf(made.tail), pageOf(made.head), made.leaps, made.laps]);
    scene.show(
      stripPicture("The addresses of the ring, by the kernel's list", made.start, RANGE_PAGES),
    );
    scene.show(tablePicture("positions", "Positions, in pages from the start", [
      ["", "tail", "head", "leaps", "laps"],
      ...rows,
    ]));
  };
  const pass = () => {
    ring!.write(new Uint8Array(page * 0.75));
    ring!.consume(page / 2);
    ring!.consume(page / 4);
  };
  return [{
    title: "The end of the range",
    text:
      `\`LeapfrogRing\` does all that. Its [[range]] has only ${RANGE_PAGES} pages here, and ends soon. We write and consume
      until there is no room for another leap. At that moment, some bytes are unread.`,
    ask: {
      kind: "choice",
      text: "What does the ring do?",
      options: [
        {
          text: "It reserves a larger range",
          because:
            "A range that grows for ever needs page tables that grow for ever. So the ring " +
            "starts over.",
        },
        {
          text: "It starts over at the beginning of the range",
          right: true,
          because:
            "Both windows appear at the start, and both positions move back by the same number " +
            "of pages. `laps` counts it.",
        },
        {
          text: "It refuses the write",
          because: "Only a full ring refuses a write. Here all consumed bytes are free.",
        },
      ],
    },
    run: (scene) => {
      const made = ring = new LeapfrogRing(page, { range: RANGE_PAGES * page });
      rows.length = 0;
      for (let i = 0; i < 3; i++) pass();
      show(scene, "at first");
      scene.look(() => {
        while (made.laps === 0) {
          made.consume(made.available);
          made.write(new Uint8Array(page / 4));
          made.write(new Uint8Array(page * 0.5));
        }
      });
      show(scene, "a lap later");
      made.close();
    },
    after: `One window stays at the end, for views of unread bytes. It leaves at the next leap.`,
  }];
}
