/**
 * The checks of the exercise: the machine walks the tables that the answer has filled in.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { Fault } from "./fault.ts";
import { Machine } from "./machine.ts";
import { PageTables } from "./pages.ts";
import { FRAME, PhysicalMemory } from "./physical.ts";
import { hex } from "./tables.ts";
import type { Tlb } from "./tlb.ts";

/** What an answer works with. */
export interface Desk {
  /** Loads and stores words, and gives out frames. */
  readonly memory: Pick<PhysicalMemory, "load32" | "store32" | "allocate">;
  /** Where the first-level table is in it. */
  readonly root: number;
  readonly tlb: Pick<Tlb, "invalidate" | "invalidateAll">;
}

/** An answer. */
export type MapMirror = (desk: Desk, base: number, frames: readonly number[]) => void;

/** Checks an answer and prints the results. */
export function checkMapMirror(mapMirror: MapMirror): void {
  runChecks(import.meta.url, checksOf(mapMirror));
}

const BASE = 0x0080_0000;
/** Two pages before the first 4 MiB of the upper half end. */
const EDGE = 0x8040_0000 - 2 * FRAME;

/** The checks that an answer must pass. */
export function checksOf(mapMirror: MapMirror): Check[] {
  const made = (base: number, count: number) => {
    const bench = new Bench();
    const frames = bench.takeFrames(count);
    mapMirror(bench, base, frames);
    return { bench, frames };
  };
  return [
    {
      what: "the first pages lead to the frames, in their order",
      check: () => {
        const { bench, frames } = made(BASE, 3);
        bench.expectPages(BASE, frames);
      },
      hint: "page i from the base on leads to frames[i].",
    },
    {
      what: "the pages behind them lead to the same frames again",
      check: () => {
        const { bench, frames } = made(BASE, 3);
        bench.expectPages(BASE, [...frames, ...frames]);
      },
      hint: "behind the last frame comes the first: i % frames.length.",
    },
    {
      what: "all code may load and store there",
      check: () => {
        const { bench, frames } = made(BASE, 2);
        bench.expectUsable(BASE, 2 * frames.length);
      },
      hint: "present, writable and for all code: 1, 2 and 4.",
    },
    {
      what: "a mirror that begins in one second-level table and ends in the next",
      check: () => {
        const { bench, frames } = made(EDGE, 2);
        bench.expectPages(EDGE, [...frames, ...frames]);
      },
      hint:
        "which entry of the first table is for a page? Ask for each page. Shift with >>>, which " +
        "knows no sign.",
    },
    {
      what: "pages that were mapped before still lead to their frames",
      check: () => {
        const bench = new Bench();
        const [frame = 0] = bench.takeFrames(1);
        const before = [BASE - FRAME, BASE + 4 * FRAME, EDGE - FRAME, EDGE + 4 * FRAME];
        for (const page of before) bench.tables.map(page, frame);
        for (const base of [BASE, EDGE]) mapMirror(bench, base, bench.takeFrames(2));
        for (const page of before) {
          bench.expectPage(page, frame, "It was mapped before your call. ");
        }
      },
      hint: "if the entry of the first table is present, there is a table already: use it.",
    },
    {
      what: "it takes no more frames for tables than it needs",
      check: () => {
        expectTaken(mapMirror, BASE, 2, 1);
        expectTaken(mapMirror, EDGE, 2, 2);
      },
      hint: "one table has entries for 1024 pages. Take a frame only if the entry is not present.",
    },
    {
      what: "the TLB knows no page of the mirror from before",
      check: () => {
        for (const page of [0, 1, 2, 3]) expectForgotten(mapMirror, BASE + page * FRAME);
      },
      hint: "after an entry has changed, call tlb.invalidate() with the first address of its page.",
    },
    {
      what: "a page may be in use while you work",
      check: () => expectForgotten(mapMirror, BASE, true),
      hint: "an access between the two loads the translation again. Change the entry first.",
    },
    {
      what: "the TLB still knows all other pages",
      check: () => expectRemembered(mapMirror),
      hint:
        "invalidate the pages that you have mapped, and no others: each would have to walk again.",
    },
  ];
}

