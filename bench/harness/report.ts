/**
 * Figures as text.
 *
 * @module
 */

import { median, type Placement, quantile, type Ratio, ratio, type Run } from "./rounds.ts";

/** The largest ratio that is good enough: everywhere, or for each placement of the processors. */
export type Limit = number | Readonly<Record<Placement, number>>;

/** A limit that a ratio has to stay under. */
export interface Bar {
  /** The two sides of the comparison, in words. */
  readonly what: string;
  readonly limit: number;
  /** The measured ratio, or why it is missing. */
  readonly measured: Ratio | string;
}

/** The bars of a run: one, or one for each placement. */
export function barsOf(
  what: string,
  limit: Limit,
  measure: (placement?: Placement) => Ratio,
): Bar[] {
  if (typeof limit === "number") return [{ what, limit, measured: measure() }];
  return PLACEMENTS.map((placement) => {
    const measured = measure(placement);
    return {
      what: `${what}, ${placement}`,
      limit: limit[placement],
      measured: measured.counted > 0 ? measured : `the processors were not ${placement}`,
    };
  });
}

/** The bars that nothing was measured for, and why. */
export function unmeasured(what: string, limit: Limit, why: string): Bar[] {
  if (typeof limit === "number") return [{ what, limit, measured: why }];
  return PLACEMENTS.map((placement) => ({
    what: `${what}, ${placement}`,
    limit: limit[placement],
    measured: why,
  }));
}

const PLACEMENTS: Placement[] = ["near", "far"];

/** Fewer rounds than this are too few to judge by. */
const ENOUGH_ROUNDS = 5;

const SHARES = [0.5, 0.99, 0.999];

/**
 * Prints the time of each operation; the first run of a comparison is the floor of its others.
 * Shares are given where operations were timed one by one, with a look at the clock in each.
 */
export function printTimes(comparisons: Run[][]): void {
  const timedOneByOne = comparisons.flat().some((run) => run.rounds[0]?.each !== undefined);
  const shares = timedOneByOne ? SHARES : [];
  const rows = comparisons.flatMap((runs) =>
    runs.map((run, i) => {
      const times = timesOf(run, shares);
      return [run.name, ...times, i === 0 ? "" : factor(ratio(runs[0]!, run).median)];
    })
  );
  const head = ["", "typical", ...shares.map((share) => `p${share * 100}`), "times the floor"];
  printTable("l" + "r".repeat(head.length - 1), [head, ...rows]);
}

function timesOf({ rounds }: Run, shares: number[]): string[] {
  const typical = median(rounds.map((round) => round.typical));
  const each = Float64Array.from(rounds.flatMap((round) => [...round.each ?? []])).sort();
  return [time(typical), ...shares.map((share) => time(quantile(each, share)))];
}

/** Prints how many messages of a size, and how many bytes, went through in a second. */
export function printRates(sizeBytes: number, runs: Run[]): void {
  const rows = runs.map(({ name, rounds }) => {
    const perSecond = 1e9 / median(rounds.map((round) => round.typical));
    const messages = perSecond < 1e5
      ? `${perSecond.toFixed(0)} /s`
      : `${(perSecond / 1e6).toFixed(2)} M/s`;
    return [name, messages, `${(perSecond * sizeBytes / 1e9).toFixed(2)} GB/s`];
  });
  printTable("lrr", rows);
}

/** Prints every bar with its verdict. */
export function printBars(bars: Bar[]): void {
  console.log("\nBars: the median of the ratios, what eight of ten rounds lie between, the limit");
  printTable("lrlrl", bars.map((bar) => [bar.what, ...figuresOf(bar)]));
}

function figuresOf({ limit, measured }: Bar): string[] {
  const bar = `at most ${factor(limit)}`;
  if (typeof measured === "string") return ["", "", bar, `skipped: ${measured}`];
  const { median, low, high, counted, of } = measured;
  const rounds = counted < of ? ` (${counted} of ${of} rounds)` : "";
  return [
    factor(median),
    `${factor(low)} .. ${factor(high)}`,
    bar,
    verdictOf(limit, measured) + rounds,
  ];
}

/** Whether a measured ratio is within its limit, if there are enough rounds to tell. */
export function verdictOf(limit: number, { median, counted }: Ratio): string {
  return counted < ENOUGH_ROUNDS ? "UNCLEAR" : median <= limit ? "met" : "MISSED";
}

/** Prints rows in columns, each aligned to its left (l) or right (r). */
export function printTable(alignment: string, rows: string[][]): void {
  const widths = [...alignment].map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      alignment[i] === "l" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    );
    console.log(`  ${cells.join("  ").trimEnd()}`);
  }
}

function factor(value: number): string {
  return Number.isNaN(value) ? "?" : value.toFixed(2);
}

/** A share of a processor, of which a thousandth counts. */
export function percent(share: number): string {
  return `${share.toFixed(3)} %`;
}

/** Nanoseconds in the unit that suits them; nothing for NaN. */
export function time(ns: number): string {
  if (Number.isNaN(ns)) return "";
  if (ns < 99.95) return `${ns.toFixed(1)} ns`;
  if (ns < 999.5) return `${ns.toFixed(0)} ns`;
  if (ns < 99.95e3) return `${(ns / 1e3).toFixed(1)} us`;
  if (ns < 999.5e3) return `${(ns / 1e3).toFixed(0)} us`;
  return `${(ns / 1e6).toFixed(1)} ms`;
}
