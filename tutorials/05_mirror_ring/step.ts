/**
 * The mirror ring. Run it with `deno run --allow-ffi tutorials/05_mirror_ring/step.ts`; the prose
 * is in README.md beside it.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";
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
import { hex, hexdump, table, windows } from "../picture.ts";
import { look, picture, predict, run, say, step, tell } from "../narrator.ts";
import { alphabet, stateOf } from "./ring_state.ts";

const page = pageSize();
const capacity = page;
const readWrite = Protection.read | Protection.write;
const message = new TextEncoder().encode("a message across the seam");
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A ring made by hand. */
interface HandMade {
  readonly base: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function main(): void {
  splitInAPlainRing();
  const byHand = mapTwiceInARow();
  seeTheMirror(byHand);
  crossTheSeam(byHand);
  const ring = useTheLibrary();
  tellFullFromEmpty(ring);
  closeSafely(ring, byHand);
  say(
    `That is the mirror ring: one memory, two addresses, no seam. Play with it in \`play.ts\`, and
    read \`src/mirror_ring/mirror_ring.ts\`: you know every call in it. Now break it, and solve the
    exercise:`,
  );
}

function splitInAPlainRing(): void {
  step("A ring has an end");
  say(
    `A ring is a piece of memory in which one side writes and the other reads behind it. When they
    reach the end, both continue at the beginning. Here is a plain ring of ${capacity} bytes. The
    next byte goes 10 bytes before the end, and the message has ${message.length} bytes.`,
  );
  const ring = new Uint8Array(capacity);
  const at = capacity - 10;
  predict("Can one copy write the message?");
  look(() => {
    const untilEnd = capacity - at;
    ring.set(message.subarray(0, untilEnd), at);
    ring.set(message.subarray(untilEnd), 0);
  });
  picture(hexdump(ring, { address: 0, from: at }));
  picture(hexdump(ring, { address: 0 }));
  look(() => text(ring.subarray(at, at + message.length)));
  say(
    `It takes two copies, and then the message is in two pieces. No reader can use it in place: it
    has to put the two pieces together elsewhere. That is a needless copy, and a special case
    wherever code touches a message.`,
  );
}

function mapTwiceInARow(): HandMade {
  step("Three calls to mmap");
  say(`Tutorial 4 put one page at two addresses, wherever the kernel found room. What if the second
    address were exactly where the first mapping ends? For that we need room for both, so the first
    call reserves it: addresses without access, like the walls of tutorial 1.`);
  const fd = run("fd", () => memfd("ring"));
  look(() => allocate(fd, 0, capacity));
  const base = run("base", () =>
    map({
      length: 2 * capacity,
      protection: Protection.none,
      flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
    }));
  say('The second call maps the file into the first half. "Fixed" means: there, and nowhere else.');
  const first = run("first", () =>
    map({
      address: base,
      length: capacity,
      protection: readWrite,
      flags: MapFlag.shared | MapFlag.fixed,
      fd,
    }));
  say("The third call maps the same file into the second half.");
  const second = run("second", () =>
    map({
      address: base + capacity,
      length: capacity,
      protection: readWrite,
      flags: MapFlag.shared | MapFlag.fixed,
      fd,
    }));
  close(fd);
  look(() => second - first === capacity);
  picture(`${mapsLine(first)}\n${mapsLine(second)}`);
  say(`The first range ends where the second begins, and both show the same inode at offset 0. The
    last byte of the ring is followed by its first.`);
  return { base, bytes: new Uint8Array(bufferAt(base, 2 * capacity)) };
}

function seeTheMirror({ base, bytes }: HandMade): void {
  step("The same byte, one capacity apart");
  predict("Two windows show one memory. We write a byte in each. What do we read in the other?");
  look(() => {
    bytes[5] = 0x41;
    bytes[capacity + 6] = 0x42;
  });
  picture(hexdump(bytes, { address: base }));
  picture(hexdump(bytes, { address: base, from: capacity }));
  say("Byte `i` and byte `capacity + i` are one byte, through whichever window we write it.");
  bytes.fill(0, 0, capacity);
}

function crossTheSeam({ base, bytes }: HandMade): void {
  step("A message across the seam, in one piece");
  const at = capacity - 10;
  say(`We write the message where we wrote it in the plain ring, 10 bytes before the end. Now one
    copy is enough; it simply continues into the second window.`);
  look(() => {
    bytes.set(message, at);
  });
  picture(hexdump(bytes, {
    address: base,
    from: at,
    length: message.length,
    seam: { at: capacity, label: "the second window begins" },
  }));
  predict("Where in the ring are the 15 bytes behind the seam?");
  picture(hexdump(bytes, { address: base }));
  say("At its beginning, just where the plain ring had to copy them. And the reader?");
  look(() => text(bytes.subarray(at, at + message.length)));
  say("It reads the whole message in place. No second copy, no special case. The seam is gone.");
}

function useTheLibrary(): MirrorRing {
  step("The ring of the library");
  say(
    `The library's \`MirrorRing\` makes the three calls, rounds its capacity up to whole pages, and
    keeps the two positions.`,
  );
  const ring = run("ring", () => new MirrorRing(1000));
  picture(linesOf(ring));
  say(`In the picture below, one letter is a cell of \`capacity / 32\` bytes. The next read begins
    at R, and the next write at W.`);
  const cell = ring.capacity / 32;
  look(() => {
    ring.write(alphabet("A", 24 * cell, cell));
  });
  picture(windows(stateOf(ring)));
  look(() => {
    ring.consume(20 * cell);
  });
  picture(windows(stateOf(ring)));
  predict("8 cells are left before the end. We write 18 cells. Where does W go?");
  look(() => {
    ring.write(alphabet("a", 18 * cell, cell));
  });
  picture(windows(stateOf(ring)));
  say(`Past the seam, into the second window. The letters appear in both windows, because each byte
    has two addresses. From R to W they are in one piece, and \`peek()\` returns that piece: a view
    of the ring itself, without a copy.`);
  look(() => ring.peek());
  return ring;
}

/** The kernel's two lines for a ring. */
function linesOf(ring: MirrorRing): string {
  const base = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(ring.bytes)));
  return `${mapsLine(base)}\n${mapsLine(base + ring.capacity)}`;
}

