/**
 * The mirror ring. Run it with `deno run --allow-ffi tutorials/04_mirror_ring/step.ts`; the prose
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
    read \`src/mirror_ring/mirror_ring.ts\`: you know every call in it. To break and to solve:`,
  );
}

function splitInAPlainRing(): void {
  step("A ring has an end");
  say(
    `A ring is a piece of memory in which one side writes and the other reads behind it. Both
    continue at the beginning when they reach the end. Here is a plain one of ${capacity} bytes. The
    writing position is 10 bytes before the end, and the message has ${message.length} bytes.`,
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
    `It takes two copies, and then the message is in two pieces. A reader in place sees the first
    piece only, and has to put the two together somewhere else. That is a needless copy, and a
    special case wherever code touches a message.`,
  );
}

function mapTwiceInARow(): HandMade {
  step("Three calls to mmap");
  say(`Tutorial 3 put one page at two addresses, wherever there was room. What if the second address
    were exactly where the first mapping ends? For that we need a free place for both, so the first
    call reserves one: addresses without access, the walls of tutorial 1.`);
  const fd = run("fd", () => memfd("ring"));
  look(() => allocate(fd, 0, capacity));
  const base = run("base", () =>
    map({
      length: 2 * capacity,
      protection: Protection.none,
      flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve,
    }));
  say('The second call puts the file into the first half. "Fixed" means: there, and nowhere else.');
  const first = run("first", () =>
    map({
      address: base,
      length: capacity,
      protection: readWrite,
      flags: MapFlag.shared | MapFlag.fixed,
      fd,
    }));
  say("The third call puts the same file into the second half.");
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
  say(`The first line ends where the second begins, and both mean the same inode at offset 0. After
    the last byte of the ring comes its first.`);
  return { base, bytes: new Uint8Array(bufferAt(base, 2 * capacity)) };
}

function seeTheMirror({ base, bytes }: HandMade): void {
  step("The same byte, one capacity apart");
  predict("Two windows on one memory. What does a byte written to the first do in the second?");
  look(() => {
    bytes[5] = 0x41;
    bytes[capacity + 6] = 0x42;
  });
  picture(hexdump(bytes, { address: base }));
  picture(hexdump(bytes, { address: base, from: capacity }));
  say("Byte `i` and byte `capacity + i` are one byte, whichever of the two is written.");
  bytes.fill(0, 0, capacity);
}

function crossTheSeam({ base, bytes }: HandMade): void {
  step("A message across the seam, in one piece");
  const at = capacity - 10;
  say(`The same message, the same position as in the plain ring, 10 bytes before the end. One copy
    now; it simply runs on into the second window.`);
  look(() => {
    bytes.set(message, at);
  });
  picture(hexdump(bytes, {
    address: base,
    from: at,
    length: message.length,
    seam: { at: capacity, label: "the second window begins" },
  }));
  predict("The 15 bytes behind the seam: where are they in the ring itself?");
  picture(hexdump(bytes, { address: base }));
  say("At its beginning, just where the plain ring had to put them by hand. And the reader?");
  look(() => text(bytes.subarray(at, at + message.length)));
  say("Sees the whole message, where it lies. No second copy, no special case. The seam is gone.");
}

function useTheLibrary(): MirrorRing {
  step("The same, ready-made");
  say(
    `\`MirrorRing\` of this library makes the three calls, rounds its capacity up to whole pages,
    and keeps the two positions.`,
  );
  const ring = run("ring", () => new MirrorRing(1000));
  picture(linesOf(ring));
  say(`In the picture below, one letter is one cell of \`capacity / 32\` bytes. R is where the next
    byte will be read, and W is where the next one will be written.`);
  const cell = ring.capacity / 32;
  look(() => {
    ring.write(alphabet("A", 24 * cell, cell));
  });
  picture(windows(stateOf(ring)));
  look(() => {
    ring.consume(20 * cell);
  });
  picture(windows(stateOf(ring)));
  predict("There are 8 cells until the end. Now 18 cells are written. Where does W go?");
  look(() => {
    ring.write(alphabet("a", 18 * cell, cell));
  });
  picture(windows(stateOf(ring)));
  say(`Past the seam, into the second window. The letters appear in both windows, because each byte
    has two addresses. From R to W they are one piece, and that is what \`peek()\` gives: no copy,
    just a view of the ring itself.`);
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
    then, or empty? Many plain rings cannot tell, and leave a byte unused so that it never happens.
    Here is the empty one:`);
  look(() => {
    ring.consume(ring.available);
  });
  picture(`${windows(stateOf(ring))}\n${amounts(ring)}`);
  predict("And the full one? Where is W, if not at R?");
  const cell = ring.capacity / 32;
  look(() => {
    ring.write(alphabet("A", ring.capacity, cell));
  });
  picture(`${windows(stateOf(ring))}\n${amounts(ring)}`);
  say(`At the same byte, but through the other window: one capacity further on. R is always in the
    first window, and W is ahead of it by exactly as many bytes as can be read. Nothing is left
    unused.`);
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
  say("We still hold a view of everything in the ring. Then the ring is closed.");
  look(() => {
    ring.close();
  });
  look(() => piece.length);
  look(() => piece[0]);
  look(() => messageOf(() => ring.available + ring.peek().length));
  say(
    `The view is empty. \`close()\` detached it before it unmapped the memory, so no view leads to
    addresses that mean nothing any more. For the ring that we made by hand, we do it by hand.`,
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
    `A ring of two pages this time, ${two} bytes, with the three calls as before. In the third there
    is a mistake: its place in the file is ${page} instead of 0.`,
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
  say("One page into the ring is a message that is still unread.");
  look(() => {
    bytes.set(new TextEncoder().encode("precious, unread"), page);
  });
  const at = two - 10;
  say("Now the message is written across the seam, and read back from where it was written.");
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
    `The rest of the message is not at the beginning of the ring. It went to where the second window
    really leads: one page further, over a message that was still unread.`,
  );
  picture(hexdump(bytes, { address: base, from: page }));
  say(
    `Nothing failed; all addresses were good. So test a mirror like this: write different bytes
    everywhere, and compare both windows completely.`,
  );
  bytes.buffer.transfer(0);
  unmap(base, 2 * two);
}

function crash(): void {
  step("Forget to detach");
  const bytes = mapQuietly();
  const address = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  say(`A ring by hand, as in step 2 of the tutorial, at ${hex(address)}. It is given back, but the
    array is not detached.`);
  look(() => {
    unmap(address, 2 * capacity);
  });
  look(() => bytes.length);
  look(() => mapsLine(address));
  say(
    `The array still believes in its ${bytes.length} bytes. The next line reads one of them, and the
    kernel will end this program with SIGSEGV. It could be worse: if something else had been mapped
    there in the meantime, we would read that, and write to it.`,
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
  folder: "04_mirror_ring",
  title: "Tutorial 4: the mirror ring",
  main: { steps: 7, tell: main },
  break: { steps: 3, tell: breakIt },
  crash: { steps: 1, tell: crash },
});
