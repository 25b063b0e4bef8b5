/**
 * The checks of the exercise. They do not compute the answer but try it out: they write a byte at one
 * address and read it at the other, in both directions.
 *
 * @module
 */

import { allocate, bufferAt, close, map, MapFlag, memfd, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { type MappedRange, mappedRanges } from "../../src/os/proc_maps.ts";
import { type Check, expect, runChecks } from "../check.ts";
import { canBeRead, mapsLine } from "../kernel_view.ts";
import { hex } from "../picture.ts";

/** An answer. */
export type IsSameByte = (a: number, b: number, ranges: MappedRange[]) => boolean;

const page = pageSize();
const protection = Protection.read | Protection.write;

/** Checks an answer and prints the results. */
export function checkSameByte(isSameByte: IsSameByte): void {
  runChecks(import.meta.url, checksOf(isSameByte));
}

/** The checks that an answer must pass. */
export function checksOf(isSameByte: IsSameByte): Check[] {
  const first = memoryFile("file", 3);
  const second = memoryFile("file", 3);
  const all = mapFile(first, { pages: 3 });
  const again = mapFile(first, { pages: 3 });
  const behind = mapFile(first, { pages: 1, offset: page });
  const other = mapFile(second, { pages: 3 });
  const copy = mapFile(first, { pages: 3, flags: MapFlag.private });
  const none = mapFile(-1, { pages: 1, flags: MapFlag.private | MapFlag.anonymous });
  const noneAgain = mapFile(-1, { pages: 1, flags: MapFlag.private | MapFlag.anonymous });
  for (const fd of [first, second]) close(fd);
  const gone = 2 * page; // never mapped: the lowest addresses stay empty

  const check = (what: string, pair: readonly [number, number], hint: string): Check => ({
    what,
    check: () => compare(isSameByte, pair),
    hint,
  });
  return [
    check(
      "an address and itself",
      [none + 5, none + 5],
      "if something is mapped there, it is the same byte.",
    ),
    check(
      "the same page of one file, mapped twice",
      [all, again],
      "find the range that holds each address, and compare the files by their inodes.",
    ),
    check("two bytes of that page", [all + 10, again + 11], "at which offset in the file is each?"),
    check(
      "a range that begins further behind in the file",
      [all + page + 7, behind + 7],
      "the offset in the file is the offset of the range, plus how far into the range you are.",
    ),
    check(
      "equally far into two ranges, but elsewhere in the file",
      [all + 7, behind + 7],
      "how far into the file is each of them?",
    ),
    check(
      "the same place in two files",
      [all + 7, other + 7],
      "what tells files apart? Both have the same label.",
    ),
    check(
      "a shared mapping and a private one",
      [all + 7, copy + 7],
      "one letter of the permissions. See One letter again.",
    ),
    check(
      "two pages of anonymous memory",
      [none, noneAgain],
      "inode 0 means that no file is behind it.",
    ),
    check(
      "a byte, and an address where nothing is mapped",
      [all, gone],
      "both addresses must be in the list.",
    ),
    check(
      "an address where nothing is mapped",
      [gone, gone],
      "an address that is not in the list means no byte at all.",
    ),
  ];
}

function memoryFile(name: string, pages: number): number {
  const fd = memfd(name);
  allocate(fd, 0, pages * page);
  return fd;
}

interface Part {
  readonly pages: number;
  readonly offset?: number;
  readonly flags?: number;
}

function mapFile(fd: number, part: Part): number {
  const { pages, offset = 0, flags = MapFlag.shared } = part;
  return map({ length: pages * page, protection, flags, fd, offset });
}

function compare(isSameByte: IsSameByte, [a, b]: readonly [number, number]): void {
  const truth = canBeRead(a) && canBeRead(b) && arrives(a, b) && arrives(b, a);
  const said = isSameByte(a, b, mappedRanges());
  const lines = Array.from(new Set([a, b]), (address) => {
    return `${hex(address)} is in  ${mapsLine(address) ?? "no range"}`;
  });
  expect(
    said === truth,
    `${lines.join("\n")}\n\n` +
      `You say ${said}. The check finds ${truth}: a byte written at one was ` +
      `${truth ? "" : "not always "}read at the other.`,
  );
}

/** Returns whether a byte that is written at one address is read at the other. */
function arrives(from: number, to: number): boolean {
  const [source, target] = [from, to].map((address) => new Uint8Array(bufferAt(address, 1)));
  const differs = target![0]! ^ 0xff;
  source![0] = differs;
  const arrived = target![0] === differs;
  for (const view of [source!, target!]) view.buffer.transfer(0);
  return arrived;
}
