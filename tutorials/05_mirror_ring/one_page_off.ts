/**
 * Chapter 5: a mirror whose second window begins one page too far, and a view of a ring that is gone.
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
import { bytesPicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";

const readWrite = Protection.read | Protection.write;
const message = new TextEncoder().encode("a message across the seam");
const text = (words: string) => new TextEncoder().encode(words);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The steps with the mistakes; the last one crashes. */
export function onePageOff(page: number): Step[] {
  const capacity = 2 * page;
  const at = capacity - 10;
  let base = 0;
  let bytes = new Uint8Array();
  const unread = () =>
    bytesPicture(bytes, {
      id: "unread",
      title: "One page into the ring",
      address: base,
      from: page,
    });
  return [
    {
      title: "One page off",
      text: `A ring of two pages. Its third call has a mistake: the offset in the file is ${page}
        instead of 0. A message that is still unread begins one page into the ring.`,
      run: (scene) => {
        const fd = memfd("ring");
        allocate(fd, 0, capacity);
        const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
        base = map({ length: 2 * capacity, protection: Protection.none, flags });
        const fixed = MapFlag.shared | MapFlag.fixed;
        map({ address: base, length: capacity, protection: readWrite, flags: fixed, fd });
        scene.run("second", () =>
          map({
            address: base + capacity,
            length: page,
            protection: readWrite,
            flags: MapFlag.shared | MapFlag.fixed,
            fd,
            offset: page,
          }));
        close(fd);
        bytes = new Uint8Array(bufferAt(base, capacity + page));
        scene.look(() => {
          bytes.set(text("precious, unread"), page);
        });
        scene.show(unread());
      },
    },
    {
      title: "It looks right",
      text: `We write our message across the seam, and read it back where we wrote it.`,
      ask: {
        kind: "choice",
        text: "Do we read what we wrote?",
        options: [
          {
            text: "Yes",
            right: true,
            because:
              "We read at the addresses at which we wrote. A test that looks no further would " +
              "pass.",
          },
          {
            text: "Only the first 10 bytes",
            because:
              "We read the other 15 bytes too, at the very addresses at which we wrote them.",
          },
          { text: "No, zeros", because: "Every address was valid, and has kept what we wrote." },
        ],
      },
      run: (scene) => {
        scene.show(unread());
        scene.look(() => {
          bytes.set(message, at);
        });
        scene.look(() => textOf(bytes.subarray(at, at + message.length)));
      },
    },
    {
      title: "It is not",
      text: `The reader takes the first 10 bytes, and continues at the beginning of the ring.`,
      ask: {
        kind: "choice",
        text: "Where are the other 15 bytes of our message?",
        options: [
          {
            text: "Over the unread message",
            right: true,
            because: "The second window leads one page further, and there the unread message was.",
          },
          {
            text: "At the beginning of the ring",
            because: "The second window would have to begin there. It begins one page further.",
          },
          {
            text: "In memory of the second window alone",
            because: "The second window has no memory of its own. It shows the file, one page off.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => textOf(bytes.subarray(0, 15)));
        scene.show(unread());
      },
      after: `Nothing failed, because every address was valid. So test a mirror like this: write
        different bytes everywhere, and compare both windows completely.`,
    },
    {
      title: "Forget to detach",
      text: `Now we unmap the ring, but forget to [[detach]] the array. Its length is still
        ${capacity + page}. The next line reads a byte.`,
      ask: {
        kind: "choice",
        text: "Could JavaScript know that the memory is gone?",
        options: [
          {
            text: "No, and the kernel ends the process",
            right: true,
            because:
              "The array knows an address and a length. Nobody told it that the memory is gone.",
          },
          {
            text: "Yes, it returns undefined",
            because: "Only a detached array returns undefined, because its length is 0. This one " +
              "still has its length.",
          },
          {
            text: "No, but we read zeros",
            because: "No page is behind the address any more, not even one of zeros.",
          },
        ],
      },
      crash: "SIGSEGV",
      run: (scene) => {
        scene.look(() => {
          unmap(base, 2 * capacity);
        });
        scene.look(() => bytes.length);
        scene.look(() => bytes[0]);
      },
      after:
        `It could be worse. If other memory had been mapped there in the meantime, we would have
        read it, and written to it.`,
    },
  ];
}
