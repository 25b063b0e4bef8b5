/**
 * The checks of the exercise. They ask the kernel before they touch a page, so a wrong answer does
 * not end the program.
 *
 * @module
 */

import { errnoName } from "../../src/errors.ts";
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
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { type Check, expect, runChecks } from "../check.ts";
import { canBeRead, mapsLine } from "../kernel_view.ts";
import { hex } from "../picture.ts";
import { bytesPicture, tablePicture } from "../stage/pictures.ts";

/** An answer. */
export type MapRing = (fd: number, header: number, capacity: number) => number;

const page = pageSize();
const header = page;
const capacity = 2 * page;
const length = header + 2 * capacity;
const ENOMEM = 12;

/** Checks an answer and prints the results. */
export function checkMapRing(mapRing: MapRing): void {
  runChecks(import.meta.url, checksOf(mapRing));
}

/** The checks that an answer must pass. */
export function checksOf(mapRing: MapRing): Check[] {
  return [
    {
      what: "it covers only addresses that it has reserved",
      check: () => expectOwnAddresses(mapRing),
      hint: "the first call must reserve room for the header and for both windows.",
    },
    {
      what: "the header comes first, and the ring behind it",
      check: () => useRing(mapRing, expectHeader),
      hint: "the first mapping begins at the beginning of the file, and is header + capacity long.",
    },
    {
      what: "a message across the seam arrives at the beginning of the ring, and nowhere else",
      check: () => useRing(mapRing, expectMessage),
      hint: "where in the file does the ring begin? Both windows must be shared and lead there.",
    },
    {
      what: "the whole ring follows again behind the ring",
      check: () => useRing(mapRing, expectMirror),
      hint: "the second window has the length of the ring and shows every page of it, in order.",
    },
    {
      what: "an error of the kernel is returned, and nothing stays mapped",
      check: () => expectRefusal(mapRing),
      hint: "look at what each map() returns. unmap() takes a range, whatever is mapped in it.",
    },
    {
      what: "an error of the first call is returned as it is",
      check: () => expectFirstRefusal(mapRing),
      hint: "the first map() can fail too. A negative number is no address to map at.",
    },
  ];
}

function byteFor(i: number): number {
  return i * 7 + Math.floor(i / 256) + Math.floor(i / page);
}

/** The header is text; a byte of the ring depends on its place, and no two pages are alike. */
function fill(bytes: Uint8Array): void {
  for (let i = 0; i < header; i++) bytes[i] = "header ".charCodeAt(i % 7);
  for (let i = 0; i < capacity; i++) bytes[header + i] = byteFor(i);
}

function useRing(mapRing: MapRing, use: (bytes: Uint8Array, base: number) => void): void {
  const fd = memfd("exercise");
  allocate(fd, 0, header + capacity);
  const base = mapRing(fd, header, capacity);
  close(fd);
  expect(base >= 0, `You returned ${base}, which is ${errnoName(-base)}, but nothing had failed.`);
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    expectTouchable(base);
    bytes = new Uint8Array(bufferAt(base, length));
    fill(bytes);
    use(bytes, base);
  } finally {
    bytes?.buffer.transfer(0);
    unmap(base, length);
  }
}

function expectTouchable(base: number): void {
  for (let at = base; at < base + length; at += page) {
    const line = lineAt(at);
    const usable = canBeRead(at) && / rw/.test(line ?? "");
    expect(
      usable,
      `The page ${at - base} bytes after the beginning of the header, at ${
        hex(at)
      }, must not be touched.` +
        `\n${line ?? "Nothing is mapped there."}`,
    );
  }
}

function expectHeader(bytes: Uint8Array, base: number): void {
  const line = lineAt(base)!;
  expect(/ rw-s 00000000 /.test(line), `The header's line should be rw-s with offset 0:\n${line}`);
  const begins = new TextDecoder().decode(bytes.subarray(0, 6));
  expect(
    begins === "header",
    `The header should begin with "header".`,
    () => bytesPicture(bytes, { id: "header", title: "It begins", address: base }),
  );
}

