/**
 * The checks of the exercise. They do not compute the answer: they write the bytes and let the kernel
 * count.
 *
 * @module
 */

import { bufferAt, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { type Check, expect, runChecks } from "../check.ts";
import { residentBytes } from "../kernel_view.ts";
import { hex } from "../picture.ts";
import { pagesPicture } from "../stage/pictures.ts";

/** An answer. */
export type PagesTouched = (address: number, length: number, page: number) => number;

const PAGES = 6;
const page = pageSize();

/** Checks an answer and prints the results. */
export function checkPagesTouched(pagesTouched: PagesTouched): void {
  runChecks(import.meta.url, checksOf(pagesTouched));
}

/** The checks that an answer must pass. */
export function checksOf(pagesTouched: PagesTouched): Check[] {
  const check = (what: string, range: { from: number; length: number }, hint: string): Check => ({
    what,
    check: () => compare(pagesTouched, range.from, range.length),
    hint,
  });
  return [
    check(
      "one page, from its first byte to its last",
      { from: page, length: page },
      "both ends count, and both are in the same page.",
    ),
    check(
      "a few bytes in the middle of a page",
      { from: page + 300, length: 20 },
      "one touched byte is enough to touch the page.",
    ),
    check(
      "two bytes, one on each side of an edge",
      { from: 2 * page - 1, length: 2 },
      "the length alone cannot tell: in which page is the first byte, and in which is the last?",
    ),
    check(
      "more than two pages, beginning in the middle of one",
      { from: page + 100, length: 2 * page + 50 },
      "in which page is the first byte, and in which is the last?",
    ),
    check(
      "up to the edge and not beyond",
      { from: 2 * page - 7, length: page + 7 },
      "the last byte is at address + length - 1.",
    ),
    check(
      "no byte at all",
      { from: 2 * page + 50, length: 0 },
      "without a last byte, no page is touched.",
    ),
  ];
}

/** Writes the range into untouched pages, and compares the answer with the kernel's count. */
function compare(pagesTouched: PagesTouched, from: number, length: number): void {
  const flags = MapFlag.private | MapFlag.anonymous;
  const all = { length: (PAGES + 2) * page, protection: Protection.none, flags };
  const wall = map(all);
  const start = wall + page; // a page before and one behind stay closed, and so the range is ours
  const protection = Protection.read | Protection.write;
  map({ address: start, length: PAGES * page, protection, flags: flags | MapFlag.fixed });
  const bytes = new Uint8Array(bufferAt(start, PAGES * page));
  try {
    bytes.fill(1, from, from + length);
    const counted = residentBytes(start) / page;
    const said = pagesTouched(start + from, length, page);
    expect(
      said === counted,
      `${length} bytes from ${hex(start + from)} on, where a page has ${page} bytes.\n` +
        `You say ${said}, and the kernel counts ${counted}.`,
      () => {
        const title = `The pages from ${hex(start)} on`;
        const states = Array.from({ length: PAGES }, (_, i) => marked(bytes, i));
        return pagesPicture(
          "pages",
          title,
          states.map((isTouched, i) => [isTouched ? "memory" : "empty", `${i}`]),
        );
      },
    );
  } finally {
    bytes.buffer.transfer(0);
    unmap(wall, all.length);
  }
}

function marked(bytes: Uint8Array, index: number): boolean {
  return bytes.subarray(index * page, (index + 1) * page).includes(1);
}
