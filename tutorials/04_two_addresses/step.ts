/**
 * Two addresses, one page. Run it with `deno run --allow-ffi tutorials/04_two_addresses/step.ts`;
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
  say(`Two mappings, one page. Put them into two processes, and you have shared memory: nothing is
    sent, because both have the same page. In tutorial 5 the two addresses become neighbours. Before
    that, see what one letter can change:`);
}

function mapTwice(): TwoViews {
  step("Map one page twice");
  say("A memory file of one page, as in tutorial 3, and reserved at once:");
  const fd = run("fd", () => memfd("page"));
  look(() => allocate(fd, 0, page));
  predict("We map the same page of the same file twice. Do we get one address, or two?");
  const request = { length: page, protection: readWrite, flags: MapFlag.shared, fd };
  const first = run("first", () => map(request));
  const second = run("second", () => map(request));
  say(`Two. The kernel maps a page as often as you like. Each time it finds free addresses, and
    makes them lead to the page.`);
  const viaFirst = new Uint8Array(bufferAt(first, page));
  const viaSecond = new Uint8Array(bufferAt(second, page));
  return { fd, first, second, viaFirst, viaSecond };
}

function compareTheLines({ fd, first, second }: TwoViews): void {
  step("Two lines in the list, one file");
  picture(`${mapsLine(first)}\n${mapsLine(second)}`);
  say(`Only the addresses differ. The permissions (\`rw-s\`), the offset in the file and the inode
    are equal. Device, inode and offset identify the page; an address only leads to it.`);
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
  predict("What does the second array hold now?");
  picture(hexdump(viaFirst, { address: first }));
  picture(hexdump(viaSecond, { address: second }));
  look(() => {
    viaSecond.set(text("changed there"), 8);
  });
  picture(hexdump(viaFirst, { address: first, length: 32 }));
  picture(hexdump(viaSecond, { address: second, length: 32 }));
  say(
    `Nothing was copied, and no message was sent. Two addresses mean one byte. So nothing is
    delayed, and no second version exists.`,
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
    `If you add up the mappings, you count the page twice; the file has one page. Tools that show
    the memory of each process have the same trouble. A ring that ten processes have mapped appears
    ten times, and exists once.`,
  );
}

function storeAnAddress({ first, second, viaFirst, viaSecond }: TwoViews): void {
  step("Never store an address in shared memory");
  say(`Suppose a message begins at offset 64, and we store at offset 32 where it is. It seems
    natural to store its address.`);
  const note = (bytes: Uint8Array) => new DataView(bytes.buffer);
  look(() => {
    viaFirst.set(text("a message"), 64);
    note(viaFirst).setBigUint64(32, BigInt(first + 64), true);
  });
  picture(hexdump(viaSecond, { address: second, from: 32, length: 48 }));
  const found = run("found", () => Number(note(viaSecond).getBigUint64(32, true)));
  say(`A reader of the second mapping finds ${hex(found)}. That is an address of the first mapping.
    Within this one process it happens to work. In another process that address would lead nowhere,
    or to other memory. The offset, 64, is right in every process: add it to your own address.`);
  look(() => second + 64);
}

function unmapOne({ fd, first, second, viaFirst, viaSecond }: TwoViews): void {
  step("Take one away");
  predict("We unmap the first mapping. Is the message gone?");
  look(() => {
    viaFirst.buffer.transfer(0);
    unmap(first, page);
  });
  look(() => viaFirst.length);
  picture(hexdump(viaSecond, { address: second, from: 64 }));
  say("No. Each mapping holds the file, as each process would.");
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
  say("We write here and read there. A test would pass, and the program would be shipped.");

  step("Until the other side answers");
  predict("Now the second one writes, 8 bytes further on. What does each side see?");
  look(() => {
    viaSecond.set(text("thanks"), 8);
  });
  both();
  say("The answer has not arrived.");
  predict("Now the first one writes again. Does that arrive?");
  look(() => {
    viaFirst.set(text("HELLO"));
  });
  both();
  say(`No. A private mapping shows the pages of the file until it writes to one. At that moment it
    gets a copy of that page, and sees only its copy from then on. This is called copy on write.
    Neither side is notified.`);
  say("If a peer seems deaf, look at its line in `/proc/<pid>/maps`: is it s or p?");
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
  say(`The page is writable, but not through this mapping: \`r--s\`. Such a mapping can observe a
    ring without any risk to it. JavaScript has no read-only typed arrays, so it does not object.
    The next line writes, and the kernel will end this program with SIGSEGV.`);
  predict(
    "Two mappings lead to this page, and one of them allows writing. Why does that not help?",
  );
  look(() => {
    viaSecond[0] = 1;
  });
}

tell({
  folder: "04_two_addresses",
  title: "Tutorial 4: two addresses, one page",
  main: { steps: 6, tell: main },
  break: { steps: 3, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
