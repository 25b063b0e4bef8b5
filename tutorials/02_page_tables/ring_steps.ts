/**
 * Chapter 2: the ring of the library runs on tables that the machine walks.
 *
 * @module
 */

import { receiveRecord, recordLength, sendRecord } from "../../src/lane/record.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { attempt, mapPicture } from "./desk.ts";
import { pass, ringOnMachine } from "./ring.ts";

/** The steps with the ring; the import map of this folder puts it on the machine. */
export function runTheRing(): Step[] {
  let ring: ReturnType<typeof ringOnMachine> | undefined;
  let [crossed, sent] = [0, 0];
  return [{
    title: "The library's ring, on this machine",
    text: `A [[ring]] is memory in which one side writes messages and the other reads behind it. At
      the end, both continue at the beginning. The ring of this library runs here with its own code.
      Only the functions that load and store are replaced, so that each byte walks the tables.

      Its data has one frame, and two pages that follow each other lead to it. 500 messages of 1 to
      300 bytes pass through its 4096 bytes.`,
    ask: {
      kind: "number",
      text: "How many messages run over the end of the first page? Guess.",
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
      const made = ring = ringOnMachine("pages");
      crossed = scene.run("crossed", () => pass(made, 500));
      scene.show(mapPicture(made.tables, made.pages));
      const { hits, misses } = made.machine.tlb;
      scene.show(tablePicture("tlb", "The TLB", [
        ["accesses that found their translation", "that had to walk"],
        [hits, misses],
      ]));
    },
    after: `Each of these messages was written by one copy, over the end and on. Every byte was
      compared. Chapter 5 makes such a ring with Linux.`,
  }, {
    title: "Without the second page",
    text:
      `Now we empty the entry of the second page, and invalidate it. The ring does not know. We send
      messages of 100 bytes, one after the other.`,
    ask: {
      kind: "choice",
      text: "Which message is the first to fault?",
      options: [
        {
          text: "The very first",
          because: "It lies in the first page, whose entry is as it was.",
        },
        {
          text: "The first one that runs over the end",
          right: true,
          because:
            "Up to the end, the first page is enough. So a test that never reaches the end " +
            "sees nothing.",
        },
        {
          text: "None: the frame is still there",
          because: "The frame is. But the address behind the first page leads nowhere now.",
        },
      ],
    },
    run: (scene) => {
      const { machine, tables, sender, receiver, pages } = ring!;
      scene.look(() => {
        tables.unmap(pages[2]);
        machine.tlb.invalidate(pages[2]);
      });
      const message = new Uint8Array(100).fill(7);
      const target = new Uint8Array(100);
      sent = 0;
      const sendForEver = () => {
        for (;; sent++) {
          sendRecord(sender, message, 100);
          receiveRecord(receiver, target, recordLength(receiver));
        }
      };
      scene.look(() => attempt(sendForEver));
      scene.look(() => sent);
      scene.show(mapPicture(tables, pages));
    },
  }];
}
