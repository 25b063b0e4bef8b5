/**
 * A page and its address. Run it with `deno run --allow-ffi tutorials/01_pages/step.ts`; the prose
 * is in README.md beside it.
 *
 * @module
 */

import { bufferAt, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { canBeRead, mapsLine, residentBytes } from "../kernel_view.ts";
import { boxes, hex, hexdump, table } from "../picture.ts";
import { look, picture, predict, run, say, step, tell } from "../narrator.ts";

const readWrite = Protection.read | Protection.write;

function main(): void {
  const page = learnThePageSize();
  const address = askForOnePage(page);
  splitTheAddress(address, page);
  readTheKernelsList(address, page);
  const bytes = putBytesIn(address, page);
  goPastTheEnd(touchPageAfterPage(page), page);
  giveItBack(address, bytes);
  say(`That is a page: the unit in which the kernel hands out memory. In tutorial 3, a file is
    behind it. But first break it, and solve the exercise:`);
}

function learnThePageSize(): number {
  step("Memory comes in pages");
  say(`To a program, memory is one long row of bytes, and each byte has a number: its address. The
    kernel puts real memory behind the addresses, not byte by byte but in pages, all of one size.`);
  const page = run("page", () => pageSize());
  say(`On most PCs a page has 4096 bytes; on some ARM machines it has 16384 or 65536. A program must
    ask, as this one just did.`);
  return page;
}

function askForOnePage(page: number): number {
  step("Ask for one page");
  say(`The call is named \`mmap\`, for "memory map". We pass how many bytes we want, what we may do
    with them (read and write), and which kind of memory: anonymous, which means that no file is
    behind it, and private, which means that it is for this process only.`);
  const address = run("address", () =>
    map({
      length: page,
      protection: readWrite,
      flags: MapFlag.private | MapFlag.anonymous,
    }));
  say(`The answer is a number, the address of the first byte. That is all a program gets: no handle,
    no object. Run this again, and you will get another address.`);
  return address;
}

function splitTheAddress(address: number, page: number): void {
  step("An address is a page and an offset");
  say(`Divide an address by the page size. The quotient is the number of the page, and the remainder
    is the offset: how far into that page the byte is.`);
  const row = (name: string, at: number) => [
    name,
    hex(at),
    hex(Math.floor(at / page)),
    `${at % page}`,
  ];
  picture(table([
    ["", "address", "page", "offset"],
    row("byte 0", address),
    row("byte 300", address + 300),
    row("the last byte", address + page - 1),
    row("one further", address + page),
  ]));
  const digits = Math.log2(page) / 4;
  say(`The page begins at an address that the page size divides: its offset is 0. All its bytes have
    the same page number, and the next page begins right after the last one.`);
  if (Number.isInteger(digits)) {
    say(`No division is needed to see it. ${page} is 16 to the power of ${digits}, so the last
      ${digits} digits of a hexadecimal address are the offset (300 is 12c), and the digits before
      them are the page. That is why addresses are written this way.`);
  }
}

function readTheKernelsList(address: number, page: number): void {
  step("The kernel keeps a list");
  say(`The file \`/proc/self/maps\` lists the mapped addresses of a process, one line for each
    range. Our page is in this line:`);
  const line = mapsLine(address)!;
  picture(line);
  const [range, permissions, offset] = line.split(" ");
  const [start, stop] = range!.split("-");
  picture(table([
    [start!, "the range begins here"],
    [stop!, "and ends before this address"],
    [permissions!, "may be read, may be written, may not be executed, is private"],
    [offset!, "the place in the file, the disk and the file's number:"],
    ["00:00 0", "all zero, because no file is behind it"],
  ]));
  const pages = (parseInt(stop!, 16) - parseInt(start!, 16)) / page;
  say(
    pages === 1
      ? "It is a single page, ours."
      : `The range has ${pages} pages, and we asked for 1. The kernel lists neighbours of the same
        kind as one range.`,
  );
}

function putBytesIn(address: number, page: number): Uint8Array<ArrayBuffer> {
  step("Put bytes in");
  say(`JavaScript cannot read at an address. So \`bufferAt\` puts an ArrayBuffer over the memory.
    Nothing is copied: the bytes of the array are the bytes of the page.`);
  const bytes = run("bytes", () => new Uint8Array(bufferAt(address, page)));
  predict("Which bytes are in a new page, before the first write?");
  picture(hexdump(bytes, { address, length: 32 }));
  say("Zeros, always. The kernel never shows us bytes that another program left there.");
  look(() => {
    bytes.set(new TextEncoder().encode("hello, page"));
    bytes[page - 1] = 0xff;
  });
  picture(hexdump(bytes, { address, length: 32 }));
  picture(hexdump(bytes, { address, from: page - 16 }));
  say(`Each row has the address of its first byte, then 16 bytes in hexadecimal, then the same bytes
    as text, with a dot for each byte that is not text.`);
  return bytes;
}

/** Mapped memory and the array over it. */
interface Memory {
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function touchPageAfterPage(page: number): Memory {
  step("Memory comes at the first touch");
  say(`Now we map 8 pages, with a page before and a page after them that no code may touch. Two
    calls do it: the first reserves 10 pages of addresses without access, the second puts 8 usable
    pages into their middle. Between such walls, our pages are a range of their own, and the kernel
    counts their memory alone.`);
  const flags = MapFlag.private | MapFlag.anonymous;
  const wall = run("wall", () =>
    map({
      length: 10 * page,
      protection: Protection.none,
      flags,
    }));
  const pages = run("pages", () =>
    map({
      address: wall + page,
      length: 8 * page,
      protection: readWrite,
      flags: flags | MapFlag.fixed,
    }));
  const bytes = new Uint8Array(bufferAt(pages, 8 * page));
  predict("How much real memory is behind the 8 pages now? After reading a byte? After writing?");
  picture(table(touch(bytes, { address: pages, page })));
  picture(boxes(["", "", "memory", "", "", "memory", "", ""]));
  say(
    `\`mmap\` gave us addresses and a promise. A page gets its memory at the first write to it.
    Until then, a reader sees a page of zeros that all programs share. So a large mapping costs
    little until you use it.`,
  );
  return { address: pages, bytes };
}

/** Reads and writes here and there; a row for each touch, with what it cost. */
function touch(bytes: Uint8Array, at: { address: number; page: number }): (string | number)[][] {
  const { address, page } = at;
  const rows: (string | number)[][] = [["what was done", "memory behind the 8 pages"]];
  const note = (what: string) => rows.push([what, `${residentBytes(address)} bytes`]);
  note("nothing");
  void bytes[0];
  note("read a byte of page 0");
  bytes[2 * page] = 1;
  note("wrote a byte of page 2");
  bytes[2 * page + 1] = 1;
  note("wrote another byte of page 2");
  bytes[5 * page] = 1;
  note("wrote a byte of page 5");
  return rows;
}

function goPastTheEnd(pages: Memory, page: number): void {
  step("Past the end");
  const { address, bytes } = pages;
  const length = bytes.length;
  predict("What does JavaScript return for the byte after the last one?");
  look(() => bytes[length]);
  say(`The array knows its length and guards it. But we passed that length to \`bufferAt\`, which
    has to trust us. Native code has no such guard: it goes where the address points. So let us ask
    the kernel whether we may read the last byte of the 8 pages, and the byte after it.`);
  const last = run("last", () => address + length - 1);
  look(() => canBeRead(last));
  look(() => canBeRead(last + 1));
  say(
    `One byte decides. The wall begins after the last byte, and the kernel ends a program that
    touches it, with the signal SIGSEGV: see \`--crash\`. Without a wall, other memory may be there,
    and that is worse, because nothing happens at all: see \`--break\`.`,
  );
  bytes.buffer.transfer(0);
  unmap(address - page, length + 2 * page);
}

function giveItBack(address: number, bytes: Uint8Array<ArrayBuffer>): void {
  step("Give it back");
  say(`An array over memory that is gone would be a trap. So we detach the array first, and only
    then unmap the memory. Each \`close()\` in this library does these two things in this order.`);
  const length = bytes.length;
  look(() => {
    bytes.buffer.transfer(0);
    unmap(address, length);
  });
  look(() => bytes.length);
  look(() => bytes[0]);
  look(() => mapsLine(address));
  say(
    "The array is empty, the line is gone from the list, and the address is only a number again.",
  );
}

/** Two pages side by side; the view of the left one is 16 bytes too long. */
function breakIt(): void {
  step("Two neighbours");
  const page = pageSize();
  const left = run("left", () =>
    map({
      length: 2 * page,
      protection: readWrite,
      flags: MapFlag.private | MapFlag.anonymous,
    }));
  const right = left + page;
  say(`Two pages, side by side. Ben keeps his account in the right one. The left one is Ann's. A
    programmer has miscounted: her array is 16 bytes too long.`);
  const ben = run("ben", () => new Uint8Array(bufferAt(right, page)));
  const ann = run("ann", () => new Uint8Array(bufferAt(left, page + 16)));
  look(() => {
    ben.set(new TextEncoder().encode("Ben: 100 coins"));
  });
  const around = () => hexdump(ben, { address: right });
  picture(around());

  step("Ann cleans up");
  predict("Ann fills her array with zeros. Who notices?");
  look(() => {
    ann.fill(0);
  });
  picture(around());
  say(`Nobody. Ben's coins are gone without an error, and the program continues. To the processor
    all is well, because both pages are mapped and writable. Only a right length would have stopped
    her.`);
  say(`So the library takes the length of each array from the mapping itself, in one place
    (\`src/memory/mapping.ts\`), and never passes a length twice.`);
  for (const view of [ann, ben]) view.buffer.transfer(0);
  unmap(left, 2 * page);
}

function crash(): void {
  step("Touch a page that must not be touched");
  const page = pageSize();
  const wall = run("wall", () =>
    map({
      length: page,
      protection: Protection.none,
      flags: MapFlag.private | MapFlag.anonymous,
    }));
  const bytes = run("bytes", () => new Uint8Array(bufferAt(wall, page)));
  look(() => canBeRead(wall));
  say(`The array was made without an error, because no code has touched the memory yet. The next
    line does. The kernel will end this program with SIGSEGV, and your shell will report a
    segmentation fault. Nothing else on the machine is harmed.`);
  predict("No catch block can stop it. Why not?");
  look(() => bytes[0]);
}

tell({
  folder: "01_pages",
  title: "Tutorial 1: a page and its address",
  main: { steps: 8, tell: main },
  break: { steps: 2, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
