/**
 * Chapter 2: the ring of the library runs on tables that the machine walks.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { mapPicture } from "./desk.ts";
import { pass, ringOnMachine } from "./ring.ts";

/** The step with the ring; the import map of this folder puts it on the machine. */
export function runTheRing(): Step[] {
  let crossed = 0;
  return [{
    title: "The library's ring, on this machine",
    text: `A [[ring]] is memory in which one side writes messages and the other reads behind it; at
      the end, both continue at the beginning. The shipped ring of this library runs here. Only its
      functions that load and store are replaced, so that each byte walks the tables.

      Its two positions have a page of their own, and two more pages lead to the one frame of its
      data. 500 messages of 1 to 300 bytes pass through these 4096 bytes.`,
    ask: {
      kind: "number",
      text: "How many messages run over the end of the first page?",
      answer: () => crossed,
      within: 2,
      right:
        "About 80,000 bytes pass, so the end comes about twenty times, nearly always within a " +
        "message.",
      often: [
        { number: 0, because: "The end comes every 4096 bytes, and a message is usually there." },
        {
          number: 500,
          because: "Most messages lie before the end: 4096 bytes have room for many.",
        },
      ],
      otherwise: "About 80,000 bytes pass, and the end comes every 4096 bytes.",
    },
    run: (scene) => {
      const made = ringOnMachine("pages");
      crossed = scene.run("crossed", () => pass(made, 500));
      scene.show(mapPicture(made.tables, made.pages));
      const { hits, misses } = made.machine.tlb;
      scene.show(tablePicture("tlb", "The TLB", [
        ["accesses that found their translation", "that had to walk"],
        [hits, misses],
      ]));
    },
    after: `Each was written by one copy, over the end and on.`,
  }];
}
