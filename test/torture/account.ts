/**
 * The account: what was done, what came of it, and whether that is as it must be.
 *
 * @module
 */

import type { Counts } from "./workload.ts";

/** The account of a run. */
export interface Account extends Counts {
  /** The workload. */
  readonly workload: string;
  /** The seed of all chance. */
  readonly seed: number;
  /** How long processes were tortured. */
  readonly seconds: number;
  /** Whether the run was called off. */
  readonly interrupted: boolean;
  /** How many processes were killed by the harness at any moment. */
  readonly killsAtRandom: number;
  /** How many killed themselves at a step. */
  readonly killsAtSteps: number;
  /** The steps at which they did, and how often. */
  readonly steps: ReadonlyMap<string, number>;
  /** How many were stopped, and continued or killed then. */
  readonly stops: number;
  /** How many processes there were. */
  readonly processes: number;
  /** The number of statements about shared and exclusive resources that were compared. */
  readonly statements: number;
  /** The files of the run that were left in /dev/shm. */
  readonly filesLeft: readonly string[];
  /** The processes of the run that were left. */
  readonly processesLeft: readonly number[];
  /** The violations, in words. */
  readonly complaints: readonly string[];
  /** How many complaints there were, with those not kept. */
  readonly complaintCount: number;
  /** The state of all processes and regions at the first complaints. */
  readonly evidence: readonly string[];
}

/** All kills. */
export function killsOf(account: Account): number {
  return account.killsAtRandom + account.killsAtSteps;
}

/** Whether everything is as it must be. */
export function isClean(account: Account): boolean {
  const { lost, duplicated, corrupt, leaked, filesLeft, processesLeft, complaintCount } = account;
  return lost + duplicated + corrupt + leaked + complaintCount === 0 &&
    filesLeft.length + processesLeft.length === 0;
}

const COMPLAINTS_SHOWN = 10;

/** The account as people read it. */
export function describe(account: Account, options: { steps?: boolean } = {}): string {
  const { workload, seed, seconds, interrupted, filesLeft, processesLeft } = account;
  const verdict = isClean(account) ? "clean" : "NOT CLEAN";
  const head = `${workload}: ${verdict}${interrupted ? ", interrupted" : ""} ` +
    `after ${seconds.toFixed(1)} s with seed ${seed}`;
  const rows: [string, string][] = [
    [
      "kills",
      `${count(killsOf(account))}: ${count(account.killsAtSteps)} at ${
        count(account.steps.size)
      } different steps, ${count(account.killsAtRandom)} at any moment`,
    ],
    ["stops", count(account.stops)],
    ["processes", count(account.processes)],
    ["statements compared", count(account.statements)],
    ["sent", count(account.sent)],
    ["received", count(account.received)],
    ["lost", count(account.lost)],
    ["duplicated", count(account.duplicated)],
    ["corrupt", count(account.corrupt)],
    ["leaked", count(account.leaked)],
    ...Object.entries(account.facts ?? {}).map(([name, value]): [string, string] => [
      name,
      typeof value === "number" ? count(value) : value,
    ]),
    ["files left in /dev/shm", [filesLeft.length, ...filesLeft].join(" ")],
    ["processes left", [processesLeft.length, ...processesLeft].join(" ")],
    ["complaints", count(account.complaintCount)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    head,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...account.complaints.slice(0, COMPLAINTS_SHOWN).map((complaint) => `  ! ${complaint}`),
    ...account.evidence.flatMap((text, i) => [
      `  state of everything, ${i + 1}:`,
      ...text.split("\n").map((line) => `    ${line}`),
    ]),
    ...options.steps ? stepRows(account.steps) : [],
  ].join("\n");
}

function stepRows(steps: ReadonlyMap<string, number>): string[] {
  const byName = [...steps].sort(([a], [b]) => a < b ? -1 : 1);
  return byName.map(([name, times]) => `  ${count(times).padStart(6)}  ${name}`);
}

/** A number with its thousands apart. */
function count(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(1);
}
