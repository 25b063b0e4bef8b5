/**
 * A file that is only memory. Run it with `deno run --allow-ffi tutorials/03_memory_file/step.ts`;
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
    `That is a memory file: pages that live as long as an fd, a mapping or a name holds them.
    Tutorial 4 maps one of them twice. Before that:`,
  );
}

function makeTheFile(): number {
  step("A file without a disk");
  say(`Anonymous memory belongs to this process alone. To share pages we need something that other
    processes can hold too, and in Linux that is a file. It need not be on a disk: \`memfd_create\`
    makes one out of memory. "notes" is a label for people, not a name to open it by.`);
  const fd = run("fd", () => memfd("notes"));
  say(`The answer is a file descriptor (fd), this process's small number for that file. What does
    the kernel know about it?`);
  picture(status(fd));
  say(`It has no length, no memory, and no links: no directory has a name for it.`);
  return fd;
}

function status(fd: number): string {
  const { inode, size, allocated, links } = stat(fd) as FileStatus;
  return table([
    ["inode", inode, "the number of the file"],
    ["size", size, "bytes: how long it is"],
    ["allocated", allocated, "bytes: how much memory it has"],
    ["links", links, "how many names it has"],
  ]);
}

function giveItALength(fd: number): void {
  step("A length is not yet memory");
  look(() => {
    truncate(fd, 8 * page);
  });
  predict("The file is 8 pages long now. How much memory does it have?");
  picture(status(fd));
  picture(boxes(Array(8).fill("hole")));
  say(`\`truncate\` shortens a file, or extends it. It only stores the length. A page within the
    length that has no memory is called a hole.`);
}

function mapIt(fd: number): Memory {
  step("Map it");
  say(`The same \`mmap\` as in tutorial 1, with two differences: we pass an fd, and the kind is
    shared. Shared means that our writes go into the file, where every process that maps it sees
    them.`);
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
  say(`The kernel's line says more this time. \`rw-s\` means shared. Then follow the offset in the
    file where the mapping begins, the device, the inode (${inode}, as above), and our label.
    "(deleted)" only means that the file has no name; nobody has deleted anything.`);
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
  say(`Even a read costs a page! Readers of anonymous memory saw one common page of zeros. In a
    shared file, the next writer must write into the very page that the reader sees. So reading a
    hole fills it.`);
}

function reserve(fd: number): void {
  step("Reserve before use");
  say(`If memory runs out at the first touch, it is too late for an error: the kernel can only end
    the program that touched the page. \`fallocate\` asks for all pages at once, before any program
    touches them.`);
  look(() => allocate(fd, 0, 8 * page));
  picture(table([["allocated", (stat(fd) as FileStatus).allocated]]));
  say(`0 means done: no holes are left, and no touch can fail any more. But ask with care. Only the
    machine limits this file. If you ask for more memory than it has, the kernel does not refuse: it
    tries, and when the memory has run out it kills programs until some is free.`);
}

function closeTheFile(fd: number, { address, bytes }: Memory): void {
  step("Close the file, keep the memory");
  predict("We close the fd. What happens to the array?");
  look(() => {
    close(fd);
  });
  look(() => stat(fd));
  picture(hexdump(bytes, { address, from: 2 * page }));
  say(`Nothing. The fd is invalid now (EBADF: bad file descriptor). But the memory belongs to the
    file, and the file lives as long as an fd, a mapping or a name holds it. We have a mapping.`);
}

function giveItAName(): void {
  step("A name for others to find it by");
  say(`A process can pass a memfd to another, but no process can look it up. For that, Linux has a
    directory whose files are memory too: \`/dev/shm\`. This opens a file there that has no name
    yet, gives it one, and removes the name again.`);
  const fd = look(() => open("/dev/shm", Open.write | Open.unnamed, 0o600));
  if (fd < 0) {
    say("This machine does not allow it. Never mind: the rest works without a name.");
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
  say(`The file is still there: a name is only one of its holders. So the library can build a shared
    file in private, and give it a name only when it is complete.`);
  askForTooMuch(fd);
  close(fd);
}

/** Only where the directory has a limit, for only there is the answer an error. */
function askForTooMuch(fd: number): void {
  const limit = limitOfSharedMemory();
  if (limit === undefined) return;
  say(`And \`/dev/shm\` has a limit, on this machine ${limit} bytes. So here the kernel returns an
    error, if we ask for one page more than the limit:`);
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
    `No fd, no mapping, no name: without a holder, the kernel frees the file and its pages. A file
    without a name needs no cleanup, even after a crash.`,
  );
}

/** Cuts a file while it is mapped. */
function breakIt(): void {
  step("Cut a file that is mapped");
  const fd = run("fd", () => memfd("cut"));
  const { address, bytes } = mapWhole(fd, 4);
  for (let i = 0; i < 4; i++) bytes.set(new TextEncoder().encode(`page ${i}`), i * page);
  picture(boxes(["page 0", "page 1", "page 2", "page 3"]));
  predict(
    "Now we shorten the file to one page, while all four are mapped. Can they still be read?",
  );
  look(() => {
    truncate(fd, page);
  });
  picture(table(readable(address, 4)));
  picture(mapsLine(address)!);
  say(`The mapping still has its four pages of addresses; \`length\` of the array is still
    ${bytes.length}. But the file ends before three of them. The kernel ends a program that touches
    one, with the signal SIGBUS: see \`--crash\`.`);

  step("Extend it again");
  predict("The file gets its old length back. Does it get its bytes back?");
  look(() => {
    truncate(fd, 4 * page);
  });
  picture(table(readable(address, 4)));
  picture(hexdump(bytes, { address }));
  picture(hexdump(bytes, { address, from: page }));
  say(`Page 0 has kept its bytes. The others can be touched again, but they are holes: their bytes
    are lost.`);
  say(
    `So a process that may write a shared file may also shorten it, and would end every process that
    maps it. The library catches the signal for the memory that it maps: the operation fails with an
    error, and the program goes on. It opens only files that belong to you or root, unless you ask
    for others.`,
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
  step("Touch a page that was cut off");
  const fd = run("fd", () => memfd("cut"));
  const { address } = mapWhole(fd, 2);
  say(
    `The library would catch the signal. So we map the file again, in the same place and behind its
    back: we tell it that the place is free, and put the mapping there.`,
  );
  const length = 2 * page;
  look(() => {
    unmap(address, length);
    const flags = MapFlag.shared | MapFlag.fixed;
    map({ address, length, protection: readWrite, flags, fd });
  });
  const bytes = new Uint8Array(bufferAt(address, length));
  look(() => {
    bytes[page] = 1;
    truncate(fd, page);
  });
  look(() => bytes.length);
  say(
    `The array has two pages, the file has one. The next line reads the second page. The kernel will
    end this program with SIGBUS, and your shell will report a bus error.`,
  );
  predict("In tutorial 1 it was SIGSEGV, for an address without access. Why another signal here?");
  look(() => bytes[page]);
}

tell({
  folder: "03_memory_file",
  title: "Tutorial 3: a file that is only memory",
  main: { steps: 8, tell: main },
  break: { steps: 2, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
