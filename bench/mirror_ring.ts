/**
 * `MirrorRing` against a masked ring that copies in two parts: the workloads, and the bars that the
 * mirror has to reach. `mirror_ring_bench.ts` shows the same workloads as `deno bench` does.
 *
 * @module
 */

import { MirrorRing } from "../src/mirror_ring/mirror_ring.ts";
import { now } from "../src/os/clock.ts";
import { wholePages } from "../src/os/page.ts";
import { type Bar, barsOf } from "./harness/report.ts";
import { type Contender, median, ratio } from "./harness/rounds.ts";
import { compareRuns } from "./harness/settings.ts";
import { MaskedRing } from "./masked_ring.ts";

/** How many of the messages cross the end of the memory. */
export type Wrapping = "none" | "some" | "all";

/** Writes and reads that many messages, one after the other. */
export type Work = (count: number) => void;

/** One workload, for both rings. */
export interface Case {
  /** The message size and how many messages wrap. */
  readonly name: string;
  /** How many messages wrap. */
  readonly wrapping: Wrapping;
  /** The work with a new mirror ring. */
  mirror(): Work;
  /** The work with a new masked ring. */
  masked(): Work;
}

/** Rings that hold a few messages: with pages of 4 KiB, one in 64, in 16 and in 4 wraps, if some do. */
const SIZES = [
  { label: "64 B", size: 64, capacity: wholePages(4096) },
  { label: "1 KB", size: 1024, capacity: wholePages(16384) },
  { label: "64 KB", size: 65536, capacity: wholePages(262144) },
];

/** How far off a multiple of the message size the messages begin, so that they can wrap. */
const SHIFT = 40;

interface Plan {
  readonly capacity: number;
  /** Where the first message begins. */
  readonly start: number;
  /** The distance to skip after a message without copying, so that the next one wraps too. */
  readonly step: number;
  readonly source: Uint8Array;
  readonly target: Uint8Array;
}

/** Every workload. */
export function* cases(): Generator<Case> {
  for (const { label, size, capacity } of SIZES) {
    const source = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    const buffers = { source, target: new Uint8Array(size) };
    for (const wrapping of ["none", "some", "all"] as const) {
      const start = { none: 0, some: SHIFT, all: capacity - SHIFT }[wrapping];
      const step = wrapping === "all" ? capacity - size : 0;
      const plan = { capacity, start, step, ...buffers };
      yield {
        name: `${label}, ${wrapping} wrap`,
        wrapping,
        mirror: () => throughMirror(plan),
        masked: () => throughMasked(plan),
      };
    }
  }
}

// The next two functions are the same line for line. They are two so that each has call sites of
// its own, which the engine can fit to the one class that comes along.

function throughMirror({ capacity, start, step, source, target }: Plan): Work {
  const ring = new MirrorRing(capacity);
  ring.commit(ring.claim(start).length);
  ring.consume(start);
  return (count) => {
    for (let i = 0; i < count; i++) {
      ring.write(source);
      ring.read(target);
      if (step === 0) continue;
      ring.commit(ring.claim(step).length);
      ring.consume(step);
    }
  };
}

function throughMasked({ capacity, start, step, source, target }: Plan): Work {
  const ring = new MaskedRing(capacity);
  ring.commit(ring.claim(start).length);
  ring.consume(start);
  return (count) => {
    for (let i = 0; i < count; i++) {
      ring.write(source);
      ring.read(target);
      if (step === 0) continue;
      ring.commit(ring.claim(step).length);
      ring.consume(step);
    }
  };
}

const BLOCKS = 8;
const BLOCK_NS = 200e3;
const ROUNDS = { rounds: 41, warmUp: 10 };

/** The place of its memory makes a ring some per cent faster or slower: so take several. */
const RINGS = 8;

/** The limits of a message, relative to the masked ring: no more if it wraps, else little more. */
const LIMITS = { none: 1.1, some: 1.1, all: 1 };

/** Measures, prints the times and returns the bars. */
export async function measureMirrorRing(): Promise<Bar[]> {
  const bars: Bar[] = [];
  for (const { name, wrapping, mirror, masked } of cases()) {
    const [maskedRun, mirrorRun] = await compareRuns(
      `Mirror ring and masked ring: a message written and read, ${name}`,
      [contender("masked ring", masked), contender("mirror ring", mirror)],
      ROUNDS,
    );
    const what = `mirror ring / masked ring, ${name}`;
    bars.push(...barsOf(what, LIMITS[wrapping], () => ratio(maskedRun, mirrorRun!)));
  }
  return bars;
}

function contender(name: string, makeWork: () => Work): Contender {
  const works = Array.from({ length: RINGS }, makeWork);
  let rounds = 0;
  let count = 1;
  const round = () => {
    const work = works[rounds++ % RINGS]!;
    const times = Array.from({ length: BLOCKS }, () => {
      const before = now();
      work(count);
      return (now() - before) / count;
    });
    count = Math.max(1, Math.round(BLOCK_NS / Math.min(...times)));
    return { typical: median(times) };
  };
  return { name, round };
}
