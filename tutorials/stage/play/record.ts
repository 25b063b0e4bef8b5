/**
 * Records the chapters of the course for pages without a server: every step once, on real memory,
 * and what became of every prediction.
 *
 * @module
 */

import { Cast, removeFiles, runFor } from "../cast.ts";
import { type Outline, outline } from "../outline.ts";
import type { Frame, Shown } from "../story.ts";
import type { Line, Verdicts } from "./record_child.ts";

/** A recorded step: its frame after it has run, without a verdict. */
export interface RecordedStep {
  readonly frame: Frame;
  readonly verdicts?: Verdicts;
}

type Draft = { -readonly [K in keyof Frame]: Frame[K] };

const ROOT = new URL("../../../", import.meta.url);
const CHILD = new URL("record_child.ts", import.meta.url);

/** Records all chapters that have a story. */
export async function record(): Promise<{
  chapters: Outline[];
  steps: Map<number, RecordedStep[]>;
}> {
  const steps = new Map<number, RecordedStep[]>();
  const chapters = await outline();
  for (const chapter of chapters) steps.set(chapter.number, await recordChapter(chapter));
  return { chapters, steps };
}

/** Records a chapter. After a crash another child goes on. */
async function recordChapter(chapter: Outline): Promise<RecordedStep[]> {
  const recorded: RecordedStep[] = [];
  const total = chapter.steps.length;
  while (recorded.length < total) {
    const first = recorded.length + 1;
    const { lines, ending } = await linesFrom(chapter.folder, first);
    for (let step = first; lines.some((line) => line.step === step); step++) {
      const own = lines.filter((line) => line.step === step);
      recorded.push(recordedStep(chapter.number, step, total, own, ending));
    }
    if (recorded.length < first) {
      throw new Error(`Cannot record step ${first} of chapter ${chapter.number}: ${ending}`);
    }
  }
  return recorded;
}

async function linesFrom(
  folder: string,
  first: number,
): Promise<{ lines: Line[]; ending: string }> {
  const cast = new Cast(folder);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...runFor(folder, CHILD), `${first}`],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(child.stderr).text();
  const lines: Line[] = [];
  let unread = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const pieces = `${unread}${text}`.split("\n");
    unread = pieces.pop()!;
    for (const piece of pieces) {
      const line = JSON.parse(
        piece,
        (key, value) => key === "path" ? nameOf(value) : value,
      ) as Line;
      if (line.type === "verdicts" || !cast.hear(line)) lines.push(line);
    }
  }
  const { code, signal } = await child.status;
  await cast.close();
  removeFiles(`recorded-${child.pid}`);
  if (code !== 0 && signal === null) throw new Error(await complaint);
  return { lines, ending: signal === null ? "" : `ended by ${signal}` };
}

/** Leaves out the folder of a file, which is nobody's business. */
function nameOf(path: string): string {
  return path.startsWith("/") ? path.slice(path.lastIndexOf("/")) : path;
}

function recordedStep(
  chapter: number,
  step: number,
  steps: number,
  lines: readonly Line[],
  ending: string,
): RecordedStep {
  const shown: Shown[] = [];
  const frame: Draft = {
    chapter,
    step,
    steps,
    title: "",
    text: "",
    before: [],
    done: true,
    shown,
  };
  let verdicts: Verdicts | undefined;
  for (const line of lines) {
    if (line.type === "prepared") {
      const { type: _, step: __, ...prepared } = line;
      Object.assign(frame, prepared);
    } else if (line.type === "shown") shown.push(line.shown);
    else if (line.type === "result") {
      const code = shown.at(-1);
      if (code?.kind === "code") shown[shown.length - 1] = { ...code, result: line.result };
    } else if (line.type === "after") frame.after = line.text;
    else if (line.type === "verdicts") verdicts = line;
    else if (line.type === "failed") {
      throw new Error(`Cannot record ${frame.title}: ${line.message}`);
    }
  }
  if (!lines.some(({ type }) => type === "done")) frame.ended = ending;
  return verdicts === undefined ? { frame } : { frame, verdicts };
}
