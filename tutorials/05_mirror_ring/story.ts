/**
 * Chapter 5 for the stage: the mirror ring.
 *
 * @module
 */

import {
  allocate,
  bufferAt,
  close,
  map,
  MapFlag,
  memfd,
  Protection,
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mapsLine } from "../kernel_view.ts";
import { bytesPicture, pagesPicture, tablePicture } from "../stage/pictures.ts";
import type { BytesPicture, Step, Story } from "../stage/story.ts";
import { useTheLibrary } from "./library_ring.ts";
import { onePageOff } from "./one_page_off.ts";

const readWrite = Protection.read | Protection.write;
const message = new TextEncoder().encode("a message across the seam");
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The story of chapter 5. */
export const story: Story = {
  steps: () => {
    const capacity = pageSize();
    return [
      ...aPlainRing(capacity),
      ...byHand(capacity),
      ...useTheLibrary(),
      ...onePageOff(capacity),
      {
        title: "One memory, two addresses, no seam",
        text:
          `That is the mirror ring. Every ring of this library is built on it. You know every call
          in \`src/mirror_ring/mirror_ring.ts\` now: read it.

          In the exercise, a header comes before the ring. With it begins your own ring, one file that
          grows through the course: \`tutorials/mine/ring.ts\`. The exercise of chapter 24 judges it,
          and is always open.

          Chapter 6 asks what such a mirror is worth.`,
      },
    ];
  },
};

function aPlainRing(capacity: number): Step[] {
  const ring = new Uint8Array(capacity);
  const at = capacity - 10;
  const ends = (): BytesPicture[] => [
    bytesPicture(ring, {
      id: "end",
      title: "The end of the ring",
      address: 0,
      from: at,
      length: 1,
    }),
    bytesPicture(ring, { id: "begin", title: "Its beginning", address: 0, length: 16 }),
  ];
  return [{
    title: "A ring has an end",
    text: `A ring is a piece of memory in which one side writes and the other reads behind it. When
      they reach the end, both continue at the beginning.

      Here is a plain ring of ${capacity} bytes. The next byte goes to the offset \`at\`, 10 bytes before
      the end, and \`message\` has ${message.length} bytes.`,
    ask: {
      kind: "choice",
      text: "Can one copy write the message?",
      options: [
        {
          text: "No, it takes two",
          right: true,
          because: "10 bytes go before the end, and the other 15 to the beginning.",
        },
        {
          text: "Yes, one is enough",
          because: "Only 10 bytes fit before the end. The rest must go to the beginning.",
        },
        {
          text: "No, the message does not fit at all",
          because: "The ring is empty. There is room, but not in one piece.",
        },
      ],
    },
    run: (scene) => {
      for (const picture of ends()) scene.show(picture);
      scene.look(() => {
        const untilEnd = capacity - at;
        ring.set(message.subarray(0, untilEnd), at);
        ring.set(message.subarray(untilEnd), 0);
      });
      for (const picture of ends()) scene.show(picture);
    },
  }, {
    title: "And the reader?",
    text:
      `The reader wants the message where it is, in one piece. \`textOf\` turns bytes into text.`,
    run: (scene) => {
      scene.look(() => textOf(ring.subarray(at, at + message.length)));
      for (const picture of ends()) scene.show(picture);
    },
    after: `It gets a part. To see all of it, the reader has to put two pieces together elsewhere: a
      needless copy, and a special case wherever code touches a message.`,
  }];
}

