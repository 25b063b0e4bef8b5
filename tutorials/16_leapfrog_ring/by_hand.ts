/**
 * Chapter 16: a leap, by hand.
 *
 * @module
 */

import { allocate, bufferAt, map, MapFlag, memfd, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import type { Scene, Step } from "../stage/story.ts";
import { stripPicture } from "./strip.ts";

const PAGES = 8;
const readWrite = Protection.read | Protection.write;

/** The steps by hand; they share one range. */
export function byHand(): Step[] {
  const page = pageSize();
  let [fd, start] = [-1, 0];
  let bytes = new Uint8Array();
  const mapped = { protection: readWrite, length: page };
  const showAt = (address: number) =>
    map({ ...mapped, address, flags: MapFlag.shared | MapFlag.fixed, fd });
  const hideAt = (address: number) =>
    map({ ...mapped, address, flags: MapFlag.private | MapFlag.anonymous | MapFlag.fixed });
  const show = (scene: Scene) =>
    scene.show(stripPicture("The range, by the kernel's list", start, PAGES));
  return [{
    title: "Two windows in a range",
    text:
      `We build it by hand. A [[range]] of ${PAGES} pages is reserved: addresses that read as zeros and take no
      memory. One page of a memory file is shown in the first two of them: two windows, as in the
      mirror ring.`,
    run: (scene) => {
      fd = memfd("leapfrog");
      allocate(fd, 0, page);
      const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
      start = scene.run("start", () => map({ length: PAGES * page, protection: readWrite, flags }));
      bytes = new Uint8Array(bufferAt(start, PAGES * page));
      scene.look(() => [showAt(start), showAt(start + page)].every((at) => at > 0));
      show(scene);
    },
  }, {
    title: "The leap",
    text:
      `Window 0 was written and consumed. The writer has also filled half of window 1. It needs more room
      behind window 1.`,
    ask: {
      kind: "choice",
      picture: "strip",
      text: "Where does window 0 leap?",
      options: [
        {
          text: "Nowhere: the writer continues in page 0",
          because: "A mirror ring would continue in page 0. Here positions are addresses, and " +
            "never turn back.",
        },
        {
          text: "Window 1 leaps, to page 2",
          because: "Window 1 has unread bytes. Their addresses must stay.",
        },
        {
          text: "Over window 1, to page 2",
          right: true,
          because: "After that leap, the bytes from page 1 on are in one piece again, and no " +
            "position turns back.",
        },
      ],
    },
    run: (scene) => {
      show(scene);
      scene.look(() => {
        hideAt(start);
        showAt(start + 2 * page);
      });
      show(scene);
    },
    after:
      `Two calls, and no byte was copied. Both windows show the same page of memory, as before.`,
  }, {
    title: "Behind us",
    text:
      `A program has kept a view of page 0, whose bytes were consumed long ago. In a mirror ring it would see
      whatever message is there now.`,
    ask: {
      kind: "choice",
      text: "What does the view show here?",
      options: [
        {
          text: "The message of before",
          because: "The message may still be in the page of memory, but page 0 does not lead " +
            "there any more.",
        },
        {
          text: "Zeros",
          right: true,
          because: "The window has left, and the addresses behind us lead to zeros. A mistake is " +
            "seen as one.",
        },
        {
          text: "We crash",
          because: "Only a hole in the range would crash us. We have mapped zeros there, on " +
            "purpose.",
        },
      ],
    },
    run: (scene) => {
      const stale = bytes.subarray(0, 4);
      scene.look(() => [...stale]);
      bytes.buffer.transfer(0);
      unmap(start, PAGES * page);
    },
  }];
}
