/**
 * Chapter 1 for the stage: a page and its address.
 *
 * @module
 */

import { bufferAt, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mapsLine } from "../kernel_view.ts";
import { hex } from "../picture.ts";
import { bytesPicture, spacePicture, tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import { touches } from "./first_touch.ts";
import { pastTheEnd } from "./past_the_end.ts";

const readWrite = Protection.read | Protection.write;
const anonymous = MapFlag.private | MapFlag.anonymous;
const text = (words: string) => new TextEncoder().encode(words);

/** The story of chapter 1. */
export const story: Story = {
  steps: () => {
    const page = pageSize();
    const { first, last } = onePage(page);
    return [...first, ...touches(page), ...pastTheEnd(page), ...last];
  },
};

/** The page that most of the chapter is about: the first steps, and the last. */
function onePage(page: number): { first: Step[]; last: Step[] } {
  let address = 0;
  let bytes = new Uint8Array();
  const row: Step = {
    title: "One long row of bytes",
    text: `To a program, memory is one long row of bytes. Each byte has a number, its [[address]].
        On this machine the addresses of a program go from 0 to 2^47, which is about 140 million
        million.

        The picture shows the row of the process of this chapter. The
        [[kernel]], the part of the system that hands out memory, keeps a list of it.`,
    run: (scene) => scene.show(spacePicture("The memory of this process")),
    after: `The filled pieces are in use. Everywhere else, an address is only a number.`,
  };
  const asking: Step[] = [{
    title: "Memory comes in pages",
    text:
      `The kernel puts real memory behind the addresses, in [[page|pages]] that all have one size.
        A program must ask for the size.`,
    run: (scene) => {
      scene.run("page", () => pageSize());
    },
    after: `On most PCs a page has 4096 bytes. On some ARM machines it has 16384 or 65536.`,
  }, {
    title: "Two names for what we want",
    text:
      `The kernel wants to know what we may do with the memory, and of which kind it is. We say both in numbers: each bit is a wish, and \`|\` combines them.

        [[anonymous|Anonymous]] means that no file is behind the memory. [[private|Private]] means that
        it is for this process only.`,
    run: (scene) => {
      scene.run("readWrite", () => Protection.read | Protection.write);
      scene.run("anonymous", () => MapFlag.private | MapFlag.anonymous);
    },
    after: `\`readWrite\` and \`anonymous\` are our own names for these numbers.`,
  }, {
    title: "Ask for one page",
    text: `The call is named [[mmap]], for "memory map". We pass how many bytes we want, and the two
        numbers.`,
    run: (scene) => {
      address = scene.run("address", () =>
        map({
          length: page,
          protection: readWrite,
          flags: anonymous,
        }));
      const mark = { address, length: page, label: "our page" };
      scene.show(spacePicture("The memory of this process", [mark]));
    },
    after: `The answer is the address of the first byte. A program gets no more than this number.`,
  }];
  const digits = Math.log2(page) / 4;
  const split: Step = {
    title: "An address is a page and an offset",
    text: `Divide an address by the page size. The quotient is the number of the page. The remainder
        is the [[offset]]: how far into that page the byte is.

        Addresses are written in [[hexadecimal]]: with sixteen digits, 0 to 9 and a to f, and 0x in
        front. ${page} is 0x${page.toString(16)}.`,
    ask: {
      kind: "choice",
      text: "What do the addresses of all first bytes of pages have in common?",
      options: [
        {
          text: "They end in zeros",
          right: true,
          because: "The page size divides them, so their offset is 0, and the offset is the " +
            "end of the address.",
        },
        {
          text: "They begin with the same digits",
          because: "The first digits are the number of the page, and each page has its own.",
        },
        {
          text: "Nothing: the kernel chooses them freely",
          because: "The kernel chooses the page freely. But a page begins only where the page " +
            "size divides the address.",
        },
      ],
    },
    run: (scene) => {
      scene.show({
        kind: "address",
        id: "address",
        title: "Four addresses",
        digits: Math.floor(digits),
        rows: [
          { label: "byte 0", address },
          { label: "byte 300", address: address + 300 },
          { label: "the last byte", address: address + page - 1 },
          { label: "one further", address: address + page },
        ],
      });
    },
    after: Number.isInteger(digits)
      ? `The last ${digits} digits are the offset, and the digits
          before them are the page. Byte 300 has the offset 12c, which is 300 in hexadecimal.`
      : `One byte further than the last one, the next page begins.`,
  };
  const list: Step = {
    title: "The kernel keeps a list",
    text: `The file \`/proc/self/maps\` lists the ranges of addresses that are in use, a line for
        each [[mapping]]. \`mapsLine\` finds the line that holds an address.`,
    run: (scene) => {
      const line = scene.look(() => mapsLine(address))!;
      const [range, permissions, offset] = line.split(" ");
      const [start, end] = range!.split("-");
      scene.show(tablePicture("line", "The line, word by word", [
        ["word", "meaning"],
        [start!, "the range begins here"],
        [end!, "and ends before this address"],
        [permissions!, "read, write, not execute, private"],
        [offset!, "the place in the file: none"],
        ["00:00 0", "no disk, no file"],
      ], true));
    },
    after: () => {
      const [start, end] = mapsLine(address)!.split(" ")[0]!.split("-");
      const pages = (parseInt(end!, 16) - parseInt(start!, 16)) / page;
      return pages === 1 ? "It is a single page, ours." : `The range has ${pages} pages, and we
          asked for 1. The kernel lists neighbours of the same kind as one range.`;
    },
  };
  const draw = () =>
    bytesPicture(bytes, { id: "bytes", title: "The first bytes of our page", address });
  const using: Step[] = [{
    title: "Look at the bytes",
    text: `JavaScript cannot read at an address. So \`bufferAt\` puts an [[ArrayBuffer]] over the
        memory. Nothing is copied: the bytes of the array are the bytes of the page.`,
    ask: {
      kind: "choice",
      text: "Which bytes are in a new page, before the first write?",
      options: [
        {
          text: "Zeros",
          right: true,
          because: "Always. The kernel clears a page before it gives it to a program.",
        },
        {
          text: "What another program left there",
          because: "Old bytes could be the passwords of another program. So the kernel clears " +
            "every page first.",
        },
        {
          text: "Random bytes",
          because: "Random bytes would have to be made first. The kernel clears every page to " +
            "zeros.",
        },
      ],
    },
    run: (scene) => {
      bytes = scene.run("bytes", () => new Uint8Array(bufferAt(address, page)));
      scene.show(draw());
    },
    after: `Each row has the address of its first byte, then 16 bytes in hexadecimal, then the
        same bytes as text, with a dot for each byte that is not text.`,
  }, {
    title: "Put bytes in",
    text: `\`text\` turns words into bytes, one for each letter. The bytes that change are
        marked.`,
    run: (scene) => {
      scene.look(() => {
        bytes.set(text("hello, page"));
      });
      scene.show(draw());
    },
  }, {
    title: "Point at an address",
    text: () => `The page begins at ${hex(address)}. We want the byte at ${hex(address + 7)}.`,
    ask: {
      kind: "byte",
      text: "Which byte is it? Choose it {{in the picture|by its number, from 0}}.",
      picture: "bytes",
      answer: () => 7,
      right: "The first byte is at offset 0, and so the byte at offset 7 is the eighth.",
      otherwise: (byte) =>
        byte === 6
          ? "You chose offset 6. Count from 0: the first byte is at offset 0."
          : `You chose offset ${byte}, which is at ${hex(address + byte)}.`,
    },
    run: (scene) => {
      scene.look(() => String.fromCharCode(bytes[7]!));
    },
  }];
  const last: Step[] = [{
    title: "Give it back",
    text: `An array over memory that is gone would be a trap. So we [[detach]] the array first, and
        only then unmap the memory.`,
    ask: {
      kind: "choice",
      text: "What is `bytes.length` afterwards?",
      options: [
        {
          text: "0",
          right: true,
          because: "A detached array is empty. Whatever still holds it cannot reach the memory.",
        },
        {
          text: `${page}, as before`,
          because: "A length of 4096 would be the trap: bytes that nobody may touch. Detaching " +
            "empties the array.",
        },
        {
          text: "It throws an error",
          because: "An empty array is still an array, and its length may be asked for.",
        },
      ],
    },
    run: (scene) => {
      scene.look(() => {
        bytes.buffer.transfer(0);
        unmap(address, page);
      });
      scene.look(() => bytes.length);
      scene.look(() => bytes[0]);
      scene.look(() => mapsLine(address));
    },
    after: `The array is empty, and the line is gone from the list.`,
  }, {
    title: "That is a page",
    text: `A [[page]] is the unit in which the kernel hands out memory. It has an address, it gets
        its memory when it is first touched, and nothing marks its end.

        Chapter 2 builds the machine that finds the page behind an address.`,
  }];
  return { first: [row, ...asking, split, list, ...using], last };
}
