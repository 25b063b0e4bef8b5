/**
 * Two addresses, one page. Run it with `deno run --allow-ffi tutorials/03_two_addresses/step.ts`;
 * the prose is in README.md beside it.
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
import { hex, hexdump, table } from "../picture.ts";
import { look, picture, predict, run, say, step, tell } from "../narrator.ts";

const page = pageSize();
const readWrite = Protection.read | Protection.write;
const text = (words: string) => new TextEncoder().encode(words);

/** One page of a memory file, seen through two mappings. */
interface TwoViews {
  readonly fd: number;
  readonly first: number;
  readonly second: number;
  readonly viaFirst: Uint8Array<ArrayBuffer>;
  readonly viaSecond: Uint8Array<ArrayBuffer>;
}

function main(): void {
  const views = mapTwice();
  compareTheLines(views);
  writeHereReadThere(views);
  countTheMemory(views);
  storeAnAddress(views);
  unmapOne(views);
  say(`Two mappings, one page. Put them into two processes, and that is all that shared memory
    between processes is: nothing is sent, because there is only one page. In tutorial 4 the two
    addresses become neighbours. Before that, see what one letter can change:`);
}

function mapTwice(): TwoViews {
  step("Map one page twice");
  say("A memory file of one page, as in tutorial 2, and reserved at once:");
  const fd = run("fd", () => memfd("page"));
  look(() => allocate(fd, 0, page));
  predict("We map the same page of the same file two times. Same address, or two?");
  const request = { length: page, protection: readWrite, flags: MapFlag.shared, fd };
  const first = run("first", () => map(request));
  const second = run("second", () => map(request));
  say(`Two. The kernel may map a page as often as you like. Each time it has found free addresses,
    and has made them lead to the page.`);
  const viaFirst = new Uint8Array(bufferAt(first, page));
  const viaSecond = new Uint8Array(bufferAt(second, page));
  return { fd, first, second, viaFirst, viaSecond };
}

function compareTheLines({ fd, first, second }: TwoViews): void {
  step("Two lines in the list, one file");
  picture(`${mapsLine(first)}\n${mapsLine(second)}`);
  say(`The addresses differ. The rest is equal: \`rw-s\`, the same offset in the file, the same
    inode. Device, inode and offset say which page it is; the address only says which way
    leads to it.`);
  const { inode } = stat(fd) as FileStatus;
  picture(`
${hex(first)}  ──────┐     ┌────────────────────┐
                      ├────>│ the page at offset │
${hex(second)}  ──────┘     │ 0 of inode ${`${inode}`.padEnd(8)}│
                            └────────────────────┘`.trimStart());
}

function writeHereReadThere({ first, second, viaFirst, viaSecond }: TwoViews): void {
  step("Write here, read there");
  look(() => {
    viaFirst.set(text("written here"));
  });
  predict("And what does the second array hold?");
  picture(hexdump(viaFirst, { address: first }));
  picture(hexdump(viaSecond, { address: second }));
  look(() => {
    viaSecond.set(text("changed there"), 8);
  });
  picture(hexdump(viaFirst, { address: first, length: 32 }));
  picture(hexdump(viaSecond, { address: second, length: 32 }));
  say(
    `Nothing was copied, and no message was sent. There is one byte, and two addresses that mean it.
    So there is no delay, and no second version.`,
  );
}

function countTheMemory({ fd, first, second }: TwoViews): void {
  step("What does the second address cost?");
  predict(`Each mapping has ${page} bytes of addresses. How much memory do they take together?`);
  picture(table([
    ["memory behind the first mapping", `${residentBytes(first)} bytes`],
    ["memory behind the second mapping", `${residentBytes(second)} bytes`],
    ["memory of the file", `${(stat(fd) as FileStatus).allocated} bytes`],
  ]));
  say(
    `Adding up the mappings counts the page twice. The file knows better: one page. Tools that
    show the memory of each process have the same trouble. A ring that ten processes have mapped
    appears ten times, and exists once.`,
  );
}

