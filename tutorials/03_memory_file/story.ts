/**
 * Chapter 3 for the stage: a file that is only memory.
 *
 * @module
 */

import {
  allocate,
  bufferAt,
  close,
  type FileStatus,
  map,
  MapFlag,
  memfd,
  Protection,
  stat,
  truncate,
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mapsLine } from "../kernel_view.ts";
import { bytesPicture, pagesPicture, tablePicture } from "../stage/pictures.ts";
import type { PagesPicture, Step, Story } from "../stage/story.ts";
import { cutIt } from "./cut.ts";
import { names } from "./names.ts";

const readWrite = Protection.read | Protection.write;
const text = (words: string) => new TextEncoder().encode(words);

/** The story of chapter 3. */
export const story: Story = {
  steps: () => {
    const page = pageSize();
    const { first, last } = notes(page);
    return [...first, ...names(page), ...cutIt(page), ...last];
  },
};

type State = PagesPicture["pages"][number]["state"];

/** The file that most of the chapter is about: the first steps, and the last. */
function notes(page: number): { first: Step[]; last: Step[] } {
  let [fd, address] = [-1, 0];
  let bytes = new Uint8Array();
  const states = new Array<State>(8).fill("hole");
  const status = () => stat(fd) as FileStatus;
  const table = () => {
    const { inode, size, allocated, links } = status();
    return tablePicture("file", "What the kernel knows about the file", [
      ["word", "value", "meaning"],
      ["inode", inode, "its number in the kernel"],
      ["size", size, "bytes: how long it is"],
      ["allocated", allocated, "bytes: how much memory it has"],
      ["links", links, "how many names it has"],
    ]);
  };
  const pages = () =>
    pagesPicture("pages", "The pages of the file", states.map((state, i) => [state, `page ${i}`]));
  const dump = (title = "Page 2") =>
    bytesPicture(bytes, { id: "bytes", title, address, from: 2 * page });

  const making: Step[] = [{
    title: "A file without a disk",
    text: `The memory of chapter 1 belongs to one process. To share pages we need something that
      other processes can hold too. In Linux that is a file, and it need not be on a disk.

      \`memfd\` makes one out of memory. "notes" is a label for people, not a name to open it
      by. The answer is an [[fd]], a file descriptor: the small number by which this process calls the
      open file.`,
    run: (scene) => {
      fd = scene.run("fd", () => memfd("notes"));
      scene.show(table());
    },
    after:
      `The kernel numbers files. That number is the [[inode]], and it stays, whatever a file is called.
      This one has no length, no memory, and no name: no directory links to it.`,
  }, {
    title: "A length is not yet memory",
    text: `\`truncate\` shortens a file, or extends it. We extend it to 8 pages, ${
      8 * page
    } bytes.`,
    ask: {
      kind: "number",
      text: "How much memory does the file have then?",
      unit: "bytes",
      answer: () => status().allocated,
      right: "None. Only the length was stored.",
      often: [
        {
          number: 8 * page,
          because: "The length is 8 pages. Memory is another matter: the file has none.",
        },
        { number: page, because: "Even one page would be too many: no byte was touched." },
      ],
      otherwise: "Only the length was stored. So the file has no memory at all.",
    },
    run: (scene) => {
      scene.look(() => {
        truncate(fd, 8 * page);
      });
      scene.show(table());
      scene.show(pages());
    },
    after: `A page within the length that has no memory is called a [[hole]].`,
  }, {
    title: "Map it",
    text: `The same [[mmap]] as in chapter 1, with two differences. We pass the fd, and the kind is
      [[shared]]: our writes go into the file, where every process that maps it sees them.`,
    run: (scene) => {
      address = scene.run("address", () =>
        map({
          length: 8 * page,
          protection: readWrite,
          flags: MapFlag.shared,
          fd,
        }));
      bytes = new Uint8Array(bufferAt(address, 8 * page));
      const [range, permissions, offset, device, inode, ...label] = mapsLine(address)!.split(" ");
      scene.show(
        tablePicture(
          "line",
          "Its line in /proc/self/maps",
          [
            ["word", "meaning"],
            [range!, "the addresses"],
            [permissions!, "read, write, shared"],
            [offset!, "where in the file it begins"],
            [`${device} ${inode}`, "the device, and the inode of the file"],
            [label.join(" ").trim(), "our label; the file has no name"],
          ],
          true,
        ),
      );
    },
    after: `"(deleted)" only means that no directory has the file. Nobody has deleted anything.`,
  }];

  const touching: Step[] = [{
    title: "Write into a hole",
    text: `We write 14 bytes into page 2.`,
    ask: {
      kind: "number",
      text: "How much memory does the file have then?",
      unit: "bytes",
      answer: () => status().allocated,
      right: "One page, as in chapter 1: the kernel has no smaller piece.",
      often: [
        { number: 14, because: "Memory comes in pages, also for 14 bytes." },
        { number: 3 * page, because: "Pages 0 and 1 stay holes. Only page 2 was written." },
        { number: 8 * page, because: "The other seven pages are still holes." },
      ],
      otherwise: "One page was written, so the file got the memory of one page.",
    },
    run: (scene) => {
      scene.look(() => {
        bytes.set(text("the first note"), 2 * page);
      });
      states[2] = "memory";
      scene.show(pages());
      scene.show(dump());
    },
  }, {
    title: "Read from a hole",
    text:
      `Page 7 is still a hole. In chapter 1, it cost nothing to read a page that nobody had written:
      all readers saw one common page of zeros. Now we read a byte of page 7.`,
    ask: {
      kind: "choice",
      picture: "pages",
      text: "What does this read cost?",
      options: [
        {
          text: "A page of memory",
          right: true,
          because: "In a shared file, the next writer must write into the very page that this " +
            "reader sees. So the kernel fills the hole.",
        },
        {
          text: "Nothing, as in chapter 1",
          because:
            "A common page of zeros would do for this reader. But the next writer must write " +
            "into the page that the reader sees, so the page must be real.",
        },
        {
          text: "It fails: a hole has no bytes",
          because: "A hole can be read: it reads as zeros, and becomes a page.",
        },
      ],
    },
    run: (scene) => {
      scene.look(() => bytes[7 * page]);
      states[7] = "memory";
      scene.show(pages());
      scene.show(table());
    },
    after: `Even looking at shared memory can need memory. And if none is left?`,
  }, {
    title: "Reserve before use",
    text:
      `If memory runs out at a touch, the kernel can only end the program. \`allocate\` asks for all pages
      at once, before any program touches them.`,
    run: (scene) => {
      scene.look(() => allocate(fd, 0, 8 * page));
      states.fill("memory");
      scene.show(pages());
      scene.show(table());
    },
    after:
      `0 means done: no touch can fail any more. But only the machine limits this file. If you ask for
      more than it has, the kernel kills programs until memory is free.`,
  }, {
    title: "Close the file, keep the memory",
    text: `We close the fd. The array \`bytes\` is still there.`,
    ask: {
      kind: "choice",
      text: "What happens to the bytes?",
      options: [
        {
          text: "Nothing happens to them",
          right: true,
          because:
            "The file lives as long as an fd, a mapping or a name holds it. We have a mapping.",
        },
        {
          text: "They become zeros",
          because:
            "The mapping holds the file, with all of its bytes. The fd was only one of the " +
            "holders.",
        },
        {
          text: "The next read ends the program",
          because: "Only an unmapped page would end the program, and the mapping outlives the fd.",
        },
      ],
    },
    run: (scene) => {
      scene.look(() => {
        close(fd);
      });
      scene.look(() => stat(fd));
      scene.show(dump());
    },
    after: `Calls to the kernel return a number below 0 when they fail: the number of the error, its
      [[errno]]. 9 is called EBADF, "bad file descriptor", because the fd is invalid now.`,
  }];

  const last: Step[] = [{
    title: "The last one out",
    text: `Back to our notes: the fd is closed, and the file has no name. The mapping is its last
      holder.`,
    run: (scene) => {
      scene.look(() => {
        bytes.buffer.transfer(0);
        unmap(address, 8 * page);
      });
      scene.look(() => mapsLine(address));
    },
    after:
      `Without a holder, the kernel frees the file and its pages. A file without a name needs no
      cleanup, even after a crash.

      That is a memory file. Chapter 4 maps one of them twice. Before that, make one yourself.`,
  }];
  return { first: [...making, ...touching], last };
}
