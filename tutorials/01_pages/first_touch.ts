/**
 * Chapter 1: eight pages between walls, and when their memory comes.
 *
 * @module
 */

import { bufferAt, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { canBeRead, residentBytes } from "../kernel_view.ts";
import { pagesPicture, tablePicture } from "../stage/pictures.ts";
import type { PagesPicture, Step } from "../stage/story.ts";

const readWrite = Protection.read | Protection.write;
const anonymous = MapFlag.private | MapFlag.anonymous;

type State = PagesPicture["pages"][number]["state"];

/** Eight pages between walls, and when their memory comes. */
export function touches(page: number): Step[] {
  let [wall, pages] = [0, 0];
  let bytes = new Uint8Array();
  const states = new Array<State>(8).fill("empty");
  const rows: [string, string][] = [];
  const draw = (what: string) => {
    rows.push([what, `${residentBytes(pages)} bytes`]);
    const inside = states.map((state, i) => [state, `page ${i}`] as const);
    const picture = [["closed", "wall"], ...inside, ["closed", "wall"]] as const;
    return [
      pagesPicture("pages", "Eight pages between two walls", picture),
      tablePicture("cost", "What the kernel counts", [["what was done", "real memory"], ...rows]),
    ];
  };
  const write = (index: number, place: number): void => {
    bytes[place] = 1;
    states[index] = "memory";
  };
  return [
    {
      title: "Eight pages between walls",
      text: `When does a page get its memory? To count, we map 8 pages with a page before and a page
        after them that no code may touch.

        The first call reserves 10 pages of addresses without access. The second puts 8
        usable pages into their middle: \`fixed\` means at this very address.`,
      run: (scene) => {
        wall = scene.run("wall", () =>
          map({
            length: 10 * page,
            protection: Protection.none,
            flags: anonymous,
          }));
        pages = scene.run("pages", () =>
          map({
            address: wall + page,
            length: 8 * page,
            protection: readWrite,
            flags: anonymous | MapFlag.fixed,
          }));
        bytes = new Uint8Array(bufferAt(pages, 8 * page));
        scene.show(pagesPicture("pages", "Eight pages between two walls", [
          ["closed", "wall"],
          ...states.map((_, i) => ["empty", `page ${i}`] as const),
          ["closed", "wall"],
        ]));
      },
      after: `Between such walls, the kernel counts the memory of our pages alone.`,
    },
    {
      title: "A promise",
      text: `The kernel counts how much real memory stands behind a range: its [[resident memory]].
        We have touched none of our 8 pages.`,
      ask: {
        kind: "number",
        text: "How much memory is behind the 8 pages now?",
        unit: "bytes",
        answer: () => parseInt(rows[0]![1]),
        right: "None. The call gave us addresses and a promise.",
        often: [
          {
            number: 8 * page,
            because: "The call gave us addresses for 8 pages. The memory comes later.",
          },
          { number: page, because: "Even one page would need a touch, and we have touched none." },
        ],
        otherwise:
          "Memory comes in whole pages, and only at the first touch. So far no page was touched.",
      },
      run: (scene) => {
        for (const picture of draw("nothing")) scene.show(picture);
      },
    },
    {
      title: "Read a byte",
      text: `Now we read one byte of page 0.`,
      ask: {
        kind: "choice",
        picture: "pages",
        text: "Which byte do we get, and how much memory is there then?",
        options: [
          {
            text: "0, and still no memory",
            right: true,
            because:
              "Until the first write, a reader sees a page of zeros that all programs share.",
          },
          {
            text: `0, and ${page} bytes of memory`,
            because: "A read of anonymous memory costs nothing: all programs share one page of " +
              "zeros.",
          },
          {
            text: "It fails: no memory is there yet",
            because: "A read needs no memory of ours: it sees a page of zeros that all programs " +
              "share.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => bytes[0]);
        states[0] = "zeros";
        for (const picture of draw("read a byte of page 0")) scene.show(picture);
      },
    },
    {
      title: "Write a byte",
      text: `Now we write one byte, into page 2.`,
      ask: {
        kind: "number",
        picture: "pages",
        text: "How much memory is there then?",
        unit: "bytes",
        answer: () => parseInt(rows[2]![1]),
        right: "One byte needs a whole page. The kernel gives memory in no smaller pieces.",
        often: [
          { number: 1, because: "The kernel gives memory in whole pages, also for one byte." },
          { number: 8 * page, because: "Only the page that was written gets memory." },
          { number: 2 * page, because: "Page 0 was only read, and a read costs nothing here." },
          { number: 3 * page, because: "Pages 0 and 1 have not been written." },
        ],
        otherwise: "Memory comes in whole pages, and one page was written.",
      },
      run: (scene) => {
        scene.look(() => {
          bytes[2 * page] = 1;
        });
        write(2, 2 * page);
        for (const picture of draw("wrote a byte of page 2")) scene.show(picture);
      },
    },
    {
      title: "Two more",
      text: `Two more writes: another byte of page 2, and a byte of page 5.`,
      ask: {
        kind: "number",
        picture: "pages",
        text: "How much memory is there after both?",
        unit: "bytes",
        answer: () => parseInt(rows[4]![1]),
        right: "Page 2 had its memory already, and page 5 got its own.",
        often: [
          {
            number: 3 * page,
            because: "The second byte of page 2 costs nothing: the page is there.",
          },
          { number: page, because: "Page 5 was written too, and needs a page of its own." },
          { number: 4 * page, because: "The pages between 2 and 5 were not written." },
        ],
        otherwise: "Count the pages that were written: 2 and 5.",
      },
      run: (scene) => {
        scene.look(() => {
          bytes[2 * page + 1] = 1;
        });
        write(2, 2 * page + 1);
        draw("wrote another byte of page 2");
        scene.look(() => {
          bytes[5 * page] = 1;
        });
        write(5, 5 * page);
        for (const picture of draw("wrote a byte of page 5")) scene.show(picture);
      },
      after: `So a large mapping costs little until you use it.`,
    },
    {
      title: "The byte after the last one",
      text: `The array has ${8 * page} bytes. A program in C reads wherever an address points.`,
      ask: {
        kind: "choice",
        text: "What does JavaScript return for the byte after the last one?",
        options: [
          {
            text: "undefined",
            right: true,
            because: "The array knows its length and guards it.",
          },
          {
            text: "0",
            because: "A 0 would have to be read. The array guards its length, so nothing is read.",
          },
          {
            text: "An error",
            because: "JavaScript arrays throw nothing here. They return undefined.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => bytes[bytes.length]);
        const last = scene.run("last", () => pages + bytes.length - 1);
        scene.look(() => canBeRead(last));
        scene.look(() => canBeRead(last + 1));
        bytes.buffer.transfer(0);
        unmap(wall, 10 * page);
      },
      after: `The array guards the length that it was given. The kernel guards pages: it ends a
        program that reads without permission. \`canBeRead\` asks it without a read.`,
    },
  ];
}