function tellFullFromEmpty(ring: MirrorRing): void {
  step("Full is not empty");
  say(`When the writer has caught up with the reader, both are at the same byte. Is the ring full
    then, or empty? Many plain rings cannot tell, so they never fill the last byte. Here is our
    ring, empty:`);
  look(() => {
    ring.consume(ring.available);
  });
  picture(`${windows(stateOf(ring))}\n${amounts(ring)}`);
  predict("Now we fill it. Where is W, if not at R?");
  const cell = ring.capacity / 32;
  look(() => {
    ring.write(alphabet("A", ring.capacity, cell));
  });
  picture(`${windows(stateOf(ring))}\n${amounts(ring)}`);
  say(`At the same byte, but in the other window: one capacity further on. R is always in the first
    window, and W is ahead of it by the number of unread bytes. No byte is left unused.`);
}

function amounts(ring: MirrorRing): string {
  return table([
    ["available", ring.available, "bytes can be read"],
    ["free", ring.free, "bytes can be written"],
  ]);
}

function closeSafely(ring: MirrorRing, byHand: HandMade): void {
  step("Close it safely");
  const piece = ring.peek();
  say("We hold a view of everything in the ring. Then we close the ring.");
  look(() => {
    ring.close();
  });
  look(() => piece.length);
  look(() => piece[0]);
  look(() => messageOf(() => ring.available + ring.peek().length));
  say(
    `The view is empty. \`close()\` detached it before it unmapped the memory, so no view leads to
    unmapped addresses. We made the other ring by hand, so we also close it by hand.`,
  );
  const { base, bytes } = byHand;
  look(() => {
    bytes.buffer.transfer(0);
    unmap(base, 2 * capacity);
  });
}

function messageOf(code: () => unknown): string {
  try {
    code();
  } catch (error) {
    return `${error}`;
  }
  return "no error";
}

/** A ring of two pages, whose second window shows the file from its second page on. */
function breakIt(): void {
  step("One page off");
  const two = 2 * page;
  say(
    `A ring of two pages this time, ${two} bytes, with the three calls as before. The third call has
    a mistake: its offset in the file is ${page} instead of 0.`,
  );
  const fd = memfd("ring");
  allocate(fd, 0, two);
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const base = map({ length: 2 * two, protection: Protection.none, flags });
  const shared = { protection: readWrite, flags: MapFlag.shared | MapFlag.fixed, fd };
  map({ ...shared, address: base, length: two });
  run("second", () => map({ ...shared, address: base + two, length: page, offset: page }));
  close(fd);
  picture(`${mapsLine(base)}\n${mapsLine(base + two)}`);
  const bytes = new Uint8Array(bufferAt(base, two + page));

  step("It looks right");
  say("A message that is still unread begins one page into the ring.");
  look(() => {
    bytes.set(new TextEncoder().encode("precious, unread"), page);
  });
  const at = two - 10;
  say("Now we write our message across the seam, and read it back where we wrote it.");
  look(() => {
    bytes.set(message, at);
  });
  look(() => text(bytes.subarray(at, at + message.length)));
  say("All is well. A test that looks no further would pass.");

  step("It is not");
  predict("The reader takes the first 10 bytes and continues at the beginning. What does it get?");
  look(() => text(bytes.subarray(at, two)) + text(bytes.subarray(0, message.length - 10)));
  picture(hexdump(bytes, { address: base }));
  say(
    `The rest of the message is not at the beginning of the ring. The second window leads one page
    further, so the rest has overwritten the unread message.`,
  );
  picture(hexdump(bytes, { address: base, from: page }));
  say(
    `Nothing failed, because every address was valid. So test a mirror like this: write different
    bytes everywhere, and compare both windows completely.`,
  );
  bytes.buffer.transfer(0);
  unmap(base, 2 * two);
}

function crash(): void {
  step("Forget to detach");
  const bytes = mapQuietly();
  const address = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  say(`A ring by hand, as in step 2 of the tutorial, at ${hex(address)}. We unmap it, but forget to
    detach the array.`);
  look(() => {
    unmap(address, 2 * capacity);
  });
  look(() => bytes.length);
  look(() => mapsLine(address));
  say(
    `The array still has its ${bytes.length} bytes. The next line reads one of them, and the kernel
    will end this program with SIGSEGV. It could be worse: if other memory had been mapped there in
    the meantime, we would read it, and write to it.`,
  );
  predict("Could JavaScript have known?");
  look(() => bytes[0]);
}

function mapQuietly(): Uint8Array<ArrayBuffer> {
  const fd = memfd("ring");
  allocate(fd, 0, capacity);
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const base = map({ length: 2 * capacity, protection: Protection.none, flags });
  const shared = { length: capacity, protection: readWrite, flags: MapFlag.shared | MapFlag.fixed };
  for (const address of [base, base + capacity]) map({ ...shared, address, fd });
  close(fd);
  return new Uint8Array(bufferAt(base, 2 * capacity));
}

tell({
  folder: "05_mirror_ring",
  title: "Tutorial 5: the mirror ring",
  main: { steps: 7, tell: main },
  break: { steps: 3, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
