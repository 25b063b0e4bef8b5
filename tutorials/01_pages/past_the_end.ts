/**
 * Chapter 1: memory past the end of an array, with a neighbour in it and with a wall.
 *
 * @module
 */

import { bufferAt, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { canBeRead } from "../kernel_view.ts";
import { bytesPicture, pagesPicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";

const readWrite = Protection.read | Protection.write;
const anonymous = MapFlag.private | MapFlag.anonymous;
const text = (words: string) => new TextEncoder().encode(words);

/** A neighbour that is overwritten, and a wall that is touched. */
export function pastTheEnd(page: number): Step[] {
  let left = 0;
  let [ann, ben] = [new Uint8Array(), new Uint8Array()];
  let closed = new Uint8Array();
  const neighbours = () =>
    bytesPicture(ben, { id: "ben", title: "Ben's page", address: left + page });
  return [
    {
      title: "Two neighbours",
      text: `Two pages, side by side, without a wall. The left one is Ann's, the right one Ben's. A
        programmer has miscounted: her array is 16 bytes too long.`,
      run: (scene) => {
        left = scene.run("left", () =>
          map({
            length: 2 * page,
            protection: readWrite,
            flags: anonymous,
          }));
        ann = scene.run("ann", () => new Uint8Array(bufferAt(left, page + 16)));
        ben = new Uint8Array(bufferAt(left + page, page));
        scene.look(() => {
          ben.set(text("Ben: 100 coins"));
        });
        scene.show(neighbours());
      },
    },
    {
      title: "Ann cleans up",
      text: `Ann fills her array with zeros.`,
      ask: {
        kind: "choice",
        text: "Who notices?",
        options: [
          {
            text: "Nobody",
            right: true,
            because: "To the processor all is well: both pages are mapped and writable.",
          },
          {
            text: "JavaScript: she writes past her page",
            because: "JavaScript guards the length of the array, and that length is wrong.",
          },
          {
            text: "The kernel: the page is not hers",
            because: "Both pages belong to one process. The kernel knows nothing of Ann and Ben.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => {
          ann.fill(0);
        });
        scene.show(neighbours());
        for (const view of [ann, ben]) view.buffer.transfer(0);
        unmap(left, 2 * page);
      },
      after: `Ben's coins are gone without an error. Only a right length would have stopped her. So
        the library takes the length of each array from the mapping itself, in one place.`,
    },
    {
      title: "A page that must not be touched",
      text: `Now with a wall: a page without access. We put an array over it.`,
      run: (scene) => {
        const wall = scene.run("wall", () =>
          map({
            length: page,
            protection: Protection.none,
            flags: anonymous,
          }));
        closed = scene.run("closed", () => new Uint8Array(bufferAt(wall, page)));
        scene.look(() => canBeRead(wall));
        scene.show(pagesPicture("closed", "The page under the array", [["closed", "page"]]));
      },
      after: `Nothing fails yet: no code has touched the memory.`,
    },
    {
      title: "Touch it",
      text: `The next line reads a byte of the closed page, inside \`try\` and \`catch\`. It runs in
        the process of this chapter.`,
      ask: {
        kind: "choice",
        text: "What happens?",
        options: [
          {
            text: "The kernel ends the process",
            right: true,
            because:
              "The processor cannot finish the instruction, and the kernel sends [[SIGSEGV]]. " +
              "No JavaScript error is thrown, so there is nothing to catch.",
          },
          {
            text: "The catch block runs",
            because: "No JavaScript error is thrown. The process ends in the middle of the line.",
          },
          {
            text: "We read undefined",
            because:
              "JavaScript returns undefined only outside of an array. This place is inside, " +
              "so it goes to the memory.",
          },
        ],
      },
      crash: "SIGSEGV",
      run: (scene) => {
        scene.look(() => {
          try {
            console.error(closed[0]);
          } catch {
            console.error("caught");
          }
        });
      },
      after: `The next step runs in a fresh process, with other addresses.`,
    },
  ];
}
