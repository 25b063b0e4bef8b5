/**
 * Chapter 3: a file that is cut while it is mapped.
 *
 * @module
 */

import { bufferAt, map, MapFlag, memfd, Protection, truncate, unmap } from "../../src/os/files.ts";
import { canBeRead } from "../kernel_view.ts";
import { bytesPicture, pagesPicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";

const PAGES = 4;
const readWrite = Protection.read | Protection.write;

/**
 * Maps a file at a place that the library believes to be free, so that it does not catch the signal
 * of the last step.
 */
function mapBehindTheLibrary(fd: number, length: number): number {
  const address = map({ length, protection: readWrite, flags: MapFlag.shared, fd });
  unmap(address, length);
  const flags = MapFlag.shared | MapFlag.fixed;
  return map({ address, length, protection: readWrite, flags, fd });
}

/** The steps about a cut; the last one crashes. */
export function cutIt(page: number): Step[] {
  let [fd, address] = [-1, 0];
  let bytes = new Uint8Array();
  const pages = (title: string) =>
    pagesPicture(
      "cut",
      title,
      Array.from({ length: PAGES }, (_, i) => {
        const isThere = canBeRead(address + i * page);
        return [isThere ? "memory" : "beyond", `page ${i}`] as const;
      }),
    );
  return [
    {
      title: "Cut a file that is mapped",
      text:
        `Another file, of four pages, with a word in each. All four are mapped. Now we shorten the
        file to one page.`,
      ask: {
        kind: "choice",
        text: "Can the other three pages still be read?",
        options: [
          {
            text: "No",
            right: true,
            because: "The mapping has their addresses. But the file ends before them.",
          },
          {
            text: "Yes, until we unmap them",
            because:
              "A mapping holds the file, and no length of it. The file now ends before these " +
              "three pages.",
          },
          {
            text: "Yes, as zeros",
            because:
              "Only pages within the length of a file can be holes. These are beyond its end.",
          },
        ],
      },
      run: (scene) => {
        fd = memfd("cut");
        truncate(fd, PAGES * page);
        address = mapBehindTheLibrary(fd, PAGES * page);
        bytes = new Uint8Array(bufferAt(address, PAGES * page));
        for (let i = 0; i < PAGES; i++) bytes.set(new TextEncoder().encode(`page ${i}`), i * page);
        scene.show(pages("The four mapped pages"));
        scene.look(() => {
          truncate(fd, page);
        });
        scene.show(pages("The four mapped pages"));
        scene.look(() => bytes.length);
      },
      after: `The array still has its ${
        PAGES * page
      } bytes. So does the line in the kernel's list.`,
    },
    {
      title: "Extend it again",
      text: `The file gets its old length back.`,
      ask: {
        kind: "choice",
        picture: "cut",
        text: "Does it get its bytes back?",
        options: [
          {
            text: "Only page 0 has its bytes",
            right: true,
            because: "The others can be touched again, but they are holes: their bytes are lost.",
          },
          {
            text: "All pages have their bytes",
            because: "The cut freed three pages of memory. An extension only makes holes.",
          },
          {
            text: "All pages are zeros",
            because: "Page 0 was never cut off, so its bytes have stayed.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => {
          truncate(fd, 4 * page);
        });
        scene.show(pages("The four mapped pages"));
        const part = { address, length: 16 };
        scene.show(bytesPicture(bytes, { ...part, id: "page 0", title: "Page 0" }));
        scene.show(bytesPicture(bytes, { ...part, id: "page 1", title: "Page 1", from: page }));
      },
      after:
        `So a process that may write a shared file may also shorten it. What becomes of the others,
        which still have it mapped?`,
    },
    {
      title: "Touch what was cut off",
      text:
        `We cut the file again, and read a byte of page 1: mapped, within the array, and beyond the
        end of the file.`,
      ask: {
        kind: "choice",
        text: "What happens?",
        options: [
          {
            text: "The kernel ends the process",
            right: true,
            because: "The file has no page to show, and a read has no error to return: [[SIGBUS]].",
          },
          {
            text: "We read 0",
            because: "A hole would read as 0. Beyond its end the file has no page at all.",
          },
          {
            text: "We read undefined",
            because:
              "The array has that place, so JavaScript goes to the memory. But the file ends " +
              "before it.",
          },
        ],
      },
      crash: "SIGBUS",
      run: (scene) => {
        scene.look(() => {
          truncate(fd, page);
        });
        scene.look(() => bytes[page]);
      },
      after:
        `We made this mapping by hand. For memory that the library maps, it catches this signal: the
        operation fails with an error, and the program continues. And it opens only files that belong
        to you or root, unless you ask for others.`,
    },
  ];
}
