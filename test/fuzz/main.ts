/**
 * `deno task fuzz`: opens mutated files of regions, guided by the branches that they take.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { fuzz, type FuzzReport } from "./fuzzer.ts";
import type { Input } from "./mutate.ts";

const CORPUS = new URL("corpus.jsonl", import.meta.url);

const HELP = `Opens mutated files of regions, and keeps those that take new branches of the library.

Usage: deno task fuzz [--seconds n] [--seed s] [--keep | --broken]

  --seconds  how long; 60 by default
  --seed     repeats an earlier run
  --keep     writes test/fuzz/corpus.jsonl, which later runs begin with
  --broken   without the check of the sizes in a header, to see that this is found
  --help     this text

Exit code: 0 if nothing was found (with --broken: if something was), 1 if not, 2 for a wrong
command line.
`;

/** The corpus in the repository. */
export function readCorpus(): Input[] {
  return Deno.readTextFileSync(CORPUS).split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function line({ executions, seconds, branches, taken, corpus, findings }: FuzzReport): string {
  const rate = (executions / seconds).toFixed(0);
  return `${seconds.toFixed(0)} s: ${executions.toLocaleString("en-US")} executions, ${rate} a ` +
    `second, ${taken} of ${branches} branches, ${corpus.length} inputs kept, ` +
    `${findings.length} findings`;
}

/** Removes the check that the header's sizes agree with the file. */
function withoutCheck(text: string): string {
  const changed = text.replace("if (agrees) return;", "return;");
  if (changed === text) throw new Error("the check is not where it was");
  return changed;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: `${Math.floor(Math.random() * 2 ** 31)}` },
      keep: { type: "boolean", default: false },
      broken: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
    console.error("Pass a number of seconds above 0, and a whole number as the seed");
    return 2;
  }
  const isTerminal = Deno.stdout.isTerminal();
  const show = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
  const onProgress = (report: FuzzReport) => {
    if (isTerminal) show(`\r\x1b[K${line(report)}`);
  };
  const change = values.broken ? withoutCheck : undefined;
  const report = await fuzz({ seconds, seed, corpus: readCorpus(), change, onProgress });
  show(`${isTerminal ? "\r\x1b[K" : ""}seed ${seed}, ${line(report)}\n`);
  if (values.broken) return report.findings.length > 0 ? 0 : 1;
  for (const { input, text } of report.findings) console.log(`\n${JSON.stringify(input)}\n${text}`);
  if (values.keep) {
    const lines = report.corpus.map((input) => `${JSON.stringify(input)}\n`);
    Deno.writeTextFileSync(CORPUS, lines.join(""));
  }
  return report.findings.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
