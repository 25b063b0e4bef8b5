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
  if (finding.kind === expect) return { expected: true, result: finding.kind };
  return { expected: false, result: finding.kind.toUpperCase() };
}

/** The widths of the columns, 80 in all; those below 0 are aligned to the left. */
const WIDTHS = [-23, 9, 9, 7, 8, 7, -14];

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => {
    const width = WIDTHS[i]!;
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  }).join(" ").trimEnd();
}

/** Returns the names of the columns. */
export function heading(): string {
  return "Bounds are preemptions/deaths/noise, and reorderings if memory is weak.\n" +
    line(["scenario", "runs", "states", "deaths", "time", "bounds", "result"]);
}

/** Returns one line about a scenario. */
export function row(
  { name }: Scenario,
  bounds: Bounds,
  report: Report,
  { result }: Outcome,
): string {
  const { preemptions, deaths, noise, reorderings } = bounds;
  const all = [preemptions, deaths, noise, ...reorderings === undefined ? [] : [reorderings]];
  return line([
    name,
    whole(report.schedules),
    whole(report.states),
    whole(report.deaths),
    `${(report.milliseconds / 1000).toFixed(2)} s`,
    all.join("/"),
    result,
  ]);
}

/** Returns the last line, with the sums. */
export function summary(reports: readonly Report[], unexpected: number): string {
  const sum = (of: (report: Report) => number) => reports.reduce((all, one) => all + of(one), 0);
  const seconds = sum(({ milliseconds }) => milliseconds) / 1000;
  return [
    plural(reports.length, "search", "searches"),
    plural(sum(({ schedules }) => schedules), "run"),
    plural(sum(({ deaths }) => deaths), "death"),
    `${seconds.toFixed(1)} s`,
    unexpected === 0 ? "all as expected" : `${unexpected} NOT AS EXPECTED`,
  ].join(", ");
}

/** Returns the entry of a scenario in the list of all, wrapped to 80 columns. */
export function listed({ name, about }: Scenario): string {
  const lines = [name.padEnd(24)];
  for (const word of about.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length > 80) lines.push(`${" ".repeat(25)}${word}`);
    else lines[lines.length - 1] = longer;
  }
  return lines.join("\n");
}

/** Describes a search that still runs. */
export function progressLine({ name }: Scenario, report: Report): string {
  const { schedules, states, done, milliseconds } = report;
  const percent = done === 0 ? "" : `, roughly ${(100 * done).toFixed(0)} %`;
  const seconds = (milliseconds / 1000).toFixed(0);
  return `${name}: ${whole(schedules)} runs, ${whole(states)} states in ${seconds} s${percent}`;
}

/** Describes a finding: the problem, its trace, and how to replay it here and in the playground. */
export function describeFinding({ name }: Scenario, finding: Finding): string {
  return [
    `  ${finding.kind}: ${finding.message}`,
    "",
    ...finding.trace.map((step) => `    ${step}`),
    "",
    `  deno task explore ${name} --replay '${finding.token}'`,
    `  in the playground (--open): play/${playAddress(name, finding.token)}`,
    "",
  ].join("\n");
}

/** Returns the address of a run in the playground: the part behind its page. */
export function playAddress(name: string, token: string): string {
  return `#${name}/${token}`;
}

function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : many}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