function storeAnAddress({ first, second, viaFirst, viaSecond }: TwoViews): void {
  step("Never store an address in shared memory");
  say(`Suppose a message lies at offset 64, and at offset 32 we note where it is. Noting its address
    seems natural.`);
  const note = (bytes: Uint8Array) => new DataView(bytes.buffer);
  look(() => {
    viaFirst.set(text("a message"), 64);
    note(viaFirst).setBigUint64(32, BigInt(first + 64), true);
  });
  picture(hexdump(viaSecond, { address: second, from: 32, length: 48 }));
  const found = run("found", () => Number(note(viaSecond).getBigUint64(32, true)));
  say(`A reader of the second mapping finds ${hex(found)}. That is an address of the first mapping.
    Within this one process it happens to work. In another process that address would hold nothing,
    or something else. The offset, 64, is right for everybody: add it to your own address.`);
  look(() => second + 64);
}

function unmapOne({ fd, first, second, viaFirst, viaSecond }: TwoViews): void {
  step("Take one away");
  predict("The first mapping goes. Does the message?");
  look(() => {
    viaFirst.buffer.transfer(0);
    unmap(first, page);
  });
  look(() => viaFirst.length);
  picture(hexdump(viaSecond, { address: second, from: 64 }));
  say("It stays. Each mapping holds the file on its own, as each process would.");
  viaSecond.buffer.transfer(0);
  unmap(second, page);
  close(fd);
}

/** The second mapping is private. */
function breakIt(): void {
  step("One letter");
  const fd = run("fd", () => memfd("page"));
  allocate(fd, 0, page);
  const first = run("first", () =>
    map({
      length: page,
      protection: readWrite,
      flags: MapFlag.shared,
      fd,
    }));
  const second = run("second", () =>
    map({
      length: page,
      protection: readWrite,
      flags: MapFlag.private,
      fd,
    }));
  const viaFirst = new Uint8Array(bufferAt(first, page));
  const viaSecond = new Uint8Array(bufferAt(second, page));
  picture(`${mapsLine(first)}\n${mapsLine(second)}`);
  say("The same file, the same offset. Only the flag differs: an s in one line, a p in the other.");
  const both = () => {
    picture(hexdump(viaFirst, { address: first }));
    picture(hexdump(viaSecond, { address: second }));
  };

  step("It works");
  look(() => {
    viaFirst.set(text("hello"));
  });
  both();
  say("Written here, read there. A test would pass, and the program would be shipped.");

  step("Until somebody answers");
  predict("Now the second one writes, 8 bytes further on. Who sees what?");
  look(() => {
    viaSecond.set(text("thanks"), 8);
  });
  both();
  say("The answer has not arrived.");
  predict("And what the first one writes after that?");
  look(() => {
    viaFirst.set(text("HELLO"));
  });
  both();
  say(`That does not arrive either. A private mapping shows the pages of the file until it writes to
    one. At that moment it gets a copy of that page, and from then on it looks at its copy. This is
    called copy on write. The two differ for ever from then on, and neither gets a notice.`);
  say("If a peer seems deaf, look at its line in `/proc/<pid>/maps`: does it say s or p?");
  for (const view of [viaFirst, viaSecond]) view.buffer.transfer(0);
  for (const address of [first, second]) unmap(address, page);
  close(fd);
}

function crash(): void {
  step("Write where only reading is allowed");
  const fd = run("fd", () => memfd("page"));
  allocate(fd, 0, page);
  const first = map({ length: page, protection: readWrite, flags: MapFlag.shared, fd });
  const second = run("second", () =>
    map({
      length: page,
      protection: Protection.read,
      flags: MapFlag.shared,
      fd,
    }));
  picture(`${mapsLine(first)}\n${mapsLine(second)}`);
  const viaSecond = run("viaSecond", () => new Uint8Array(bufferAt(second, page)));
  say(`The page can be written, but not by this way: \`r--s\`. That is good for looking at a ring
    without the risk of harming it. JavaScript has no arrays that can only be read, and so it knows
    nothing of this. The next line writes, and the kernel will end this program with SIGSEGV.`);
  predict("Two ways lead to this page, and one of them allows writing. Why is that no help?");
  look(() => {
    viaSecond[0] = 1;
  });
}

tell({
  folder: "03_two_addresses",
  title: "Tutorial 3: two addresses, one page",
  main: { steps: 6, tell: main },
  break: { steps: 3, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
