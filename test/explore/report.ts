/**
 * What people read about a search.
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

/** What the report means for a scenario that is right, or broken on purpose. */
export function resultOf({ expect }: Scenario, { finding, exhausted }: Report): Outcome {
  if (finding === undefined) {
    if (expect !== undefined) return { expected: false, result: `NO ${expect.toUpperCase()}` };
    return { expected: true, result: exhausted ? "exhausted" : "stopped" };
  }
  if (finding.kind === expect) return { expected: true, result: `found ${expect}` };
  return { expected: false, result: finding.kind.toUpperCase() };
}

/** How wide the columns are; those below 0 begin at the left. */
const COLUMNS = [-24, 11, 12, 9, 9, 9, 9, 2, -20];

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => {
    const width = COLUMNS[i] ?? 0;
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  }).join("").trimEnd();
}

/** The names of the columns. */
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

/** One line about a scenario. */
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

/** What it all came to. */
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

/** The state of a search that goes on. */
export function progressLine({ name }: Scenario, report: Report): string {
  const { schedules, states, done, milliseconds } = report;
  const percent = done === 0 ? "" : `, roughly ${(100 * done).toFixed(0)} %`;
  const seconds = (milliseconds / 1000).toFixed(0);
  return `${name}: ${whole(schedules)} runs, ${whole(states)} states in ${seconds} s${percent}`;
}

/** What went wrong, how it came to that, and how to see it again. */
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
