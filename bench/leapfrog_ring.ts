/**
 * `LeapfrogRing` beside `MirrorRing`: the same messages through both, alone and with a Worker that
 * runs on another processor.
 *
 * A leap changes the page tables, and each processor that runs this process has to drop the old
 * addresses from its TLB. An idle process has no such other processor; a busy Worker is one. The
 * kernel counts these interrupts in /proc/interrupts, for all processes together.
 *
 * @module
 */

import { LeapfrogRing } from "../src/mirror_ring/leapfrog_ring.ts";
import { MirrorRing } from "../src/mirror_ring/mirror_ring.ts";
import { now } from "../src/os/clock.ts";
import { wholePages } from "../src/os/page.ts";
import { allowedCpus, settleOn } from "./harness/machine.ts";
import { type Bar, printTable } from "./harness/report.ts";
import { median, ratio, type Round } from "./harness/rounds.ts";
import { compareRuns } from "./harness/settings.ts";
import { settledWorker } from "./harness/workers.ts";

const CASES = [
  { size: 64, pages: 1 },
  { size: 1024, pages: 1 },
  { size: 1024, pages: 16 },
  { size: 65536, pages: 256 },
];

const ROUNDS = { rounds: 21, warmUp: 6 };
const BLOCKS = 8;
const BLOCK_NS = 200e3;

/** Writes and reads that many messages, one after the other. */
type Work = (count: number) => void;

/** Measures, prints the times and what a leap costs; this ring has no bar to reach. */
export async function measureLeapfrogRing(): Promise<Bar[]> {
  const rows = [[
    "message, ring",
    "neighbour",
    "times the mirror",
    "each leap",
    "interrupts a leap",
  ]];
  const cpus = allowedCpus();
  settleOn(cpus.slice(0, 1), Deno.pid);
  for (const { size, pages } of CASES) rows.push(await measure(size, pages, "none"));
  if (cpus.length > 1) {
    const module = new URL("./busy_neighbour.ts", import.meta.url).href;
    const worker = await settledWorker(module, cpus[1]!, "busy neighbour");
    worker.postMessage("go");
    for (const { size, pages } of CASES) rows.push(await measure(size, pages, "a busy Worker"));
    worker.terminate();
  }
  settleOn(cpus, Deno.pid);
  console.log("\nWhat a leap costs, beyond the time of the mirror ring");
  printTable("llrrr", rows);
  return [];
}

async function measure(size: number, pages: number, neighbour: string): Promise<string[]> {
  const capacity = wholePages(1) * pages;
  const source = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  using mirror = new MirrorRing(capacity);
  using leapfrog = new LeapfrogRing(capacity);
  const target = new Uint8Array(size);
  const counted = countingRound(leapfrogWork(leapfrog, source, target), leapfrog);
  const what = `${size} B, ring of ${capacity / 1024} KiB`;
  const [mirrorRun, leapfrogRun] = await compareRuns(
    `Mirror ring and leapfrog ring: a message written and read, ${what}, neighbour: ${neighbour}`,
    [
      { name: "mirror ring", round: countingRound(mirrorWork(mirror, source, target)).round },
      { name: "leapfrog ring", round: counted.round },
    ],
    ROUNDS,
  );
  const times = [leapfrogRun!, mirrorRun].map(({ rounds }) => median(rounds.map((r) => r.typical)));
  const perLeap = (times[0]! - times[1]!) * capacity / size;
  return [
    what,
    neighbour,
    ratio(mirrorRun, leapfrogRun!).median.toFixed(2),
    `${(perLeap / 1000).toFixed(2)} us`,
    (counted.interrupts() / leapfrog.leaps).toFixed(2),
  ];
}

// The next two are the same line for line, so that each call site sees rings of one class only.

function mirrorWork(ring: MirrorRing, source: Uint8Array, target: Uint8Array): Work {
  return (count) => {
    for (let i = 0; i < count; i++) {
      ring.write(source);
      ring.read(target);
    }
  };
}

function leapfrogWork(ring: LeapfrogRing, source: Uint8Array, target: Uint8Array): Work {
  return (count) => {
    for (let i = 0; i < count; i++) {
      ring.write(source);
      ring.read(target);
    }
  };
}

function countingRound(work: Work, ring?: LeapfrogRing): {
  round: () => Round;
  interrupts: () => number;
} {
  let [count, interrupts] = [1, 0];
  const round = () => {
    const before = ring === undefined ? 0 : tlbShootdowns();
    const times = Array.from({ length: BLOCKS }, () => {
      const begin = now();
      work(count);
      return (now() - begin) / count;
    });
    if (ring !== undefined) interrupts += tlbShootdowns() - before;
    count = Math.max(1, Math.round(BLOCK_NS / Math.min(...times)));
    return { typical: median(times) };
  };
  return { round, interrupts: () => interrupts };
}

/** The interrupts on all processors that made one drop addresses; NaN where none are counted. */
function tlbShootdowns(): number {
  const line = /^ *TLB:((?: +\d+)+)/m.exec(Deno.readTextFileSync("/proc/interrupts"))?.[1];
  return line === undefined ? NaN : line.trim().split(/ +/).reduce((sum, n) => sum + Number(n), 0);
}
