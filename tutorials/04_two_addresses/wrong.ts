/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { pageSize } from "../../src/os/page.ts";
import type { MappedRange } from "../../src/os/proc_maps.ts";
import type { IsSameByte } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<IsSameByte>[] {
  const page = pageSize();
  const at = (address: number, ranges: MappedRange[]) =>
    ranges.find(({ start, end }) => start <= address && address < end);
  const place = (address: number, ranges: MappedRange[]) => {
    const range = at(address, ranges);
    return range && range.offset + address - range.start;
  };
  type Question = [a: number, b: number, ranges: MappedRange[]];
  const isAnonymous = (...[a, b, r]: Question) => at(a, r)?.inode === 0 && at(b, r)?.inode === 0;
  const isOneFile = (...[a, b, r]: Question) =>
    place(a, r) === place(b, r) && at(a, r)?.inode === at(b, r)?.inode && !isAnonymous(a, b, r);
  const isShared = (...[a, b, r]: Question) =>
    isOneFile(a, b, r) && [a, b].every((address) => at(address, r)?.permissions === "rw-s");
  return [
    {
      mistake: "knows no address that equals itself",
      answer: () => false,
      fails: "an address and itself",
    },
    {
      mistake: "knows only an address that equals itself",
      answer: (a, b) => a === b,
      fails: "the same page of one file",
    },
    {
      mistake: "calls all bytes one byte",
      answer: () => true,
      fails: "two bytes of that page",
    },
    {
      mistake: "compares how far the addresses are into their ranges",
      answer: (a, b, r) => a - at(a, r)!.start === b - at(b, r)!.start,
      fails: "a range that begins further behind",
    },
    {
      mistake: "compares the offsets in the pages",
      answer: (a, b) => a % page === b % page,
      fails: "equally far into two ranges",
    },
    {
      mistake: "compares the places, and not the files",
      answer: (a, b, r) => place(a, r) === place(b, r),
      fails: "the same place in two files",
    },
    {
      mistake: "overlooks that a mapping is private",
      answer: (a, b, r) => a === b || isOneFile(a, b, r),
      fails: "a shared mapping and a private one",
    },
    {
      mistake: "takes the missing file of anonymous memory for a file",
      answer: (a, b, r) => isAnonymous(a, b, r) || isShared(a, b, r),
      fails: "two pages of anonymous memory",
    },
    {
      mistake: "calls an address equal to itself where nothing is mapped",
      answer: (a, b, r) => a === b || isShared(a, b, r),
      fails: "an address where nothing is mapped",
    },
    {
      mistake: "compares the labels of the files",
      answer: (a, b, r) =>
        place(a, r) === place(b, r) && at(a, r)?.path === at(b, r)?.path && !isAnonymous(a, b, r) ||
        a === b && at(a, r) !== undefined,
      fails: "the same place in two files",
    },
  ];
}
