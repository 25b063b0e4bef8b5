/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { Desk, MapMirror } from "./check.ts";

/** What differs between an answer and the right one. */
interface Mistake {
  readonly bits?: number;
  readonly frame?: (i: number, count: number) => number;
  readonly pages?: (count: number) => number;
  readonly first?: (page: number, base: number) => number;
  readonly second?: (page: number) => number;
  readonly alwaysTakes?: boolean;
  readonly forget?: (tlb: Desk["tlb"], page: number, base: number) => void;
}

/** Makes the right answer, with a mistake. */
function answerWith({
  bits = 7,
  frame = (i, count) => i % count,
  pages = (count) => 2 * count,
  first = (page) => page >>> 22,
  second = (page) => page >>> 12 & 1023,
  alwaysTakes = false,
  forget = (tlb, page) => tlb.invalidate(page),
}: Mistake): MapMirror {
  return ({ memory, root, tlb }, base, frames) => {
    for (let i = 0; i < pages(frames.length); i++) {
      const page = base + 4096 * i;
      const at = root + 4 * first(page, base);
      const isThere = (memory.load32(at) & 1) !== 0 && !(alwaysTakes && i === 0);
      if (!isThere) memory.store32(at, memory.allocate() | 1);
      const table = memory.load32(at) & ~4095;
      memory.store32(table + 4 * second(page), frames[frame(i, frames.length)]! | bits);
      forget(tlb, page, base);
    }
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<MapMirror>[] {
  const answers: [mistake: string, Mistake, fails: string][] = [
    ["fills in nothing", { pages: () => 0 }, "the first pages"],
    ["leaves out the present bit", { bits: 6 }, "the first pages"],
    ["maps the frames in the reverse order", {
      frame: (i, count) => (2 * count - 1 - i) % count,
    }, "the first pages"],
    ["maps the frames once", { pages: (count) => count }, "the pages behind them"],
    ["lets the second window begin one frame too far", {
      frame: (i, count) => (i < count ? i : i + 1) % count,
    }, "the pages behind them"],
    ["repeats each frame", { frame: (i) => i >> 1 }, "the first pages"],
    ["maps for loads only", { bits: 5 }, "all code"],
    ["maps for the kernel only", { bits: 3 }, "all code"],
    ["uses the table of the first page for all", {
      first: (_page, base) => base >>> 22,
    }, "a mirror that begins"],
    ["shifts with the sign", { first: (page) => page >> 22 }, "a mirror that begins"],
    ["takes a new table each time", { alwaysTakes: true }, "pages that were mapped before"],
    ["does not tell the TLB", { forget: () => {} }, "the TLB knows no page"],
    ["tells the TLB of the first page only", {
      forget: (tlb, _page, base) => tlb.invalidate(base),
    }, "the TLB knows no page"],
    ["makes the TLB forget everything", {
      forget: (tlb) => tlb.invalidateAll(),
    }, "the TLB still knows"],
  ];
  const frameForEach: MapMirror = (desk, base, frames) => {
    frames.forEach(() => desk.memory.allocate());
    answerWith({})(desk, base, frames);
  };
  const tellsFirst: MapMirror = (desk, base, frames) => {
    for (let i = 0; i < 2 * frames.length; i++) desk.tlb.invalidate(base + 4096 * i);
    answerWith({ forget: () => {} })(desk, base, frames);
  };
  return [
    { mistake: "tells the TLB too early", answer: tellsFirst, fails: "a page may be in use" },
    ...answers.map(([mistake, how, fails]) => ({ mistake, answer: answerWith(how), fails })),
    {
      mistake: "takes frames that it does not use",
      answer: frameForEach,
      fails: "it takes no more",
    },
  ];
}