function byHand(capacity: number): Step[] {
  let [fd, base, first, second] = [-1, 0, 0, 0];
  let bytes = new Uint8Array();
  const at = capacity - 10;
  const window = (id: string, title: string, from: number, place: number): BytesPicture => ({
    ...bytesPicture(bytes, { id, title, address: base, from, length: 1 }),
    memory: "ring",
    place,
  });
  const begins = () => [
    window("first", "First window, its beginning", 0, 0),
    window("second", "Second window, its beginning", capacity, 0),
  ];
  const seam = () => [
    window("before", "First window, its end", at, capacity - 16),
    window("second", "Second window, which follows", capacity, 0),
    window("first", "First window, its beginning", 0, 0),
  ];
  const mapping: Step[] = [{
    title: "Reserve room for two",
    text:
      `Chapter 4 put one page at two addresses, wherever the kernel found room. What if the second
      address were exactly where the first mapping ends?

      For that we need room for both. The first call sets the addresses aside, without access, like the
      walls of chapter 1. \`noReserve\` means that no memory is set aside with them.`,
    run: (scene) => {
      fd = scene.run("fd", () => memfd("ring"));
      allocate(fd, 0, capacity);
      base = scene.run("base", () =>
        map({
          length: 2 * capacity,
          protection: Protection.none,
          flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
        }));
      scene.show(
        pagesPicture("pages", "From base on, both halves", [["closed", "first"], [
          "closed",
          "second",
        ]]),
      );
    },
  }, {
    title: "Map the file twice into it",
    text:
      `The second call maps the file into the first half. "Fixed" means: there, and nowhere else.
      The third call maps the same file into the second half.`,
    run: (scene) => {
      first = scene.run("first", () =>
        map({
          address: base,
          length: capacity,
          protection: readWrite,
          flags: MapFlag.shared | MapFlag.fixed,
          fd,
        }));
      second = scene.run("second", () =>
        map({
          address: base + capacity,
          length: capacity,
          protection: readWrite,
          flags: MapFlag.shared | MapFlag.fixed,
          fd,
        }));
      close(fd);
      bytes = new Uint8Array(bufferAt(base, 2 * capacity));
      for (const picture of begins()) scene.show(picture);
    },
  }, {
    title: "Neighbours in the list",
    text: `What does the kernel's list say about the two?`,
    run: (scene) => {
      const [one, other] = [first, second].map((address) => mapsLine(address)!.split(" "));
      scene.look(() => second - first === capacity);
      scene.show(tablePicture("lines", "Both lines in /proc/self/maps", [
        ["", "first", "second"],
        ["addresses", one![0]!, other![0]!],
        ["offset in the file", one![2]!, other![2]!],
        ["inode", one![4]!, other![4]!],
      ]));
    },
    after:
      `The first range ends where the second begins, and both show the same file at offset 0. So
      the last byte of the ring is followed by its first.`,
  }];
  return [...mapping, {
    title: "The same byte, one capacity apart",
    text: `Two windows show one memory. We write a byte through the first: \`bytes[5] = 0x41\`.`,
    ask: {
      kind: "byte",
      text:
        "Which byte of the second window changes? Choose it {{there|by its number there, from 0}}.",
      picture: "second",
      answer: () => 5,
      right: "Byte `i` and byte `capacity + i` are one byte, through whichever window we write it.",
      otherwise: (byte) =>
        `You chose byte ${byte} of the ring. Both windows begin at its beginning, so the byte that we ` +
        "write is byte 5 in both.",
    },
    run: (scene) => {
      for (const picture of begins()) scene.show(picture);
      scene.look(() => {
        bytes[5] = 0x41;
      });
      for (const picture of begins()) scene.show(picture);
    },
  }, {
    title: "A message across the seam",
    text:
      `We write the message where we wrote it in the plain ring, 10 bytes before the end. Now one
      copy is enough. It simply continues into the second window.`,
    ask: {
      kind: "choice",
      text: "Where in the ring are the 15 bytes behind the [[seam]] afterwards?",
      options: [
        {
          text: "At its beginning",
          right: true,
          because:
            "The second window is the same memory. So they are where the plain ring had to " +
            "copy them.",
        },
        {
          text: "Only in the second window",
          because:
            "The second window has no memory of its own. It shows the ring from its beginning.",
        },
        {
          text: "They are lost",
          because: "Every address of the second window leads to a byte of the ring.",
        },
      ],
    },
    run: (scene) => {
      bytes.fill(0, 0, capacity);
      for (const picture of seam()) scene.show(picture);
      scene.look(() => {
        bytes.set(message, at);
      });
      for (const picture of seam()) scene.show(picture);
    },
  }, {
    title: "In one piece",
    text: `And the reader?`,
    run: (scene) => {
      scene.look(() => textOf(bytes.subarray(at, at + message.length)));
      for (const picture of seam()) scene.show(picture);
      bytes.buffer.transfer(0);
      unmap(base, 2 * capacity);
    },
    after:
      `It reads the whole message in place. No second copy, no special case. The seam is gone.`,
  }];
}
