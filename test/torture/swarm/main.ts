/**
 * `deno task swarm`: kills forked processes by the thousand, and prints a report.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { addEntry, entryOf, type Part, sumOf, tableOf } from "../record.ts";
import { BROKEN } from "./broken.ts";
import { PROGRESS_MS, type SwarmAccount, swarms } from "./run.ts";
import type { Scene } from "./scene.ts";
import { SCENES } from "./scenes.ts";

const ALL: Readonly<Record<string, Scene>> = { ...SCENES, ...BROKEN };
const BAR = 30;

const HELP =
  `Forks processes that use shared memory, kills several of them at once, and prints a report.

Usage: deno task swarm [scene ..] [--minutes n] [--slice s] [--seed s] [--state file] [--record]

  scene      one or more of ${Object.keys(SCENES).join(", ")};
             all of them by default, in turn; or, to see mistakes being found,
             ${Object.keys(BROKEN).join(", ")}
  --minutes  how long in all; 1 by default
  --slice    the seconds of each scene at a time; 10 by default
  --at-once  how many scenes at the same time, with a harness each; 1 by default
  --seed     repeats the plan of an earlier run, but not its timing
  --state    keeps what was done in this file, and goes on with it if it exists
  --until-found
             ends at the first complaint
  --patience the seconds that a process may go without progress while nobody is
             harmed, besides those of waiting for a processor; ${PROGRESS_MS / 1000} by default
  --record   at the end, adds what is new to test/torture/record.jsonl
  --help     this text

Ctrl-C ends the run after its slice. Exit code: 0 if clean, 1 if not, 2 for a wrong command line.
`;

/** A run, as the state file keeps it. */
interface State {
  readonly seed: number;
  readonly parts: Part[];
  /** The number of parts that were added to the record. */
  recorded: number;
}

function partOf(account: SwarmAccount): Part {
  const { scene, seconds, killsAtRandom, killsAtSteps, stops, sent, received } = account;
  const { complaints, complaintCount, filesLeft } = account;
  const more = complaintCount - complaints.length;
  const findings = [
    ...complaints,
    ...(more > 0 ? [`and ${more} more`] : []),
    ...filesLeft.map((file) => `${file} was left`),
  ];
  const kills = killsAtRandom + killsAtSteps;
  return { workload: scene, seconds, kills, killsAtSteps, stops, sent, received, findings };
}

function readState(file: string | undefined, seed: number): State {
  const fresh = { seed, parts: [], recorded: 0 };
  if (file === undefined) return fresh;
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return fresh;
    throw error;
  }
}

function writeState(file: string | undefined, state: State): void {
  if (file === undefined) return;
  Deno.writeTextFileSync(`${file}.new`, JSON.stringify(state));
  Deno.renameSync(`${file}.new`, file); // a kill leaves the old one or the new one
}

/** Draws how far a run is. */
function showProgress(scene: string, share: number, { kills, findings }: Omit<Part, "workload">) {
  const full = Math.round(Math.min(share, 1) * BAR);
  const bar = "#".repeat(full) + ".".repeat(BAR - full);
  const text = `[${bar}] ${(100 * share).toFixed(0).padStart(3)} %  ${scene.padEnd(12)} ` +
    `${kills.toLocaleString("en-US")} kills, ${findings.length} findings`;
  const isTerminal = Deno.stderr.isTerminal();
  const line = isTerminal ? `\r${text.padEnd(79)}` : `${text}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

/** The text to paste into an issue. */
function report(state: State, atOnce: number): string {
  const { date, commit, deno, kernel, processors } = entryOf("swarm", state.seed, []);
  const sum = sumOf(state.parts);
  const seconds = sum.seconds / atOnce;
  const findings = sum.findings.map((finding) => `- ${finding}`);
  return [
    `swarm: ${sum.findings.length === 0 ? "clean" : "NOT CLEAN"}, ${date}, commit ${commit}, ` +
    `seed ${state.seed}`,
    `Deno ${deno}, Linux ${kernel}, ${processors} processors, ` +
    `${seconds.toFixed(0)} s, ${(sum.kills / seconds).toFixed(0)} kills a second`,
    "",
    tableOf(state.parts),
    ...(findings.length === 0 ? [] : ["", ...findings]),
  ].join("\n");
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "1" },
      slice: { type: "string", default: "10" },
      "at-once": { type: "string", default: "1" },
      seed: { type: "string" },
      state: { type: "string" },
      patience: { type: "string", default: `${PROGRESS_MS / 1000}` },
      record: { type: "boolean" },
      "until-found": { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const names = positionals.length === 0 ? Object.keys(SCENES) : positionals;
  const unknown = names.find((name) => ALL[name] === undefined);
  const [minutes, slice] = [Number(values.minutes), Number(values.slice)];
  const atOnce = Number(values["at-once"]);
  const progressMs = Number(values.patience) * 1000;
  const areNumbers = minutes > 0 && slice > 0 && progressMs > 0 && atOnce >= 1;
  if (unknown !== undefined || !areNumbers) {
    console.error(unknown === undefined ? "Pass numbers above 0" : `There is no scene ${unknown}`);
    return 2;
  }
  const asked = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const state = readState(values.state, asked);
  let isOver = false;
  Deno.addSignalListener("SIGINT", () => isOver = true);
  Deno.addSignalListener("SIGTERM", () => isOver = true);
  const total = minutes * 60 * atOnce; // of all scenes together
  for (let done; !isOver && (done = sumOf(state.parts).seconds) < total;) {
    const turn = state.parts.length;
    const name = names[turn % names.length]!;
    showProgress(name, done / total, sumOf(state.parts));
    const seconds = Math.min(slice, Math.ceil((total - done) / atOnce));
    const untilFound = values["until-found"];
    const accounts = swarms(Array.from({ length: atOnce }, (_, i) => {
      const name = names[(turn + i) % names.length]!;
      const seed = state.seed + turn + i;
      return { name, scene: ALL[name]!, seconds, seed, untilFound, progressMs };
    }));
    for (const { evidence } of accounts) for (const text of evidence) console.log(`\n${text}`);
    state.parts.push(...accounts.map(partOf));
    isOver ||= untilFound && accounts.some(({ complaintCount }) => complaintCount > 0);
    writeState(values.state, state);
    await new Promise((resolve) => setTimeout(resolve, 0)); // the signals are heard here
  }
  const sum = sumOf(state.parts);
  showProgress("", sum.seconds / total, sum);
  console.log(`\n${report(state, atOnce)}`);
  if (values.record) {
    const added = state.parts.slice(state.recorded);
    const parts = [...Map.groupBy(added, ({ workload }) => workload)]
      .map(([workload, its]) => ({ workload, ...sumOf(its) }));
    addEntry(entryOf("swarm", state.seed, parts));
    state.recorded = state.parts.length;
    writeState(values.state, state);
  }
  return sum.findings.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
