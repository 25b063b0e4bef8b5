/**
 * A file that is only memory. Run it with `deno run --allow-ffi tutorials/02_memory_file/step.ts`;
 * the prose is in README.md beside it.
 *
 * @module
 */

import {
  allocate,
  bufferAt,
  close,
  type FileStatus,
  link,
  list,
  map,
  MapFlag,
  memfd,
  Open,
  open,
  Protection,
  stat,
  truncate,
  unlink,
  unmap,
} from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { canBeRead, limitOfSharedMemory, mapsLine } from "../kernel_view.ts";
import { boxes, hexdump, table } from "../picture.ts";
import { look, picture, predict, run, say, step, tell } from "../narrator.ts";

const page = pageSize();
const readWrite = Protection.read | Protection.write;

/** Mapped memory and the array over it. */
interface Memory {
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function main(): void {
  const fd = makeTheFile();
  giveItALength(fd);
  const memory = mapIt(fd);
  touchIt(fd, memory);
  reserve(fd);
  closeTheFile(fd, memory);
  giveItAName();
  unmapIt(memory);
  say(
    `That is a memory file: pages that something other than one mapping holds on to. Tutorial 3 maps
    one of them twice. Before that:`,
  );
}

function makeTheFile(): number {
  step("A file without a disk");
  say(`Anonymous memory is nobody's but ours. To share pages we need something that others can hold
    on to as well, and in Linux that is a file. It does not have to be on a disk: \`memfd_create\`
    makes one out of nothing but memory. "notes" is a label for people, not a name to open it by.`);
  const fd = run("fd", () => memfd("notes"));
  say(`The answer is a file descriptor, a small number by which this process means that file. What
    does the kernel know about it?`);
  picture(status(fd));
  say(`No length, no memory, and no links: it has no name in any directory.`);
  return fd;
}

function status(fd: number): string {
  const { inode, size, allocated, links } = stat(fd) as FileStatus;
  return table([
    ["inode", inode, "the number of the file"],
    ["size", size, "bytes: how long it is"],
    ["allocated", allocated, "bytes: how much memory it really has"],
    ["links", links, "how many names it has"],
  ]);
}

function giveItALength(fd: number): void {
  step("A length is not yet memory");
  look(() => {
    truncate(fd, 8 * page);
  });
  predict("The file is 8 pages long now. How much memory has it got?");
  picture(status(fd));
  picture(boxes(Array(8).fill("hole")));
  say(`\`truncate\`, which cuts a file, also stretches it. It only notes the length. Pages that are
    within the length and have no memory are called holes.`);
}

function mapIt(fd: number): Memory {
  step("Map it");
  say(`The same \`mmap\` as in tutorial 1, with two differences: there is an fd, and the kind is
    shared. Shared means that what we write goes into the file, for all who have it.`);
  const address = run("address", () =>
    map({
      length: 8 * page,
      protection: readWrite,
      flags: MapFlag.shared,
      fd,
    }));
  const bytes = run("bytes", () => new Uint8Array(bufferAt(address, 8 * page)));
  picture(mapsLine(address)!);
  const inode = (stat(fd) as FileStatus).inode;
  say(`The kernel's line says more this time. \`rw-s\`: shared. Then the place in the file where the
    mapping begins, the device, the inode (${inode}, as above), and our label. "(deleted)" is the
    kernel's way to say that the file has no name; nobody has deleted anything.`);
  return { address, bytes };
}

function touchIt(fd: number, { address, bytes }: Memory): void {
  step("Holes fill at the first touch");
  const rows: (string | number)[][] = [["what was done", "allocated"]];
  const note = (what: string) => rows.push([what, (stat(fd) as FileStatus).allocated]);
  note("mapped 8 pages");
  bytes.set(new TextEncoder().encode("the first note"), 2 * page);
  note("wrote 14 bytes to page 2");
  bytes[5 * page + 100] = 0xff;
  note("wrote 1 byte to page 5");
  predict("And if we only read a byte of page 7, which is a hole?");
  void bytes[7 * page];
  note("read 1 byte of page 7");
  picture(table(rows));
  picture(boxes(["hole", "hole", "note", "hole", "hole", "ff", "hole", "zeros"]));
  picture(hexdump(bytes, { address, from: 2 * page }));
  say(`Even looking costs a page! Anonymous memory was shown to readers as one common page of zeros;
    a shared file cannot do that, because the next one to write must write into the same page. So
    reading a hole fills it.`);
}

function reserve(fd: number): void {
  step("Reserve before use");
  say(`Memory that comes at the first touch may also fail to come. Then it is too late for an error:
    the kernel can only end the program that touched it. \`fallocate\` asks for all pages at once,
    before anyone touches them.`);
  look(() => allocate(fd, 0, 8 * page));
  picture(table([["allocated", (stat(fd) as FileStatus).allocated]]));
  say(`0 means done: no holes are left, and nothing can go wrong at a touch any more. But ask with
    care. This file has no limit but the machine. For more than there is, the kernel does not say
    no: it tries, and when the memory has run out it kills programs until there is some again.`);
}

function closeTheFile(fd: number, { address, bytes }: Memory): void {
  step("Close the file, keep the memory");
  predict("We close the fd. What happens to the array?");
  look(() => {
    close(fd);
  });
  look(() => stat(fd));
  picture(hexdump(bytes, { address, from: 2 * page }));
  say(`Nothing. The fd means nothing now (EBADF: bad file descriptor), but the memory belongs to the
    file, and the file lives as long as anybody holds on to it: an fd, a mapping, or a name. We have
    a mapping.`);
}

function giveItAName(): void {
  step("A name, if others shall find it");
  say(`A memfd can be handed on, but not looked up. For that, there is a directory that is only
    memory too: \`/dev/shm\`. This opens a file there that has no name yet, gives it one, and takes
    the name away again.`);
  const fd = look(() => open("/dev/shm", Open.write | Open.unnamed, 0o600));
  if (fd < 0) {
    say("This machine does not let us. Never mind: the rest works without a name.");
    return;
  }
  const path = `/dev/shm/tutorial.${Deno.pid}`;
  const rows: string[][] = [];
  const note = (what: string) => rows.push([what, linksOf(fd), seen(path)]);
  note("opened");
  link(fd, path);
  note("linked");
  unlink(path);
  note("unlinked");
  picture(table(rows));
  say(`The file is still there: a name is only one of the things that hold a file. This is why the
    library can build a shared file in private, and show it to the world only when it is complete.`);
  askForTooMuch(fd);
  close(fd);
}

/** Only where the directory has a limit, for only there is the answer an error. */
function askForTooMuch(fd: number): void {
  const limit = limitOfSharedMemory();
  if (limit === undefined) return;
  say(`And \`/dev/shm\` has a limit, on this machine ${limit} bytes. Here the kernel can say no, and
    politely: this asks for one page more than the limit.`);
  look(() => allocate(fd, 0, limit + page));
}

function linksOf(fd: number): string {
  const { links } = stat(fd) as FileStatus;
  return links === 1 ? "1 link" : `${links} links`;
}

function seen(path: string): string {
  const names = list("/dev/shm");
  const there = typeof names !== "number" && names.includes(path.slice("/dev/shm/".length));
  return `${path} ${there ? "is listed" : "is not listed"}`;
}

function unmapIt({ address, bytes }: Memory): void {
  step("The last one out");
  look(() => {
    bytes.buffer.transfer(0);
    unmap(address, 8 * page);
  });
  look(() => mapsLine(address));
  say(
    `No fd, no mapping, no name: with the last holder, the file is gone and the kernel has its pages
    back. A file without a name needs nobody to clean up, even after a crash.`,
  );
}

/** Cuts a file while it is mapped. */
function breakIt(): void {
  step("Cut a file that is mapped");
  const fd = run("fd", () => memfd("cut"));
  const { address, bytes } = mapWhole(fd, 4);
  for (let i = 0; i < 4; i++) bytes.set(new TextEncoder().encode(`page ${i}`), i * page);
  picture(boxes(["page 0", "page 1", "page 2", "page 3"]));
  predict("Now the file is cut to one page, while all four are mapped. Can they still be read?");
  look(() => {
    truncate(fd, page);
  });
  picture(table(readable(address, 4)));
  picture(mapsLine(address)!);
  say(`The mapping still has its four pages of addresses; \`length\` of the array is still
    ${bytes.length}. But behind three of them there is no file any more. A program that touches one
    is ended with the signal SIGBUS: see it with \`--crash\`.`);

  step("Stretch it again");
  predict("The file gets its old length back. And its bytes?");
  look(() => {
    truncate(fd, 4 * page);
  });
  picture(table(readable(address, 4)));
  picture(hexdump(bytes, { address }));
  picture(hexdump(bytes, { address, from: page }));
  say(`Page 0 has stayed. The others can be touched again, and they are holes: what was in them is
    lost.`);
  say(
    `So a process that may write a shared file may also cut it, and endanger every process that maps
    it. The library never cuts a file, and opens only files of people you trust.`,
  );
  bytes.buffer.transfer(0);
  unmap(address, 4 * page);
  close(fd);
}

function readable(address: number, pages: number): (string | number)[][] {
  return Array.from({ length: pages }, (_, i) => {
    const verdict = canBeRead(address + i * page) ? "can be read" : "must not be touched";
    return [`page ${i}`, verdict];
  });
}

/** Gives a file a length and maps all of it. */
function mapWhole(fd: number, pages: number): Memory {
  const length = pages * page;
  truncate(fd, length);
  const address = map({ length, protection: readWrite, flags: MapFlag.shared, fd });
  return { address, bytes: new Uint8Array(bufferAt(address, length)) };
}

function crash(): void {
  step("Touch what was cut off");
  const fd = run("fd", () => memfd("cut"));
  const { bytes } = mapWhole(fd, 2);
  look(() => {
    bytes[page] = 1;
    truncate(fd, page);
  });
  look(() => bytes.length);
  say(
    `The array has two pages, the file has one. The next line reads the second page. The kernel will
    end this program with SIGBUS, and your shell will report a bus error.`,
  );
  predict("Last time it was SIGSEGV, for an address without access. What is different here?");
  look(() => bytes[page]);
}

tell({
  folder: "02_memory_file",
  title: "Tutorial 2: a file that is only memory",
  main: { steps: 8, tell: main },
  break: { steps: 2, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
