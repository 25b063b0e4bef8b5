/**
 * The texts that the command prints about a search.
 *
 * @module
 */

import type { Bounds, Finding, Report, Scenario } from "./engine/mod.ts";

/** Whether a scenario went as it should. */
export interface Outcome {
  readonly expected: boolean;
  /** In words. */
  readonly result: string;
}

/** Judges a report: a right scenario has no finding, and a broken one has the expected finding. */
export function resultOf({ expect }: Scenario, { finding, exhausted }: Report): Outcome {
  if (finding === undefined) {
    if (expect !== undefined) return { expected: false, result: `NO ${expect.toUpperCase()}` };
    return { expected: true, result: exhausted ? "exhausted" : "stopped" };
  }
  if (finding.kind === expect) return { expected: true, result: `found ${expect}` };
  return { expected: false, result: finding.kind.toUpperCase() };
}

/** The widths of the columns; those below 0 are aligned to the left. */
const COLUMNS = [-24, 11, 12, 9, 9, 9, 9, 2, -20];

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => {
    const width = COLUMNS[i] ?? 0;
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  }).join("").trimEnd();
}

/** Returns the names of the columns. */
export function heading(): string {
  return line([
    "scenario",
    "runs",
    "states",
    "deaths",
    "longest",
    "time",
    "runs/s",
    "",
    "result",
    "bounds",
  ]);
}

/** Returns one line about a scenario. */
export function row(
  { name }: Scenario,
  bounds: Bounds,
  report: Report,
  { result }: Outcome,
): string {
  const seconds = report.milliseconds / 1000;
  return line([
    name,
    whole(report.schedules),
    whole(report.states),
    whole(report.deaths),
    whole(report.longest),
    `${seconds.toFixed(2)} s`,
    whole(report.schedules / seconds),
    "",
    result,
    inWords(bounds),
  ]);
}

/** Returns the last line, with the sums. */
export function summary(reports: readonly Report[], unexpected: number): string {
  const sum = (of: (report: Report) => number) => reports.reduce((all, one) => all + of(one), 0);
  const seconds = sum(({ milliseconds }) => milliseconds) / 1000;
  return [
    plural(reports.length, "scenario"),
    plural(sum(({ schedules }) => schedules), "run"),
    plural(sum(({ deaths }) => deaths), "death"),
    `${seconds.toFixed(1)} s`,
    unexpected === 0 ? "all as expected" : `${unexpected} NOT AS EXPECTED`,
  ].join(", ");
}

/** Describes a search that still runs. */
export function progressLine({ name }: Scenario, report: Report): string {
  const { schedules, states, done, milliseconds } = report;
  const percent = done === 0 ? "" : `, roughly ${(100 * done).toFixed(0)} %`;
  const seconds = (milliseconds / 1000).toFixed(0);
  return `${name}: ${whole(schedules)} runs, ${whole(states)} states in ${seconds} s${percent}`;
}

/** Describes a finding: the problem, its trace, and the command that replays it. */
export function describeFinding({ name }: Scenario, finding: Finding): string {
  return [
    `  ${finding.kind}: ${finding.message}`,
    "",
    ...finding.trace.map((step) => `    ${step}`),
    "",
    `  deno task explore ${name} --replay '${finding.token}'`,
    "",
  ].join("\n");
}

function inWords({ preemptions, deaths, noise }: Bounds): string {
  const parts = [plural(preemptions, "preemption")];
  if (deaths > 0) parts.push(plural(deaths, "death"));
  if (noise > 0) parts.push(`noise ${noise}`);
  return parts.join(", ");
}

function plural(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
