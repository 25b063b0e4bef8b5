/**
 * Compares two runs of the benches, which `deno task bench --json FILE` has written.
 *
 * Each round is divided by the floor around it, so that it makes no difference if the processors
 * moved. Two runs differ only if all of these agree, because each alone finds differences between
 * runs of the same code:
 *
 * - The spreads are disjoint: eight of ten rounds of one run are all below those of the other.
 * - The ratio of the medians is beyond what chance explains: rounds are drawn again at random, a
 *   thousand times, and 99 of 100 such ratios are above the noise, or below its inverse.
 * - The noise is how much the controls differ: C and others that are the same in both runs. Four of
 *   five differ by less. It is at least {@linkcode LEAST_OF_ONE}, because the engine may compile the
 *   same code otherwise in another process; with several files a side, {@linkcode LEAST}.
 *
 * @module
 */

import { printTable } from "./report.ts";
import { floorsAround, median, placementOf, quantile, spread } from "./rounds.ts";
import type { Recorded } from "./settings.ts";

/** The file of a run. */
export interface Report {
  readonly runs: readonly Recorded[];
}

/** Smaller differences do not count: the same code elsewhere in memory differs so much. */
const LEAST = 1.05;

/** The same between single runs. */
const LEAST_OF_ONE = 1.4;

const DRAWS = 1000;
const ENOUGH_ROUNDS = 5;

/** The comparison of one contender. */
export interface Verdict {
  readonly what: string;
  /** The median of the second run over that of the first. */
  readonly ratio: number;
  /** What 98 of 100 of such ratios lie between, when rounds are drawn again. */
  readonly low: number;
  readonly high: number;
  readonly verdict: "faster" | "slower" | "no difference" | "too few rounds" | "control";
}

/** Contenders that are the same in all runs, and show how much the machine has changed. */
const CONTROL = /^(C|Deno|ringbuf\.js),/;

/** Compares all contenders that both sides have: some runs before, and some after. */
export function compareReports(before: Report[], after: Report[]): Verdict[] {
  const later = figuresOf(after);
  const pairs = [...figuresOf(before)].flatMap(([what, a]) => {
    const b = later.get(what);
    return b === undefined ? [] : [{ what, ...a, later: b.ratios }];
  });
  const least = Math.min(before.length, after.length) > 1 ? LEAST : LEAST_OF_ONE;
  const noise = Math.max(least, noiseOf(pairs.filter(({ isControl }) => isControl)));
  return pairs.map(({ what, isControl, ratios, later }): Verdict => {
    const found = judge(ratios, later, noise);
    return { what, ...found, verdict: isControl ? "control" : found.verdict };
  });
}

/** By which factor controls differ between the runs; four of five by less. */
function noiseOf(controls: { ratios: number[]; later: number[] }[]): number {
  const enough = controls.filter(({ ratios, later }) => isEnough(ratios, later));
  const factors = enough.map(({ ratios, later }) => {
    const factor = median(later) / median(ratios);
    return Math.max(factor, 1 / factor);
  });
  return quantile(Float64Array.from(factors).sort(), 0.8) || 0; // NaN without controls
}

function isEnough(a: number[], b: number[]): boolean {
  return Math.min(a.length, b.length) >= ENOUGH_ROUNDS;
}

/** The rounds of a contender as ratios to the floor. */
interface Figures {
  readonly ratios: number[];
  readonly isControl: boolean;
}

/** The figures of each contender, for each placement of the processors, by its name. */
function figuresOf(reports: Report[]): Map<string, Figures> {
  const figures = new Map<string, Figures>();
  const comparisons = reports.flatMap(({ runs }) => [...Map.groupBy(runs, ({ title }) => title)]);
  for (const [title, all] of comparisons) {
    const [floor, ...others] = all.map(({ name, times }) => ({
      name,
      rounds: times.map((typical) => ({ typical })),
    }));
    const around = floorsAround(floor!);
    const tellsPlacement = floor!.name.startsWith("C, words");
    for (const { name, rounds } of others) {
      for (const [i, { typical }] of rounds.entries()) {
        const ns = around[i]!;
        if (Number.isNaN(ns)) continue;
        const what = `${title}: ${name}${tellsPlacement ? `, ${placementOf(ns)}` : ""}`;
        if (!figures.has(what)) figures.set(what, { ratios: [], isControl: CONTROL.test(name) });
        figures.get(what)!.ratios.push(typical / ns);
      }
    }
  }
  return figures;
}

function judge(a: number[], b: number[], noise: number): Omit<Verdict, "what"> {
  const ratio = median(b) / median(a);
  if (!isEnough(a, b)) return { ratio, low: NaN, high: NaN, verdict: "too few rounds" };
  const draws = Float64Array.from({ length: DRAWS }, () => median(draw(b)) / median(draw(a)))
    .sort();
  const figures = { ratio, low: quantile(draws, 0.01), high: quantile(draws, 0.99) };
  const [before, after] = [spread(a), spread(b)];
  if (figures.low > noise && after.low > before.high) return { ...figures, verdict: "slower" };
  if (figures.high < 1 / noise && after.high < before.low) return { ...figures, verdict: "faster" };
  return { ...figures, verdict: "no difference" };
}

let state = 1; // of a generator, so that the same files give the same verdict

/** As many of the samples, drawn at random. */
function draw(samples: number[]): number[] {
  return samples.map(() => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return samples[Math.floor(state / 2 ** 32 * samples.length)]!;
  });
}

/** Prints the comparison of two files, or of some before and some after, with commas between. */
export function compareFiles(before: string, after: string): void {
  const [a, b] = [before, after].map((paths) =>
    paths.split(",").map((path): Report => JSON.parse(Deno.readTextFileSync(path)))
  );
  const verdicts = compareReports(a!, b!);
  console.log("The second over the first: the ratio, what chance explains, the verdict");
  printTable(
    "lrrl",
    verdicts.map(({ what, ratio, low, high, verdict }) => [
      what,
      ratio.toFixed(2),
      Number.isNaN(low) ? "" : `${low.toFixed(2)} .. ${high.toFixed(2)}`,
      verdict,
    ]),
  );
  for (const kind of ["faster", "slower", "no difference", "too few rounds", "control"]) {
    console.log(`${kind}: ${verdicts.filter(({ verdict }) => verdict === kind).length}`);
  }
}
