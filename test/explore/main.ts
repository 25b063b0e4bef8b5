/**
 * `deno task explore`: explores scenarios, reports on each, and replays a run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Bounds, explore, replay, type Report, type Scenario } from "./engine/mod.ts";
import { CONVENTIONS } from "./scenario.ts";
import { openInPlayground } from "./open.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import {
  describeFinding,
  heading,
  listed,
  type Outcome,
  playAddress,
  progressLine,
  resultOf,
  row,
  summary,
} from "./report.ts";

const HELP = `Explores every interleaving of the scenarios, within their bounds: first with
every operation visible at once, then in weak memory, as on Arm.

  deno task explore [scenario...] [options]

A scenario is named by the beginning of its name, or by a pattern such as
"*death*"; without any, all are explored. "!vdds" leaves out those that match.

  --list              the scenarios, and what each is about
  --preemptions n     how often a run may leave an actor that could continue
  --deaths n          how many actors may die in a run
  --noise n           how many spurious wake-ups and early time-outs a run may
                      have
  --weak              only weak memory: stores become visible late, and loads are
                      served early; at most 2 preemptions (1 for a large scenario,
                      or with --short), 1 death and no noise
  --strong            only with every operation visible at once, as --seed does
  --reorderings n     how many stores and loads a run may reorder; 1 with --weak
  --short             at most 2 preemptions, 1 death and 1 noise; 30 s in all
                      unless --budget, and in any case more for a broken
                      scenario that needs it
  --budget seconds    stop after so long, divided among the scenarios
  --schedules n       stop each scenario after so many runs
  --seed s            random runs without a bound on preemptions, instead of all
                      runs; 10 s in all unless --budget or --schedules
  --replay token      one run of one scenario, step by step
  --open              open the first finding, or the replayed run, in the playground
  --bail              stop after the first scenario that does not go as it should
  --json              a line of JSON for each scenario
  --help              this text

Exit code 1: a scenario that is right had a finding, or a broken one had none or
another; 2: misuse.
`;

const SHORT: Bounds = { preemptions: 2, deaths: 1, noise: 1 };
const WEAK: Bounds = { preemptions: 2, deaths: 1, noise: 0 };

/** The command line, parsed. */
interface Request {
  readonly scenarios: readonly Scenario[];
  readonly bounds: Partial<Bounds>;
  readonly short: boolean;
  /** Whether memory is weak, in each search of a scenario. */
  readonly memories: readonly ("strong" | "weak")[];
  readonly budgetMs: number;
  /** The time that a broken scenario has at least: how far it comes depends on the machine. */
  readonly brokenMs: number;
  readonly schedules: number | undefined;
  readonly seed: number | undefined;
  readonly token: string | undefined;
  readonly open: boolean;
  readonly bail: boolean;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: "boolean" },
      preemptions: { type: "string" },
      deaths: { type: "string" },
      noise: { type: "string" },
      weak: { type: "boolean", default: false },
      strong: { type: "boolean", default: false },
      reorderings: { type: "string" },
      short: { type: "boolean", default: false },
      budget: { type: "string" },
      schedules: { type: "string" },
      seed: { type: "string" },
      replay: { type: "string" },
      open: { type: "boolean", default: false },
      bail: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const scenarios = named(positionals);
  if (values.list) {
    for (const scenario of scenarios) console.log(listed(scenario));
    return 0;
  }
  const seed = count("seed", values.seed);
  const schedules = count("schedules", values.schedules);
  const usualSeconds = seed !== undefined && schedules === undefined
    ? 10
    : values.short
    ? 30
    : Infinity;
  const request: Request = {
    scenarios,
    bounds: {
      ...given("preemptions", values.preemptions),
      ...given("deaths", values.deaths),
      ...given("noise", values.noise),
      ...given("reorderings", values.reorderings),
    },
    memories: memoriesOf(values.weak, values.strong || seed !== undefined),
    short: values.short,
    budgetMs: 1000 * (count("budget", values.budget) ?? usualSeconds),
    brokenMs: seed === undefined && (values.short || values.budget === undefined) ? 60_000 : 0,
    schedules,
    seed,
    token: values.replay,
    open: values.open,
    bail: values.bail,
    json: values.json,
  };
  return request.token === undefined
    ? await exploreAll(request)
    : await replayOne(request, request.token);
}

function memoriesOf(weak: boolean, strong: boolean): Request["memories"] {
  if (weak === strong) return ["strong", "weak"];
  return weak ? ["weak"] : ["strong"];
}

/** Returns the scenarios that match the beginnings of names or the patterns. */
function named(patterns: readonly string[]): readonly Scenario[] {
  const isOut = (pattern: string) => pattern.startsWith("!");
  const wanted = patterns.filter((pattern) => !isOut(pattern));
  const left = patterns.filter(isOut).map((pattern) => pattern.slice(1));
  const missing = [...wanted, ...left].find((pattern) =>
    !SCENARIOS.some(({ name }) => fits(name, pattern))
  );
  if (missing !== undefined) {
    throw new RangeError(`cannot find the scenario "${missing}"; see --list`);
  }
  return SCENARIOS.filter(({ name }) =>
    (wanted.length === 0 || wanted.some((pattern) => fits(name, pattern))) &&
    !left.some((pattern) => fits(name, pattern))
  );
}