function expectMessage(bytes: Uint8Array, base: number): void {
  const message = new TextEncoder().encode("a message across the seam");
  const expected = bytes.slice();
  message.forEach((byte, i) => {
    const place = header + (capacity - 10 + i) % capacity;
    expected[place] = expected[place + capacity] = byte;
  });
  bytes.set(message, header + capacity - 10);
  const until = header + capacity + message.length - 10; // the mirror has a check of its own
  const wrong = expected.subarray(0, until).findIndex((byte, i) => byte !== bytes[i]);
  const wanted = JSON.stringify(new TextDecoder().decode(expected.subarray(wrong, wrong + 16)));
  expect(
    wrong === -1,
    `The check wrote the message 10 bytes before the seam. From ${
      hex(base + wrong)
    } on it expects ` +
      `${wanted}.\n\n${linesOf(base)}`,
    () => bytesPicture(bytes, { id: "found", title: "What it finds", address: base, from: wrong }),
  );
}

function expectMirror(bytes: Uint8Array, base: number): void {
  const first = bytes.subarray(header, header + capacity);
  const second = bytes.subarray(header + capacity);
  const wrong = first.findIndex((byte, i) => byte !== second[i]);
  const row = (name: string, from: number) => [
    name,
    hex(base + from),
    ...Array.from(bytes.subarray(from, from + 8), (byte) => byte.toString(16).padStart(2, "0")),
  ];
  expect(
    wrong === -1,
    `Byte ${wrong} of the ring differs between its two windows.\n\n${linesOf(base)}`,
    () =>
      tablePicture("windows", `From byte ${wrong} on`, [
        ["window", "address", ...Array.from({ length: 8 }, (_, i) => `+${i}`)],
        row("first", header + wrong),
        row("second", header + capacity + wrong),
      ]),
  );
}

/** A line of the kernel without device and inode, which say nothing here and make it wrap. */
function lineAt(address: number): string | undefined {
  return mapsLine(address)?.replace(/ \S+:\S+ \d+ */, " ");
}

/** The kernel's lines for the header with the first window, and for the second. */
function linesOf(base: number): string {
  return `${lineAt(base)}\n${lineAt(base + header + capacity)}`;
}

/**
 * Nothing that was mapped before may lie in the ring. The kernel puts a new mapping right below the
 * last one, so whatever is mapped beyond a short reservation covers the memory of the check.
 */
function expectOwnAddresses(mapRing: MapRing): void {
  // Another thread of the engine may unmap memory just before the call, so once proves nothing.
  const taken = firstTaken(mapRing) && firstTaken(mapRing);
  if (taken === undefined) return; // a refusal is the next check's
  const { base, start, end } = taken;
  expect(
    false,
    `Your ring covers ${hex(base)} to ${hex(base + length)}. But ${hex(start)} to ${
      hex(end)
    } was\n` +
      "mapped before your call, and you have mapped over it. In a real program, that is the memory\n" +
      "of something else, and the program ends much later, somewhere else.",
  );
}

/** Maps a ring, and returns the first range in it that was mapped before. */
function firstTaken(mapRing: MapRing): { base: number; start: number; end: number } | undefined {
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const spare = map({ length: 4 * length, protection: Protection.none, flags });
  const before = mappedRanges();
  const fd = memfd("exercise");
  allocate(fd, 0, header + capacity);
  const base = mapRing(fd, header, capacity);
  close(fd);
  const taken = base < 0
    ? undefined
    : before.find(({ start, end }) => start < base + length && end > base);
  if (base >= 0) unmap(base, length);
  unmap(spare, 4 * length);
  return taken && { base, start: taken.start, end: taken.end };
}

/** So large a ring that there are no addresses for it. */
function expectFirstRefusal(mapRing: MapRing): void {
  const huge = 2 ** 47;
  const result = mapRing(-1, header, huge);
  const said = result < 0 ? `${result}, which is ${errnoName(-result)}` : hex(result);
  expect(
    result === -ENOMEM,
    `There is no room for ${
      2 * huge
    } bytes of addresses, so the first map() returns -${ENOMEM},\n` +
      `which is ENOMEM. You returned ${said}.`,
  );
}

/** Mapping file -1 fails. The ring is so large that memory left behind shows. */
function expectRefusal(mapRing: MapRing): void {
  const large = 2 ** 30;
  const before = mappedBytes();
  const result = mapRing(-1, header, large);
  const left = mappedBytes() - before;
  if (result >= 0) unmap(result, header + 2 * large);
  expect(
    result < 0,
    `File -1 does not exist, but you returned ${hex(result)} as if all were well.`,
  );
  expect(left < large, `${errnoName(-result)} is right, but ${left} bytes are still mapped.`);
}

function mappedBytes(): number {
  return mappedRanges().reduce((total, { start, end }) => total + end - start, 0);
}
