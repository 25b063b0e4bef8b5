/**
 * Chapter 4: a mapping that is private, and one that is for reading only.
 *
 * @module
 */

import { allocate, bufferAt, map, MapFlag, memfd, Protection } from "../../src/os/files.ts";
import { mapsLine } from "../kernel_view.ts";
import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { BytesPicture, Step } from "../stage/story.ts";

const readWrite = Protection.read | Protection.write;
const text = (words: string) => new TextEncoder().encode(words);

/** The steps with the wrong letter; the last one crashes. */
export function oneLetter(page: number): Step[] {
  let fd = -1;
  let [first, second] = [0, 0];
  let viaFirst = new Uint8Array();
  let viaSecond = new Uint8Array();
  let readOnly = new Uint8Array();
  const both = (): BytesPicture[] =>
    ([["first", viaFirst, first], ["second", viaSecond, second]] as const)
      .map(([id, bytes, address]) =>
        bytesPicture(bytes, { id, title: `Through ${id}`, address, length: 16 })
      );
  const steps: Step[] = [{
    title: "One letter",
    text: `Again one page, mapped twice. The first mapping is [[shared]], and the second is
      [[private]].`,
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
          flags: MapFlag.private,
          fd,
        }));
      viaFirst = new Uint8Array(bufferAt(first, page));
      viaSecond = new Uint8Array(bufferAt(second, page));
      const permissions = (address: number) => mapsLine(address)!.split(" ")[1]!;
      scene.show(tablePicture("letters", "Their permissions in /proc/self/maps", [
        ["mapping", "permissions"],
        ["first", permissions(first)],
        ["second", permissions(second)],
      ]));
    },
    after: `The same file, the same offset. An s in one line, a p in the other.`,
  }, {
    title: "It works",
    text: `We write through the first.`,
    run: (scene) => {
      for (const picture of both()) scene.show(picture);
      scene.look(() => {
        viaFirst.set(text("hello"));
      });
      for (const picture of both()) scene.show(picture);
    },
    after: `We write here and read there. A test would pass, and the program would be shipped.`,
  }];
  return [...steps, ...answering(() => ({ viaFirst, viaSecond }), both), {
    title: "A mapping for reading only",
    text:
      `The page once more, and this time the second mapping may only read: \`r--s\`. Such a mapping
      can observe a ring without any risk to it.`,
    run: (scene) => {
      const reading = scene.run("reading", () =>
        map({
          length: page,
          protection: Protection.read,
          flags: MapFlag.shared,
          fd,
        }));
      readOnly = new Uint8Array(bufferAt(reading, page));
      scene.show(bytesPicture(readOnly, {
        id: "reading",
        title: "Through reading",
        address: reading,
        length: 16,
      }));
    },
  }, {
    title: "Write through it",
    text:
      `The page is writable, but not through this mapping. JavaScript has no read-only typed arrays, so
      it lets us try. \`readOnly\` is an array over the mapping.`,
    ask: {
      kind: "choice",
      text: "What happens?",
      options: [
        {
          text: "The kernel ends the process",
          right: true,
          because: "Permissions belong to the mapping, not to the page: [[SIGSEGV]].",
        },
        {
          text: "The byte is written: the page is writable",
          because: "The page is writable through the first mapping only. Permissions belong to " +
            "each mapping.",
        },
        {
          text: "Nothing: the write is ignored",
          because:
            "The processor cannot ignore a store. It reports it, and the kernel ends the process.",
        },
      ],
    },
    crash: "SIGSEGV",
    run: (scene) => {
      scene.look(() => {
        readOnly[0] = 1;
      });
    },
    after:
      `Only this process has ended. A process that writes through the other mapping would continue.`,
  }];
}

/** The second side writes, and then the first again. */
function answering(
  views: () => { viaFirst: Uint8Array; viaSecond: Uint8Array },
  both: () => BytesPicture[],
): Step[] {
  return [{
    title: "Until the other side answers",
    text: `Now the second one writes, 8 bytes further on.`,
    ask: {
      kind: "choice",
      picture: "first",
      text: "What does each side see?",
      options: [
        {
          text: "The second sees both words, the first only its own",
          right: true,
          because: "At its first write, the private mapping gets a copy of the page: " +
            "[[copy on write]]. The answer is in the copy.",
        },
        {
          text: "Both see both words",
          because: "Both sides would see both words if both mappings were shared. A private one " +
            "writes into a copy of its own.",
        },
        {
          text: "The write fails: the mapping is private",
          because: "A private mapping may be written, as `rw-p` says. But no one else sees what " +
            "it writes.",
        },
      ],
    },
    run: (scene) => {
      const { viaSecond } = views();
      scene.look(() => {
        viaSecond.set(text("thanks"), 8);
      });
      for (const picture of both()) scene.show(picture);
    },
  }, {
    title: "And the first again",
    text: `Now the first one writes HELLO over its hello.`,
    ask: {
      kind: "choice",
      picture: "first",
      text: "Does that arrive?",
      options: [
        {
          text: "No",
          right: true,
          because: "The second side has a copy of the page now, and sees only its copy.",
        },
        {
          text: "Yes, as the first hello did",
          because: "The first hello came before the copy was made. From then on the two are apart.",
        },
        {
          text: "Only the letters that differ",
          because: "The whole page was copied, once, at the first write of the second side.",
        },
      ],
    },
    run: (scene) => {
      const { viaFirst } = views();
      scene.look(() => {
        viaFirst.set(text("HELLO"));
      });
      for (const picture of both()) scene.show(picture);
    },
    after:
      `Neither side is notified. If a peer seems deaf, look at its line in \`/proc/PID/maps\`: is it
      s or p?`,
  }];
}
