/**
 * Chapter 4 for the stage: two addresses, one page.
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
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mapsLine, residentBytes } from "../kernel_view.ts";
import { hex } from "../picture.ts";
import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { BytesPicture, Step, Story } from "../stage/story.ts";
import { oneLetter } from "./one_letter.ts";

const readWrite = Protection.read | Protection.write;
const text = (words: string) => new TextEncoder().encode(words);

/** The story of chapter 4. */
export const story: Story = {
  steps: () => {
    const page = pageSize();
    return [...twoViews(page), ...oneLetter(page), {
      title: "Two addresses, one page",
      text: `Two [[mapping|mappings]], one page. Put them into two processes, and you have shared
        memory. Nothing is sent, because both have the same page.

        In the exercise, you get two addresses and the kernel's list, and find out whether they mean
        the same byte. In chapter 5 the two addresses become neighbours.`,
    }];
  },
};

/** One page of a memory file through two mappings. */
function twoViews(page: number): Step[] {
  let [fd, first, second] = [-1, 0, 0];
  let viaFirst = new Uint8Array();
  let viaSecond = new Uint8Array();

  const both = (from = 0): BytesPicture[] =>
    ([["first", viaFirst, first], ["second", viaSecond, second]] as const)
      .map(([id, bytes, address]) =>
        bytesPicture(bytes, { id, title: `Through ${id}`, address, from, memory: "page" })
      );
  const mapping: Step[] = [{
    title: "Map one page twice",
    text: `A memory file of one page, as in chapter 3, and reserved at once. We map the same page of
      the same file twice.`,
    ask: {
      kind: "choice",
      text: "Do we get one address, or two?",
      options: [
        {
          text: "Two addresses",
          right: true,
          because:
            "The kernel maps a page as often as you like. Each time it finds free addresses.",
        },
        {
          text: "One address, twice",
          because:
            "The second call knows nothing of the first. It finds free addresses of its own.",
        },
        {
          text: "The second call fails",
          because: "A page may be mapped as often as you like, by as many processes as you like.",
        },
      ],
    },
    run: (scene) => {
      fd = memfd("page");
      allocate(fd, 0, page);
      first = scene.run("first", () =>
        map({
          length: page,
          protection: readWrite,
          flags: MapFlag.shared,
          fd,
        }));
      second = scene.run("second", () =>
        map({
          length: page,
          protection: readWrite,
          flags: MapFlag.shared,
          fd,
        }));
      viaFirst = new Uint8Array(bufferAt(first, page));
      viaSecond = new Uint8Array(bufferAt(second, page));
      for (const picture of both()) scene.show(picture);
    },
    after: `{{Point at a byte in one picture: it lights up in the other, too|A byte at some place in
      one picture is the byte at the same place in the other}}.`,
  }, {
    title: "Two lines in the list, one file",
    text: `What does the kernel's list say about them?`,
    run: (scene) => {
      const [one, other] = [first, second].map((address) => mapsLine(address)!.split(" "));
      const names = ["addresses", "permissions", "offset in the file", "device", "inode"];
      scene.show(tablePicture("lines", "Both lines in /proc/self/maps", [
        ["", "first", "second"],
        ...names.map((name, i) => [name, one![i]!, other![i]!]),
      ]));
    },
    after:
      `Only the addresses differ. Device, [[inode]] and offset identify the page. An address only
      leads to it.`,
  }];

  const writing: Step[] = [{
    title: "Write here, read there",
    text: () =>
      `We write one byte through the first mapping, at ${hex(first + 5)}. 0x41 is the letter A:

      \`viaFirst[5] = 0x41\``,
    ask: {
      kind: "byte",
      text:
        "Which byte changes in the second picture? Choose it {{there|by its number there, from 0}}.",
      picture: "second",
      answer: () => 5,
      right: "The same offset in the same page. Both addresses mean this one byte.",
      otherwise: (byte) =>
        `That byte is at offset ${byte}. Both mappings begin at the beginning of the page, so the ` +
        "offset is 5 in both.",
    },
    run: (scene) => {
      for (const picture of both()) scene.show(picture);
      scene.look(() => {
        viaFirst[5] = 0x41;
      });
      for (const picture of both()) scene.show(picture);
    },
    after:
      `Nothing was copied, and no message was sent. So nothing is delayed, and no second version
      exists.`,
  }, {
    title: "And back",
    text: `It works in both directions.`,
    run: (scene) => {
      scene.look(() => {
        viaFirst.set(text("written here"));
        viaSecond.set(text("changed there"), 8);
      });
      for (const picture of both()) scene.show(picture);
    },
  }, {
    title: "What does the second address cost?",
    text: `Each mapping has ${page} bytes of addresses.`,
    ask: {
      kind: "number",
      text: "How much memory do both take together?",
      unit: "bytes",
      answer: () => (stat(fd) as FileStatus).allocated,
      right: "One page. Addresses cost no memory.",
      often: [
        {
          number: 2 * page,
          because: "The sum of both counts the one page twice.",
        },
        { number: 0, because: "The page was reserved, and has been written. It is there, once." },
      ],
      otherwise: "There is one page of memory, whatever leads to it.",
    },
    run: (scene) => {
      scene.show(tablePicture("cost", "What the kernel counts", [
        ["", "bytes"],
        ["memory behind the first mapping", residentBytes(first)],
        ["memory behind the second mapping", residentBytes(second)],
        ["memory of the file", (stat(fd) as FileStatus).allocated],
      ]));
    },
    after:
      `Tools that show the memory of each process have the same trouble. A ring that ten processes
      have mapped appears ten times, and exists once.`,
  }];

  const storing: Step[] = [{
    title: "Store where a message begins",
    text:
      `A message begins at offset 64, and at offset 32 we store where it is. It seems natural to store
      its address.

      \`setBigUint64\` stores a number of 8 bytes. With \`true\`, it puts the lowest byte first.`,
    run: (scene) => {
      scene.look(() => {
        viaFirst.set(text("a message"), 64);
        new DataView(viaFirst.buffer).setBigUint64(32, BigInt(first + 64), true);
      });
      scene.show(bytesPicture(viaSecond, {
        id: "second",
        title: "Through second",
        address: second,
        from: 32,
        length: 48,
        memory: "page",
      }));
    },
    after: () =>
      `Read the first 8 bytes of the first row from right to left: that is ${hex(first + 64)}. The
      lowest byte comes first, at the lowest address. Such an order is called [[little-endian]], and
      the processors that this library runs on use it for every number.`,
  }, {
    title: "Never store an address in shared memory",
    text: `A reader of the second mapping finds that number.`,
    ask: {
      kind: "choice",
      text: "Where does the address lead in another process?",
      options: [
        {
          text: "Nowhere, or to other memory",
          right: true,
          because:
            "Each process has addresses of its own. Even here it leads to the first mapping " +
            "only because both are in one process.",
        },
        {
          text: "To the message",
          because: "The address leads to the message only in the process that stored it. Another " +
            "process maps the page elsewhere.",
        },
        {
          text: "To the page, but not to the message",
          because: "The page is mapped elsewhere in another process. The address is not in it.",
        },
      ],
    },
    run: (scene) => {
      scene.run("found", () => Number(new DataView(viaSecond.buffer).getBigUint64(32, true)));
      scene.look(() => second + 64);
    },
    after: `The offset, 64, is right in every process. Add it to your own address.`,
  }, {
    title: "Take one away",
    text: `We unmap the first mapping.`,
    ask: {
      kind: "choice",
      text: "Is the message gone?",
      options: [
        {
          text: "No",
          right: true,
          because: "Each mapping holds the file, as each process would.",
        },
        {
          text: "Yes: it was written through the first mapping",
          because: "The message was written into the page, and the page does not know which way " +
            "it came.",
        },
        {
          text: "Yes: the file has lost its last holder",
          because: "The file has two holders left: the second mapping and the fd.",
        },
      ],
    },
    run: (scene) => {
      scene.look(() => {
        viaFirst.buffer.transfer(0);
        unmap(first, page);
      });
      scene.look(() => viaFirst.length);
      scene.show(bytesPicture(viaSecond, {
        id: "second",
        title: "Through second",
        address: second,
        from: 64,
        length: 16,
        memory: "page",
      }));
      viaSecond.buffer.transfer(0);
      unmap(second, page);
      close(fd);
    },
  }];
  return [...mapping, ...writing, ...storing];
}