/** A machine that an answer fills in. */
class Bench implements Desk {
  readonly memory = new PhysicalMemory(64 * FRAME);
  readonly tables = new PageTables(this.memory);
  readonly machine = new Machine(this.memory, this.tables);
  readonly root = this.tables.root;
  readonly tlb = this.machine.tlb;

  takeFrames(count: number): number[] {
    return Array.from({ length: count }, () => this.memory.allocate());
  }

  expectPages(base: number, frames: readonly number[]): void {
    const all = frames.map(hex).join(", ");
    for (const [i, frame] of frames.entries()) {
      this.expectPage(
        base + i * FRAME,
        frame,
        `From ${hex(base)} on, the frames should be\n${all}.\n`,
      );
    }
  }

  expectPage(page: number, frame: number, why: string): void {
    const { steps, found } = this.tables.walk(page);
    const { table, index, entry, meaning } = steps.at(-1)!;
    expect(
      found?.frame === frame,
      `${why}But the page ${hex(page)} does not lead to ${hex(frame)}:\n` +
        `entry ${index} of the ${table} table is ${hex(entry)}: ${meaning}.`,
    );
  }

  expectUsable(base: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = base + i * FRAME;
      try {
        this.machine.store8(page, 1);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect(false, `User code stores a byte at ${hex(page)}.\n${error.message}`);
      }
    }
  }
}

function expectTaken(mapMirror: MapMirror, base: number, count: number, tables: number): void {
  const bench = new Bench();
  const frames = bench.takeFrames(count);
  const before = bench.memory.allocate();
  mapMirror(bench, base, frames);
  const taken = (bench.memory.allocate() - before) / FRAME - 1;
  expect(
    taken === tables,
    `${2 * count} pages from ${hex(base)} on need ${tables} second-level ` +
      `${tables === 1 ? "table" : "tables"}. You took ${taken} frames.`,
  );
}

/**
 * One page of the mirror had another frame, and the TLB knows it. With `isBusy`, a program uses the
 * page again right after each invalidation, as code on another processor may.
 */
function expectForgotten(mapMirror: MapMirror, page: number, isBusy = false): void {
  const bench = new Bench();
  const [old = 0, ...frames] = bench.takeFrames(3);
  bench.tables.map(page, old);
  bench.machine.store32(page, 0x1d);
  const { memory, root, tlb } = bench;
  const invalidate = (each: number) => {
    tlb.invalidate(each);
    if (isBusy) bench.machine.load32(page);
  };
  const invalidateAll = () => tlb.invalidateAll();
  mapMirror({ memory, root, tlb: { invalidate, invalidateAll } }, BASE, frames);
  const loaded = bench.machine.load32(page);
  expect(
    loaded === 0,
    `Before your call, page ${(page - BASE) / FRAME} of the mirror led to ${hex(old)}, and a ` +
      `program stored ${hex(0x1d)} there.\nYour entry leads to another frame, which is full of ` +
      `zeros. But the program still loads\n${hex(loaded)}: the TLB has the old translation` +
      `${isBusy ? ". The program used the page\nright after you had invalidated it" : ""}.`,
  );
}

function expectRemembered(mapMirror: MapMirror): void {
  const bench = new Bench();
  const others = [0, BASE - FRAME, BASE + 4 * FRAME];
  const [frame = 0] = bench.takeFrames(1);
  for (const page of others) {
    bench.tables.map(page, frame);
    bench.machine.load8(page);
  }
  mapMirror(bench, BASE, bench.takeFrames(2));
  for (const page of others) {
    bench.machine.load8(page);
    expect(
      bench.machine.last!.hit,
      `The program uses page ${
        hex(page)
      }, whose entry you have not changed. Its translation was in\n` +
        "the TLB before your call, and is gone.",
    );
  }
}
