/**
 * Tells a chapter from one step on, and writes each report as a line: the child of record.ts, because
 * a step may crash it. `deno run --allow-ffi record_child.ts 01_pages 1`.
 *
 * @module
 */

import { chapterOf } from "../chapters.ts";
import { judge, Player, type Report } from "../player.ts";
import { shuffled } from "../shuffle.ts";
import type { BytesPicture, Picture, Question, Verdict } from "../story.ts";

/** A line of the child. */
export type Line = { readonly step: number } & (Report | { readonly type: "verdicts" } & Verdicts);

/** What became of every prediction that a reader can make. */
export type Verdicts =
  | { readonly kind: "choice" | "byte"; readonly each: readonly Verdict[] }
  | {
    readonly kind: "number";
    /** The lowest and the highest right number. */
    readonly from: number;
    readonly to: number;
    readonly right: Verdict;
    readonly often: readonly { readonly number: number; readonly verdict: Verdict }[];
    readonly otherwise: Verdict;
  };

function verdictsOf(ask: Question, before: readonly Picture[]): Verdicts {
  if (ask.kind === "choice") {
    return { kind: "choice", each: ask.options.map((_, i) => judge(ask, i)) };
  }
  if (ask.kind === "byte") {
    const { bytes } = before.find(({ id }) => id === ask.picture) as BytesPicture;
    return { kind: "byte", each: bytes.map((_, i) => judge(ask, i)) };
  }
  const { often, within = 1 } = ask;
  const truth = ask.answer();
  return {
    kind: "number",
    from: truth / within,
    to: truth * within,
    right: judge(ask, truth),
    often: often.map(({ number }) => ({ number, verdict: judge(ask, number) })),
    otherwise: judge(ask, -1),
  };
}

const encoder = new TextEncoder();

function write(line: Line): void {
  let rest = encoder.encode(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

async function tell(folder: string, first: number): Promise<void> {
  const chapter = chapterOf(folder);
  if (chapter?.load === undefined) throw new Error(`There is no story of ${folder}`);
  const steps = shuffled(folder, (await chapter.load()).story.steps());
  const player = new Player(steps, `recorded-${Deno.pid}`);
  await player.skip(first - 1, (report) => write({ step: first, ...report }));
  for (let step = first; step <= steps.length; step++) {
    const { ask, crash } = steps[step - 1]!;
    let before: readonly Picture[] = [];
    player.prepare(step, (report) => {
      if (report.type === "prepared") ({ before } = report);
      write({ step, ...report });
    });
    const judgeAll = () => {
      if (ask !== undefined) write({ step, type: "verdicts", ...verdictsOf(ask, before) });
    };
    if (crash !== undefined) judgeAll(); // nobody is left to do so afterwards
    await player.perform(step, undefined, (report) => write({ step, ...report }));
    if (crash === undefined) judgeAll();
    write({ step, type: "done" });
  }
}

if (import.meta.main) {
  await tell(Deno.args[0] ?? "", Number(Deno.args[1] ?? 1));
  Deno.exit(); // whatever a chapter has left running
}
