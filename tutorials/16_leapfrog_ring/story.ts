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
      text: `The leapfrog ring is an endless row of bytes, as one would draw it, with one page of
        memory behind it. The mirror ring does the same work, and only pretends. It is faster, and
        processes can share it. So every ring of this library is a mirror ring.

        In the exercise, you move the windows, also at the end of the range.`,
    },
  ],
};

function anEndlessRow(): Step {
  let moved = 0;
  return {
    title: "An endless row",
    text: `The simplest queue would be an endless row of bytes. One side writes, the other reads
      behind it, and no position ever turns back. Nobody has so much memory. But of
      [[address|addresses]] a process has 2^47.

      The mirror ring only looks like such a row. This chapter builds the row itself. You see what a
      program pays that moves its pages all the time, and why the library shares mirrors.

      Here is a ring of ${pageSize()} bytes. Its position \`head\` is the address of the next byte. Ten times,
      we write a message of 3000 bytes and consume it.`,
    ask: {
      kind: "number",
      text: "How many bytes has `head` moved on then?",
      unit: "bytes",
      answer: () => moved,
      right: "30,000, as in an endless row. The memory behind it is still one page.",
      often: [
        {
          number: 30000 % 4096,
          because:
            "The place in a masked ring would be that: 30000 - 7 * 4096. But `head` only grows.",
        },
        {
          number: 4096,
          because: "The ring has 4096 bytes of memory. But `head` is an address that only grows.",
        },
        { number: 0, because: "The ring is empty again. But `head` only grows." },
      ],
      otherwise: "Ten times 3000: `head` only grows.",
    },
    run: (scene) => {
      using made = new LeapfrogRing(pageSize());
      const before = made.head;
      scene.look(() => {
        for (let i = 0; i < 10; i++) {
          made.write(new Uint8Array(3000).fill(i));
          made.consume(3000);
        }
      });
      scene.look(() => made.capacity);
      moved = made.head - before;
      scene.look(() => made.head - before);
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
    title: "The ring of the library",
    text:
      `\`LeapfrogRing\` does all that. It reserves a [[range]] of addresses, here of ${RANGE_PAGES} pages, and leaps
      when a write needs it. We write three quarters of a page and consume them, three times.`,
    run: (scene) => {
      const made = ring = new LeapfrogRing(page, { range: RANGE_PAGES * page });
      rows.length = 0;
      scene.look(() => {
        for (let i = 0; i < 3; i++) pass();
      });
      scene.look(() => made.window - made.start);
      show(scene, "after 3 times");
    },
  }, {
    title: "The end of the range",
    text:
      `Even 2^47 addresses end some day, and ${RANGE_PAGES} pages end soon. We go on until there is no room for
      another leap. At that moment, some bytes are unread.`,
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
      const made = ring!;
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