function fits(name: string, pattern: string): boolean {
  const literal = pattern.replaceAll(/[^\w*-]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${literal}`).test(name);
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new RangeError(`--${option} takes a number, not "${text}"`);
}

function given(bound: keyof Bounds, text: string | undefined): Partial<Bounds> {
  const value = count(bound, text);
  return value === undefined ? {} : { [bound]: value };
}

function boundsOf(scenario: Scenario, isWeak: boolean, request: Request): Bounds {
  let usual = scenario.bounds;
  if (request.short || isWeak) usual = { ...within(usual, SHORT), ...scenario.short };
  if (isWeak) {
    const least = Math.min(1, scenario.bounds.preemptions);
    const some = { ...usual, preemptions: Math.max(least, usual.preemptions) };
    const preemptions = request.short ? 1 : WEAK.preemptions;
    usual = { ...within(some, { ...WEAK, preemptions }), reorderings: 1 };
  }
  return { ...usual, ...request.bounds };
}

/** Tightens bounds. */
function within(bounds: Bounds, most: Bounds): Bounds {
  return {
    ...bounds,
    preemptions: Math.min(bounds.preemptions, most.preemptions),
    deaths: Math.min(bounds.deaths, most.deaths),
    noise: Math.min(bounds.noise, most.noise),
  };
}

// ---- exploring ----

/** Returns the searches to make: what is broken is found in strong memory if it can be. */
function searchesOf({ scenarios, memories }: Request): { scenario: Scenario; isWeak: boolean }[] {
  return memories.flatMap((memory) => {
    const isWeak = memory === "weak";
    const isSecond = isWeak && memories.length > 1;
    return scenarios.filter(({ expect }) => !isSecond || expect === undefined)
      .map((scenario) => ({ scenario, isWeak }));
  });
}

async function exploreAll(request: Request): Promise<number> {
  const { json, seed, schedules } = request;
  const showsProgress = Deno.stderr.isTerminal();
  const deadline = performance.now() + request.budgetMs;
  const searches = searchesOf(request);
  const reports: Report[] = [];
  const names: string[] = [];
  let unexpected = 0;
  if (!json) console.log(heading());
  for (const [i, { scenario, isWeak }] of searches.entries()) {
    const bounds = boundsOf(scenario, isWeak, request);
    const shareMs = share(deadline - performance.now(), searches.length - i);
    const report = await explore(scenario, {
      bounds,
      conventions: CONVENTIONS,
      seed,
      schedules,
      budgetMs: Math.max(shareMs, scenario.expect === undefined ? 0 : request.brokenMs),
      progress: (report) => showsProgress && showProgress(progressLine(scenario, report)),
    });
    if (showsProgress) showProgress("");
    reports.push(report);
    names.push(scenario.name);
    const outcome = resultOf(scenario, report);
    if (!outcome.expected) unexpected++;
    if (json) console.log(JSON.stringify(record(scenario, bounds, report, outcome)));
    else show(scenario, bounds, report, outcome, request.scenarios.length === 1);
    if (!outcome.expected && request.bail) break;
  }
  if (!json) console.log(summary(reports, unexpected));
  const first = reports.findIndex(({ finding }) => finding !== undefined);
  if (request.open && first >= 0) {
    await openInPlayground(playAddress(names[first]!, reports[first]!.finding!.token));
  }
  return unexpected === 0 ? 0 : 1;
}

/** Returns the time for a scenario: twice its share of the rest, because most need little. */
function share(leftMs: number, scenarios: number): number {
  return Math.max(0, leftMs) * Math.min(1, 2 / scenarios);
}

/** Prints the trace of an expected finding only if its scenario is the only one. */
function show(
  scenario: Scenario,
  bounds: Bounds,
  report: Report,
  outcome: Outcome,
  isAlone: boolean,
): void {
  console.log(row(scenario, bounds, report, outcome));
  if (report.finding === undefined || outcome.expected && !isAlone) return;
  console.log(describeFinding(scenario, report.finding));
}

/** Overwrites one line. */
function showProgress(line: string): void {
  const { columns } = Deno.consoleSize();
  const cut = columns > 0 ? line.slice(0, columns - 1) : line; // in two rows it would stay
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${cut}`));
}

function record(scenario: Scenario, bounds: Bounds, report: Report, outcome: Outcome) {
  const { name, about, expect } = scenario;
  const { finding } = report;
  const address = finding && `play/${playAddress(name, finding.token)}`;
  return { name, about, expect, bounds, ...outcome, ...report, address };
}

// ---- replaying ----

async function replayOne({ scenarios, json, open }: Request, token: string): Promise<number> {
  const [scenario, ...others] = scenarios;
  if (scenario === undefined || others.length > 0) {
    throw new RangeError("--replay needs the name of one scenario");
  }
  const { problem, trace } = await replay(scenario, token, { conventions: CONVENTIONS });
  if (json) console.log(JSON.stringify({ name: scenario.name, token, problem, trace }));
  else {
    for (const line of trace) console.log(line);
    console.log(problem === undefined ? "nothing is wrong" : `${problem.kind}: ${problem.message}`);
  }
  if (open) await openInPlayground(playAddress(scenario.name, token));
  return problem?.kind === scenario.expect ? 0 : 1;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  console.error(`Cannot explore: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 2;
}
