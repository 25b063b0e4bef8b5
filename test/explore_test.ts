/**
 * A short run of the explorer over every scenario, in two processes, where the import map puts its
 * leaves in place of the real ones.
 */

import { assert } from "@std/assert";

const HERE = new URL("./explore/", import.meta.url);

/** A line of the explorer about a scenario; see main.ts. */
interface Told {
  readonly name: string;
  readonly expected: boolean;
  readonly result: string;
  readonly schedules: number;
  readonly states: number;
  readonly deaths: number;
  readonly exhausted: boolean;
  readonly finding?: {
    readonly message: string;
    readonly token: string;
    readonly trace: readonly string[];
  };
}

/** A few scenarios in which weak memory shows. */
const WEAK = [
  "babus-copy",
  "circular-lap",
  "circular-poll",
  "doorbell-fenced",
  "doorbell-loop",
  "doorbell-publish",
  "hearing",
  "mpsc-hints",
  "spsc-flow",
  "vdds-lap",
];

/** Runs Deno on the explorer. */
function deno(action: string[], ...request: readonly string[]): Promise<Deno.CommandOutput> {
  const path = (name: string) => new URL(name, HERE).pathname;
  const args = [...action, "--quiet", "--import-map", path("import_map.json"), path("main.ts")];
  return new Deno.Command(Deno.execPath(), { args: [...args, ...request], stderr: "inherit" })
    .output();
}

let checked: Promise<Deno.CommandOutput> | undefined; // once for all runs: it takes seconds

/** Explores scenarios, and returns the lines that the explorer prints about them. */
async function explore(...request: readonly string[]): Promise<Told[]> {
  assert((await (checked ??= deno(["check"]))).success, "the types are wrong");
  const { code, stdout } = await deno(["run", "--no-check"], "--json", "--short", ...request);
  assert(code < 2, "the explorer itself failed");
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

function describe({ name, result, finding }: Told): string {
  if (finding === undefined) return `${name}: ${result}`;
  const { message, token, trace } = finding;
  return [`${name}: ${result}: ${message}`, ...trace, `--replay ${token}`].join("\n");
}

Deno.test("every scenario goes as it should, and all that is broken is found", async (t) => {
  // about half of the time each
  const halves = await Promise.all([
    explore("vdds", "--strong", "--budget", "3"),
    explore("!vdds", "--strong", "--budget", "6"),
  ]);
  for (const scenario of halves.flat()) {
    const { name, expected, result, schedules, states, deaths } = scenario;
    const counts = `${schedules} runs, ${states} states, ${deaths} deaths`;
    await t.step(`${name}: ${result}, ${counts}`, () => assert(expected, describe(scenario)));
  }
  assert(halves.every(({ length }) => length > 15), "scenarios are missing");
});

Deno.test("scenarios go as they should in weak memory, too", async () => {
  const told = await explore("--weak", "--budget", "300", ...WEAK); // far more than they need
  for (const scenario of told) assert(scenario.expected, describe(scenario));
  assert(told.every(({ exhausted }) => exhausted), "a search was not exhausted");
});
